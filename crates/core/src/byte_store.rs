//! A store that keeps bytes under text.

use crate::crowd::{BoxFuture, all_of};
use crate::holds::short_name;
use crate::record::{Put, PutIf, Record, Token};
use crate::shared_log::SharedLog;
use crate::store::{Capabilities, Cleared, Usage};
use crate::{Result, Time};
use bytes::Bytes;
use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How many calls the default forms of calls for many keys make at the same time.
const AT_A_TIME: usize = 32;

/// A store that keeps bytes under text: Redis, files, object storage. What most backend authors write.
///
/// # Contract
///
/// - A key is `NAMESPACE:TEXT`. The namespace has no colon; the text is any string of any length. The store
///   must keep keys apart that differ in any character, whatever it can name natively: hash what is too long
///   or not allowed. It need not guard against collisions of a good hash, because the bytes carry the key and
///   the cache checks it.
/// - [`get`](ByteStore::get) returns exactly the bytes that one [`put`](ByteStore::put) gave, never a mixture
///   of two, or nothing. Bytes of any age: the cache judges.
/// - `expires_at` is a hint. From then on the store may forget; it must not earlier. A store that cannot expire
///   by itself ignores it, and may find it again in the bytes with [`envelope::dead_at`](crate::envelope::dead_at).
/// - A put that returned is seen by every later get in this process, and a remove that returned is never undone
///   by a put that was called before it. A cache never runs two writes of one key at the same time; two caches
///   that share a namespace may, and then either value may stay, but no mixture.
/// - [`clear`](ByteStore::clear) removes what has the prefix, and nothing else in the server, bucket or folder.
/// - A store with a compare-and-set claims [`put_if`](Capabilities::put_if) and implements the three methods that
///   belong to it. A loader reads the record together with its [`Token`], and what it loaded is stored only if the
///   record is still that one: whoever wrote, removed or cleared meanwhile wins, in whichever process. Where there
///   is nothing, a *guard* is planted, which is nothing to every reader and has a token too: a key that was absent,
///   filled and removed again is not taken for one that was absent all the time.
/// - Errors and `Debug` never show passwords or values.
///
/// # Examples
///
/// A store in a map, complete:
///
/// ```
/// use larder_core::{ByteStore, Result};
/// use bytes::Bytes;
/// use std::{collections::HashMap, sync::Mutex, time::SystemTime};
///
/// #[derive(Debug, Default)]
/// struct Map(Mutex<HashMap<String, Bytes>>);
///
/// impl ByteStore for Map {
///     async fn get(&self, key: &str) -> Result<Option<Bytes>> {
///         Ok(self.0.lock().unwrap().get(key).cloned())
///     }
///     async fn put(&self, key: &str, bytes: Bytes, _expires_at: Option<SystemTime>) -> Result<()> {
///         self.0.lock().unwrap().insert(key.into(), bytes);
///         Ok(())
///     }
///     async fn remove(&self, key: &str) -> Result<()> {
///         self.0.lock().unwrap().remove(key);
///         Ok(())
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let map = Map::default();
/// map.put("users:ada", Bytes::from("1815"), None).await.unwrap();
/// assert_eq!(map.get("users:ada").await.unwrap().unwrap(), "1815");
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep bytes",
    note = "`.codec`, `.namespace`, `.version`, `.encrypted` and the like are for a level that keeps bytes, and said before `.chain`; memory keeps values and needs none of them",
    note = "a store of your own that keeps bytes implements `ByteStore`: `get`, `put` and `remove`"
)]
pub trait ByteStore: Send + Sync + 'static {
    /// Returns the bytes under `key`, of whatever age.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>>> + Send;

    /// Puts `bytes` under `key`, in place of what was there. They are of no use from `expires_at` on.
    fn put(
        &self,
        key: &str,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Removes what is under `key`, if anything.
    fn remove(&self, key: &str) -> impl Future<Output = Result<()>> + Send;

    /// Returns what is under each of `keys`, in their order. One that cannot be read spoils no other.
    ///
    /// The default asks for 32 at a time; a store that can asks for all in one round trip.
    fn get_many(&self, keys: &[&str]) -> impl Future<Output = Vec<Result<Option<Bytes>>>> + Send {
        async move {
            let gets = keys.iter().map(|key| Box::pin(self.get(key)) as BoxFuture<'_, _>);
            all_of(AT_A_TIME, gets.collect::<Vec<_>>()).await
        }
    }

    /// Does all of `puts`, and returns what became of each. Of two for one key, the later one counts.
    ///
    /// The default does 32 at a time, or one by one where a key is there twice; a store that can does all in one round trip.
    fn put_many(&self, puts: &[Put<'_>]) -> impl Future<Output = Vec<Result<()>>> + Send {
        async move {
            let distinct: HashSet<&str> = puts.iter().map(|put| put.key).collect();
            let at_a_time = if distinct.len() == puts.len() { AT_A_TIME } else { 1 };
            let puts = puts.iter().map(|put| {
                Box::pin(self.put(put.key, put.bytes.clone(), put.expires_at)) as BoxFuture<'_, _>
            });
            all_of(at_a_time, puts.collect::<Vec<_>>()).await
        }
    }

    /// Removes what is under each of `keys`, and returns what became of each.
    ///
    /// The default removes 32 at a time; a store that can does all in one round trip.
    fn remove_many(&self, keys: &[&str]) -> impl Future<Output = Vec<Result<()>>> + Send {
        async move {
            let removals = keys.iter().map(|key| Box::pin(self.remove(key)) as BoxFuture<'_, _>);
            all_of(AT_A_TIME, removals.collect::<Vec<_>>()).await
        }
    }

    /// Returns what is under `key` and the token of this state, in one step. Where there is nothing, a guard is
    /// planted that lasts `guard_for`; one that is there already is given that long anew.
    ///
    /// A guard that was forgotten early costs a store, never a wrong value: the put is refused. The default reads
    /// without a token.
    fn get_with_token(&self, key: &str, guard_for: Duration) -> impl Future<Output = Result<Record>> + Send {
        let _ = guard_for;
        async { self.get(key).await.map(Record::without_token) }
    }

    /// Removes what is under `key`, plants a new guard there that lasts `guard_for`, and returns its token, in one
    /// step: for a writer of its own, whom no older put may overtake. The default does nothing and returns `None`.
    fn guard(&self, key: &str, guard_for: Duration) -> impl Future<Output = Result<Option<Token>>> + Send {
        let _ = (key, guard_for);
        async { Ok(None) }
    }

    /// Puts `bytes` under `key` if what is there is still what `token` was given for, in one step. The default
    /// stores nothing and says so.
    fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> impl Future<Output = Result<PutIf>> + Send {
        let _ = (key, token, bytes, expires_at);
        async { Ok(PutIf::Unsupported) }
    }

    /// Returns the log of invalidations that is kept beside the records, if there is one: the same one, behind the same
    /// pointer, however often and through whichever clone of the store this is asked. The default has none.
    ///
    /// Caches over such a store read and void its records through the log. A wrapper forwards it, unless what it does is
    /// about reads and removals: then it wraps the log too.
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        None
    }

    /// Removes every key that begins with `prefix`, which is a namespace and its colon. The default removes
    /// none and says so.
    fn clear(&self, prefix: &str) -> impl Future<Output = Result<Cleared>> + Send {
        let _ = prefix;
        async { Ok(Cleared::Unsupported) }
    }

    /// Frees what is dead at `now`, if that is cheap and needs no waiting. The default does nothing.
    fn sweep(&self, now: Time) {
        let _ = now;
    }

    /// Returns how full the store is, if it knows without waiting.
    fn usage(&self) -> Option<Usage> {
        None
    }

    /// Returns what this store can do beside the required methods. `immediate` is not asked of byte stores.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// Returns what people call this store, in errors and statistics: its type, by default.
    fn name(&self) -> &'static str {
        short_name::<Self>()
    }
}

/// One connection may serve many caches; the namespace belongs to the cache.
#[deny(clippy::missing_trait_methods)]
impl<B: ByteStore> ByteStore for Arc<B> {
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>>> + Send {
        (**self).get(key)
    }
    fn put(
        &self,
        key: &str,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> impl Future<Output = Result<()>> + Send {
        (**self).put(key, bytes, expires_at)
    }
    fn remove(&self, key: &str) -> impl Future<Output = Result<()>> + Send {
        (**self).remove(key)
    }
    fn get_many(&self, keys: &[&str]) -> impl Future<Output = Vec<Result<Option<Bytes>>>> + Send {
        (**self).get_many(keys)
    }
    fn put_many(&self, puts: &[Put<'_>]) -> impl Future<Output = Vec<Result<()>>> + Send {
        (**self).put_many(puts)
    }
    fn remove_many(&self, keys: &[&str]) -> impl Future<Output = Vec<Result<()>>> + Send {
        (**self).remove_many(keys)
    }
    fn get_with_token(&self, key: &str, guard_for: Duration) -> impl Future<Output = Result<Record>> + Send {
        (**self).get_with_token(key, guard_for)
    }
    fn guard(&self, key: &str, guard_for: Duration) -> impl Future<Output = Result<Option<Token>>> + Send {
        (**self).guard(key, guard_for)
    }
    fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> impl Future<Output = Result<PutIf>> + Send {
        (**self).put_if(key, token, bytes, expires_at)
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        (**self).log()
    }
    fn clear(&self, prefix: &str) -> impl Future<Output = Result<Cleared>> + Send {
        (**self).clear(prefix)
    }
    fn sweep(&self, now: Time) {
        (**self).sweep(now);
    }
    fn usage(&self) -> Option<Usage> {
        (**self).usage()
    }
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }
    fn name(&self) -> &'static str {
        (**self).name()
    }
}
