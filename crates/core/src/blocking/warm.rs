//! Loading many keys before they are asked for, for synchronous code.
//!
//! ```text
//! calling thread ── the next key, while there is room ──► threads, each of which loads a key at a time
//!       ▲                                                   │
//!       └── progress, report ◄── what became of the key ────┘
//! ```

use super::{Blocking, BlockingLoading};
use crate::block_on::in_place;
use crate::holds::Holds;
use crate::operation::{CONCURRENCY, Tally, at_least_one};
use crate::{CallOptions, Lookup, WarmProgress, WarmReport, Warmed, load};
use parking_lot::Mutex;
use std::borrow::Borrow;
use std::fmt;
use std::future::IntoFuture;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::channel;
use std::thread;
use tokio::runtime::Handle;

type Tell<'a> = Box<dyn FnMut(WarmProgress) + Send + 'a>;

/// Loads that are to be done: what [`Blocking::warm`] and [`BlockingLoading::warm`] make.
#[must_use = "nothing is loaded before `run`"]
pub struct BlockingWarm<'a, K, E> {
    concurrency: usize,
    tell: Option<Tell<'a>>,
    run: Box<dyn FnOnce(usize, Option<Tell<'a>>) -> WarmReport<K, E> + 'a>,
}

impl<K, V, S, C> Blocking<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads with `load` those of the `keys` that no level has fresh, before traffic comes; it begins with
    /// [`run`](BlockingWarm::run).
    ///
    /// Each is loaded as by [`Cache::warm`](crate::Cache::warm), by a closure that may borrow: one after the other, on the
    /// calling thread. A [`concurrency`](BlockingWarm::concurrency) of more than 1 is as many threads, which end with it,
    /// for loads that mostly wait. The keys are taken, and progress is told, on the calling thread in either case.
    ///
    /// # Default
    ///
    /// - [`concurrency`](BlockingWarm::concurrency): 1 key
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    ///
    /// let ages = Cache::new(Memory::<str, u32>::new(1_000)).blocking();
    /// let parse = |name: String| name.parse::<u32>();
    ///
    /// let report = ages.warm(["36", "12", "old"], parse).concurrency(2).on_progress(|at| println!("{at}")).run();
    /// assert_eq!((report.loaded(), report.failed()), (2, 1));
    /// assert_eq!(ages.get("36")?, Some(36));
    /// # larder::Result::Ok(())
    /// ```
    pub fn warm<'a, I, E>(
        &self,
        keys: I,
        load: impl Fn(K::Owned) -> Result<V, E> + Sync + 'a,
    ) -> BlockingWarm<'a, K::Owned, E>
    where
        I: IntoIterator<Item: Into<K::Owned> + 'a, IntoIter: 'a>,
        E: Send + Sync + 'static,
    {
        let mut keys = keys.into_iter().map(Into::into);
        let mut blocking = self.with(CallOptions::thorough);
        let run = move |threads, mut tell: Option<Tell<'a>>| {
            // The threads are where their caller is.
            blocking.runtime = Handle::try_current().ok().or(blocking.runtime);
            let total = keys.size_hint();
            let mut tally = Tally::new((total.1 == Some(total.0)).then_some(total.0));
            let done = |number, key, how| {
                let progress = tally.add(number, key, how);
                if let Some(tell) = &mut tell {
                    tell(progress);
                }
            };
            let warm = |key| blocking.warm_one(key, &load);
            if threads == 1 {
                here(&mut keys, warm, done);
            } else {
                on_threads(threads, &mut keys, warm, done);
            }
            tally.report()
        };
        BlockingWarm { concurrency: 1, tell: None, run: Box::new(run) }
    }

    fn warm_one<E: Send + Sync + 'static>(
        &self,
        key: K::Owned,
        load: &(impl Fn(K::Owned) -> Result<V, E> + Sync),
    ) -> (K::Owned, Warmed<E>) {
        let mut was_loaded = false;
        let got = self.get_or_load_with(key.borrow(), |cx| {
            let loaded = load(cx.key().to_owned());
            was_loaded = true;
            loaded
        });
        let how = match got {
            Err(error) => Warmed::Failed(error),
            Ok(_) if was_loaded => Warmed::Loaded,
            Ok(_) => Warmed::Present,
        };
        (key, how)
    }
}

