//! Writing down what a memory holds, for the next process: [`export`](Cache::export).

use crate::coherence::Names;
use crate::envelope::Moment;
use crate::holds::{Holds, Stamp};
use crate::snapshot::{Pairs, Writer};
use crate::{Cache, Codec, Entry, Error, ErrorKind, Freshness, Lookup, Result, Wire};
use std::fmt;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

const DEFAULT_MAX_BYTES: u64 = 256 << 20;

/// What an export came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// Entries that were written.
    pub entries: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Entries for which there was no room.
    pub beyond_limit: u64,
    /// Entries that could not be encoded, or are larger than the wire allows.
    pub unencodable: u64,
    /// Entries that were made from values of caches in other groups: nobody could judge them in another process.
    pub dependent: u64,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_out = self.beyond_limit + self.unencodable + self.dependent;
        write!(f, "{} entries in {} bytes, {left_out} left out", self.entries, self.bytes)
    }
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Writes down what the first level holds, which is one of memory, for [`import`](Self::import) in another process.
    ///
    /// At most 256 MiB: [`export_within`](Self::export_within) sets another limit. Each entry is sealed by `wire`, whose
    /// codec encodes values and keys (as `Json` does all that serde knows; an `Arc`, with serde's feature `rc`), with its times, its tags and a checksum; it is compressed and encrypted if
    /// the wire says so, keys too. The export belongs to the [name](Self::name) of the cache, and is imported by one of the same name only.
    /// What is dead or invalidated is left out.
    ///
    /// It looks at every entry and encodes it, without a pause and on the calling thread: call it at the end, or in
    /// `spawn_blocking`. The cache goes on meanwhile; what comes or goes then may be in it or not.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unsupported`] if the first level is no memory
    /// - [`ErrorKind::Store`] if `out` fails; what was written until then can be imported
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Wire, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ages = || Cache::new(Memory::<str, u32>::new(1_000)).name("ages").ttl(hours(1));
    /// let before = ages();
    /// before.insert("ada", 36).await?;
    /// let mut file = Vec::new(); // or `File::create(path)?`
    /// assert_eq!(before.export(&Wire::new(Json), &mut file)?.entries, 1);
    ///
    /// let after = ages();
    /// assert_eq!(after.import(&Wire::new(Json), &file[..])?.imported, 1);
    /// assert_eq!(after.get("ada").await?, Some(36));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn export<W>(&self, wire: &Wire<W>, out: impl Write + Send) -> Result<Exported>
    where
        W: Codec<K::Owned> + Codec<V>,
    {
        self.export_within(DEFAULT_MAX_BYTES, wire, out)
    }

    /// Writes down what the first level holds, in at most `max_bytes`: [`export`](Self::export). Which entries are left out
    /// beyond that is not promised.
    ///
    /// # Errors
    ///
    /// As for [`export`](Self::export).
    pub fn export_within<W>(&self, max_bytes: u64, wire: &Wire<W>, out: impl Write + Send) -> Result<Exported>
    where
        W: Codec<K::Owned> + Codec<V>,
    {
        let wire = wire.with_codec(Arc::new(Pairs(Arc::clone(&wire.codec))));
        let (clock, name) = (&*self.inner.clock, self.export_name());
        let mut snapshot = Writer::begin(out, max_bytes).map_err(Error::store)?;
        let (mut beyond_limit, mut unencodable, mut dependent) = (0, 0, 0);
        let mut failed = None;
        let looked = C::for_each(&self.level, &mut |key, entry: Entry<V>| {
            let at = Moment::of(clock);
            if entry.freshness(at.now) == Freshness::Dead || !self.is_entry_sound(key, &entry) {
                return ControlFlow::Continue(());
            }
            if entry.watch().is_some_and(|watch| !watch.others.is_empty()) {
                dependent += 1;
                return ControlFlow::Continue(());
            }
            let stamp = Stamp { life: entry.life(), extra: entry.extra().cloned() };
            let Ok(envelope) = wire.seal_at(&name, &(key.to_owned(), entry.into_value()), &stamp, at) else {
                unencodable += 1;
                return ControlFlow::Continue(());
            };
            match snapshot.push(&envelope) {
                Ok(true) => {}
                Ok(false) => beyond_limit += 1,
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        if !looked {
            return Err(no_memory("export"));
        }
        if let Some(error) = failed {
            return Err(Error::store(error));
        }
        let (entries, bytes) = snapshot.end().map_err(Error::store)?;
        Ok(Exported { entries, bytes, beyond_limit, unencodable, dependent })
    }

    /// What the envelopes of an export say that they belong to.
    pub(super) fn export_name(&self) -> String {
        format!("larder export {}", self.policy.name.as_deref().unwrap_or_default())
    }

    /// Whether nothing of the entry was invalidated, as far as this process knows.
    pub(super) fn is_entry_sound(&self, key: &K, entry: &Entry<V>) -> bool {
        let address = self.address(key);
        let names = Names { key: address.as_deref(), tags: entry.tags() };
        entry.watch().is_none_or(|watch| self.inner.coherence.is_unmarked(watch, names))
    }
}

pub(super) fn no_memory(what: &str) -> Error {
    let message = format!("{what} is for a memory in front, and the first level is none");
    Error::new(ErrorKind::Unsupported, message)
}
