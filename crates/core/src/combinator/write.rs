//! `.write(strategy)`: how values get into one level.
//!
//! ```text
//!            insert                       load, promotion
//! Through    the caller waits for it      the load waits for it, and then its callers are answered
//! Around     what is there is removed     as Through
//! Behind     queued, the caller goes on   queued; the task of `behind.rs` writes
//! ```
//!
//! `remove` and `clear` wait for the level whatever the strategy; that is what makes them final. A read asks the queue
//! before the store, which costs a lock and a look-up where there is one. A level that is written in another way is
//! another level, so the combinator makes a new cache: one that wrote past the queue of another handle would be
//! overtaken by what waits there.

use crate::behind::Queue;
use crate::codec::Format;
use crate::holds::Holds;
use crate::policy::Policy;
use crate::{Behind, ByteStore, Cache, Level, Lookup, OneLevel};

/// Writes go to the store before the call returns; see [`Cache::write`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Through;

/// Inserts go past the store, and what is there is removed; see [`Cache::write`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Around;

/// How values get into a level of the store `S` with the codec `C`: [`Through`], [`Around`] or [`Behind`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "a level of `{S}` cannot be written by `{Self}`",
    note = "`Behind` queues bytes: it is for a store of bytes with a codec, and memory is faster than any queue in front of it",
    note = "`Through` and `Around` are for every level"
)]
pub trait WriteStrategy<S, C> {
    /// Whether an insert removes what is there, and does not write.
    #[doc(hidden)]
    fn is_around(&self) -> bool {
        false
    }

    /// The queue in front of the store.
    #[doc(hidden)]
    fn queue(self, level: &Level<S, C>) -> Option<Queue>;
}

impl<S, C> WriteStrategy<S, C> for Through {
    fn queue(self, _: &Level<S, C>) -> Option<Queue> {
        None
    }
}

impl<S, C> WriteStrategy<S, C> for Around {
    fn is_around(&self) -> bool {
        true
    }

    fn queue(self, _: &Level<S, C>) -> Option<Queue> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<S: ByteStore, C: Format> WriteStrategy<S, C> for Behind {
    fn queue(self, level: &Level<S, C>) -> Option<Queue> {
        Some(Queue::new(&level.store, self))
    }
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Decides how values get into this level.
    ///
    /// - [`Through`]: whoever writes waits for the store.
    /// - [`Around`]: an insert removes what the level has, and does not write; loads and promotions fill it. For values
    ///   that are written more often than read.
    /// - [`Behind`]: writes go into a queue, and the caller goes on; a task in the background writes them. For stores
    ///   that are slow, or paid by the write. Only for a store of bytes.
    ///
    /// The result is a new cache, with loads and statistics of its own.
    ///
    /// With `Behind` the newest value of a key is the one that is written, and the one that is read, from the moment
    /// the insert returns. [`remove`](Self::remove) and [`clear`](Self::clear) drop what is queued, wait for what is
    /// being written, at most for the level's time-out, and are final when they return. A write that fails is tried
    /// again, with growing delays; after the last try it is given up, and what the store may have of the key is
    /// removed as far as that succeeds. It is counted then ([`given_up`](crate::LevelStats::given_up)), told to
    /// observers ([`WriteGivenUp`](crate::Event::WriteGivenUp)) and an error of the next [`flush`](Self::flush). A
    /// value whose life ends while it is queued is not written: what the store has in its place is removed.
    ///
    /// Call [`shutdown`](Self::shutdown) before the process ends. When the last handle is dropped instead, the queue
    /// is written without anybody waiting for it, if the runtime goes on for long enough. Other processes see a value
    /// once it is written; what is queued is lost if the process is killed. Outside of a runtime writes go through.
    ///
    /// # Default
    ///
    /// [`Through`]. The options of `Behind` have defaults of their own.
    ///
    /// # Ordering
    ///
    /// It is said on the level, before [`chain`](Self::chain):
    ///
    /// ```
    /// use larder::prelude::*;
    /// use larder::Behind;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .chain(Cache::new(Object::in_memory()).codec(Json).write(Behind::default().every(secs(5))));
    ///
    /// ages.insert("ada", 36).await?; // in memory, and queued
    /// assert_eq!(ages.stats().levels[1].pending, Some(1));
    /// ages.shutdown().await?; // written
    /// assert_eq!(ages.stats().levels[1].pending, Some(0));
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub fn write<W>(self, strategy: W) -> Self
    where
        C: OneLevel,
        W: WriteStrategy<S, C>,
    {
        let mut policy = Policy::clone(&self.policy);
        policy.levels[0].around = strategy.is_around();
        let behind = strategy.queue(&self.level);
        let seams = self.seams();
        let level: Level<S, C> = self.level.with_queue(behind);
        Cache::assemble(level, policy, seams)
    }
}
