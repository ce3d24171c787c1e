//! Taking over what another process wrote down: [`import`](Cache::import).

use super::export::no_memory;
use crate::coherence::{Names, Verdict};
use crate::envelope::Moment;
use crate::flights::Visit;
use crate::holds::{Gift, Holds, Look, Step};
use crate::policy::Plan;
use crate::snapshot::{Next, Pairs, Reader};
use crate::spawn::at_once;
use crate::{Cache, Codec, Entry, Lookup, Result, Wire};
use std::borrow::Borrow;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Entries that are there now.
    pub imported: u64,
    /// Entries that had expired, or that this cache would not keep.
    pub expired: u64,
    /// Entries whose keys are there already, or were inserted, removed or invalidated since this cache was made, or may have
    /// been.
    pub superseded: u64,
    /// Entries that could not be read: damaged, of another cache or codec, too large.
    pub unreadable: u64,
    /// Whether it was read to its end. If not, it was cut off or damaged, and what followed is not counted.
    pub is_complete: bool,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Imported { imported, expired, superseded, unreadable, is_complete } = self;
        write!(
            f,
            "{imported} imported, {expired} expired, {superseded} superseded, {unreadable} unreadable"
        )?;
        if *is_complete { Ok(()) } else { f.write_str(", and then cut off") }
    }
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Takes what [`export`](Self::export) wrote, perhaps in another process, into the first level, which is one of memory.
    ///
    /// An entry counts as loaded when it was: its life went on in the meantime, by the wall clock. For the rest it is a copy
    /// from a level behind, and lives no longer than this cache lets it. It takes the place of nothing, and what was inserted,
    /// removed or invalidated since this cache was made, or is meanwhile, does not come back; to know that, the cache remembers
    /// keys in 32,768 bits, so that after as many changes as that hardly anything is taken any more. Import first.
    ///
    /// `wire` has to be as it was for the export, or able to read that. What is damaged, or foreign, is counted and passed over.
    /// Where several processes share a log of invalidations, only that is taken of which this process knows that nothing was
    /// invalidated in the meantime; the level that they share has the rest.
    ///
    /// It works on the calling thread, without a pause.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if this is no export, or one of another version
    /// - [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the first level is no memory
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if `from` fails, or the memory does; what was taken until then stays
    ///
    /// # Examples
    ///
    /// The example is at [`export`](Self::export).
    pub fn import<W>(&self, wire: &Wire<W>, from: impl Read) -> Result<Imported>
    where
        W: Codec<K::Owned> + Codec<V>,
    {
        if C::waits(&self.level, &self.first_only(Step::Remove)) {
            return Err(no_memory("import"));
        }
        let wire = wire.with_codec(Arc::new(Pairs(Arc::clone(&wire.codec))));
        let name = self.export_name();
        let mut snapshot = Reader::begin(from)?;
        let mut counts = Imported::default();
        loop {
            let envelope = match snapshot.next(wire.max_value_bytes)? {
                Next::Envelope(envelope) => envelope,
                Next::TooLarge => {
                    counts.unreadable += 1;
                    continue;
                }
                Next::Cut => return Ok(counts),
                Next::End => {
                    counts.is_complete = true;
                    return Ok(counts);
                }
            };
            let opened = wire.open_at::<(K::Owned, V)>(&name, &envelope, Moment::of(&*self.inner.clock));
            let count = match opened {
                Err(_) => &mut counts.unreadable,
                Ok(entry) => match self.take_over(entry)? {
                    Taken::Imported => &mut counts.imported,
                    Taken::Expired => &mut counts.expired,
                    Taken::Superseded => &mut counts.superseded,
                },
            };
            *count += 1;
        }
    }

    fn take_over(&self, entry: Entry<(K::Owned, V)>) -> Result<Taken> {
        let (life, extra) = (entry.life(), entry.extra().cloned());
        let (key, value) = entry.into_value();
        let (key, entry) = (key.borrow(), Entry::with_life(value, life, extra));
        // From here on, whoever changes the key waits for its turn, and so for the end of this.
        let visit = Visit::begin(&self.inner.flights, key);
        let Some(_turn) = visit.try_turn() else { return Ok(Taken::Superseded) };
        if visit.is_touched() || visit.is_overtaken() || self.has(key) {
            return Ok(Taken::Superseded);
        }
        let Some(entry) = self.judged_import(key, entry) else { return Ok(Taken::Superseded) };
        let stamp = self.policy.restored(key, &entry, self.inner.clock.now_exact());
        let Some(stamp) = stamp.filter(|_| self.is_writing() && self.policy.loads.admits(entry.value()))
        else {
            return Ok(Taken::Expired);
        };
        let plan = self.first_only(Step::Write(stamp));
        self.keep_house(&plan);
        at_once(C::put(&self.level, self.cx(), key, Gift::Own(entry.into_value()), &plan))?;
        Ok(Taken::Imported)
    }

    /// Whether the first level has something that may yet be served.
    fn has(&self, key: &K) -> bool {
        matches!(C::look(&self.level, key, self.inner.clock.now()), Look::Hit(_) | Look::Ask(_, Some(_)))
    }

    /// The entry with what it is to know of invalidations; `None` if it was invalidated, or nobody can say.
    fn judged_import(&self, key: &K, entry: Entry<V>) -> Option<Entry<V>> {
        let address = self.address(key);
        let names = Names { key: address.as_deref(), tags: entry.tags() };
        let position = entry.watch().and_then(|watch| watch.position);
        // It began before anything was marked in this process.
        let (verdict, watch) = self.inner.coherence.judge_read(position, 0, names, false);
        if verdict != Verdict::Sound || (watch.is_none() && !names.tags.is_empty()) {
            return None;
        }
        Some(entry.watched(watch)).filter(|entry| self.is_entry_sound(key, entry))
    }

    fn first_only(&self, step: Step) -> Plan {
        let others = self.policy.levels.iter().skip(1).map(|_| Step::Leave);
        std::iter::once(step).chain(others).collect()
    }
}

enum Taken {
    Imported,
    Expired,
    Superseded,
}