impl<K, V, E, S, C> BlockingLoading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads those of the `keys` that no level has fresh, with this cache's loader:
    /// [`Loading::warm`](crate::Loading::warm). It begins with [`run`](BlockingWarm::run).
    ///
    /// All loads are driven by the calling thread, a few at a time, without other threads.
    ///
    /// # Default
    ///
    /// - [`concurrency`](BlockingWarm::concurrency): 16 keys
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{LoadContext, prelude::*};
    ///
    /// let numbers = Cache::new(Memory::<str, u32>::new(1_000))
    ///     .loader(async |cx: LoadContext<str, u32>| cx.key().parse::<u32>())
    ///     .blocking();
    /// assert_eq!(numbers.warm(["36", "12"]).run().loaded(), 2);
    /// assert_eq!(numbers.get_now("36"), Some(36));
    /// ```
    pub fn warm<'a, I>(&self, keys: I) -> BlockingWarm<'a, K::Owned, E>
    where
        I: IntoIterator<Item: Into<K::Owned> + 'a, IntoIter: Send + 'a>,
    {
        let (blocking, warm) = (self.blocking.clone(), self.loading.warm(keys));
        let run = move |concurrency, tell: Option<Tell<'a>>| {
            let warm = warm.concurrency(concurrency);
            let warm = match tell {
                Some(tell) => warm.on_progress(tell),
                None => warm,
            };
            blocking.wait(warm.into_future())
        };
        BlockingWarm { concurrency: CONCURRENCY, tell: None, run: Box::new(run) }
    }
}

impl<'a, K, E> BlockingWarm<'a, K, E> {
    /// Sets how many keys are seen to at a time.
    ///
    /// # Panics
    ///
    /// If `keys` is 0.
    #[track_caller]
    pub fn concurrency(mut self, keys: usize) -> Self {
        self.concurrency = at_least_one(keys);
        self
    }

    /// Has `tell` told after each key, on the calling thread. It replaces the one before.
    ///
    /// # Panics
    ///
    /// If `tell` panics, so does [`run`](Self::run), as soon as the loads that have begun have ended.
    pub fn on_progress(mut self, tell: impl FnMut(WarmProgress) + Send + 'a) -> Self {
        self.tell = Some(Box::new(tell));
        self
    }

    /// Loads, and returns what became of each key.
    ///
    /// # Panics
    ///
    /// Where it must not wait: [`Cache::blocking`](crate::Cache::blocking). To wait for other threads is to wait, so with
    /// those it panics in any task of a current-thread runtime, before anything has begun. And if the system has no thread
    /// left.
    #[track_caller]
    pub fn run(self) -> WarmReport<K, E> {
        (self.run)(self.concurrency, self.tell)
    }
}

impl<K, E> fmt::Debug for BlockingWarm<'_, K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingWarm").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

fn here<K, E>(
    keys: impl Iterator<Item = K>,
    warm: impl Fn(K) -> (K, Warmed<E>),
    mut done: impl FnMut(usize, K, Warmed<E>),
) {
    for (number, key) in keys.enumerate() {
        let (key, how) = warm(key);
        done(number, key, how);
    }
}

fn on_threads<K: Send, E: Send + Sync>(
    threads: usize,
    keys: impl Iterator<Item = K>,
    warm: impl Fn(K) -> (K, Warmed<E>) + Sync,
    mut done: impl FnMut(usize, K, Warmed<E>),
) {
    let (hand_out, handed_out) = channel();
    // Held by the one that waits for the next key.
    let handed_out = Mutex::new(handed_out);
    let (tell, told) = channel();
    let current = load::current();
    let work = || {
        let next = || handed_out.lock().recv().ok();
        while let Some((number, key)) = next() {
            let warmed = catch_unwind(AssertUnwindSafe(|| warm(key)));
            // Nobody listens if the caller has panicked.
            let _ = tell.send((number, warmed));
        }
    };
    let work = || current.clone().run(work);
    in_place(|| {
        thread::scope(|scope| {
            // Dropped before the scope waits for its threads, by a panic too; then they end.
            let hand_out = hand_out;
            let (mut keys, mut begun, mut under_way) = (keys.enumerate(), 0, 0);
            loop {
                while under_way < threads
                    && let Some(key) = keys.next()
                {
                    if begun < threads {
                        scope.spawn(work);
                        begun += 1;
                    }
                    under_way += 1;
                    // The other end lives as long as this.
                    let _ = hand_out.send(key);
                }
                if under_way == 0 {
                    return;
                }
                let Ok((number, warmed)) = told.recv() else { return };
                under_way -= 1;
                let (key, how) = warmed.unwrap_or_else(|panic| resume_unwind(panic));
                done(number, key, how);
            }
        });
    });
}
