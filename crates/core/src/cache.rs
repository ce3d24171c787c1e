//! The cache: levels, what they share, and what one handle decides.

use crate::bulk;
use crate::call::CallOptions;
use crate::codec::PerLevel;
use crate::coherence::Verdict;
use crate::counters::Counters;
use crate::event::Observers;
use crate::failures::Failures;
use crate::flights::{Flights, Visit};
use crate::holds::{Cx, Holds, Skip};
use crate::inner::Inner;
use crate::level::{IntoLevel, Level};
use crate::pauses::Pauses;
use crate::policy::{Plan, Policy};
use crate::seams::Seams;
use crate::shared_log::Name;
use crate::terms::Terms;
use crate::{Boxed, Coherence, Entry, Lookup, Result, Tick, Time};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A typed cache of values `V` under keys `K`, assembled from stores and codecs by combinators.
///
/// `S` is the store, or the chain of levels; `C` stands for how values get there. Both have defaults, so that a
/// struct field is written `Cache<str, User>`, which is what [`boxed`](Cache::boxed) makes.
///
/// A cache is a handle: cloning it is cheap, and clones share levels, loads and statistics. A combinator takes
/// the cache and returns one, so `users.clone().ttl(secs(5))` is another policy over the same data.
///
/// # Examples
///
/// ```
/// use larder::prelude::*;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // Any store will do; `Memory` of the crate `larder` is the one to begin with.
/// let squares = Cache::new(Memory::new(1_000)).ttl(secs(60));
///
/// let nine = squares.get_or_insert_with(&3, async || 9).await;
/// assert_eq!(nine, 9);
/// assert_eq!(squares.get(&3).await?, Some(9));
/// # larder::Result::Ok(()) }).unwrap();
/// ```
#[must_use = "a cache does nothing until it is asked"]
pub struct Cache<K: ?Sized + Lookup, V, S = Boxed<K, V>, C = PerLevel> {
    pub(crate) inner: Arc<Inner<K, V>>,
    pub(crate) level: Level<S, C>,
    pub(crate) policy: Arc<Policy<K, V>>,
    /// What the calls of this handle ask for beside their keys. Nothing, nearly always.
    pub(crate) call: Option<Arc<CallOptions>>,
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Makes a cache of one store, which keeps values (`Memory`) or bytes (`Redis`, `Object`).
    ///
    /// A store of bytes makes a cache of [`Bytes`](bytes::Bytes); [`codec`](Cache::codec) makes one of any other
    /// value. Does no I/O. A store in an `Arc` may serve several caches.
    ///
    /// # Default
    ///
    /// - entries never expire: [`ttl`](Cache::ttl)
    /// - namespace of a store of bytes: `larder`, see [`namespace`](Cache::namespace)
    /// - time: [`SystemClock`](crate::SystemClock)
    /// - invalidations: of all caches of the process, see [`coherence`](Cache::coherence)
    pub fn new<M>(store: S) -> Self
    where
        S: IntoLevel<K, M, Value = V, Codec = C>,
    {
        Self::assemble(store.into_level(), Policy::of_one_level(), Seams::default())
    }

    /// Makes a cache with loads and statistics of its own.
    pub(crate) fn assemble(level: Level<S, C>, policy: Policy<K, V>, seams: Seams) -> Self {
        let mut levels = Vec::new();
        C::describe(&level, &mut levels);
        let coherence = seams.coherence(C::log(&level));
        let inner = Inner {
            flights: Arc::new(Flights::new(coherence.clone())),
            failures: Failures::new(),
            counters: Counters::new(levels.iter().map(|level| level.store)),
            pauses: Pauses::default(),
            clock: seams.clock,
            coherence,
            group: seams.group,
            sweeper: OnceLock::new(),
        };
        Cache { inner: Arc::new(inner), level, policy: Arc::new(policy), call: None }
    }

    pub(crate) fn cx(&self) -> Cx<'_> {
        Cx {
            clock: &self.inner.clock,
            coherence: &self.inner.coherence,
            tick: self.inner.coherence.tick(),
            address: None,
            tokens: None,
            loads: false,
            depth: C::depth(&self.level),
            counters: &self.inner.counters,
            observers: self.observers(),
            base: 0,
            skip: self.skip(),
            floor: None,
            unread: None,
            keeping: &*self.policy,
            bulk: self.bulk(),
        }
    }

    /// The levels that this call leaves out.
    fn skip(&self) -> Skip {
        let said = self.call.as_ref().map_or_else(Skip::default, |call| call.skip);
        if self.is_reading() { said } else { Skip { reads: u64::MAX, ..said } }
    }

    /// As [`cx`](Self::cx), for what writes what was seen in this visit.
    pub(crate) fn cx_of<'a>(&'a self, visit: &'a Visit<K, V>) -> Cx<'a> {
        Cx { tokens: Some(&visit.tokens), ..self.cx() }
    }

    /// Whether nothing of the entry was invalidated since it began, as far as the bound allows to say; the log is asked if
    /// need be.
    pub(crate) async fn is_confirmed(&self, key: &K, entry: &Entry<V>) -> bool {
        let coherence = &self.inner.coherence;
        let now = self.inner.clock.now();
        if entry.watch().is_none_or(|watch| coherence.is_calm(watch, now)) {
            return true;
        }
        coherence.judge_thoroughly(entry, self.address(key).as_deref(), now).await == Verdict::Sound
    }

    /// The key as other processes know it, where the group is one of several processes.
    pub(crate) fn address(&self, key: &K) -> Option<String> {
        self.inner.coherence.shared().and_then(|_| C::address(&self.level, key))
    }

    /// Whether a level of this cache keeps the log of its group, and so numbers what it removes.
    pub(crate) fn numbers_itself(&self) -> bool {
        let shared = self.inner.coherence.shared();
        shared.is_some_and(|shared| C::log(&self.level).is_some_and(|log| shared.is_of(&log)))
    }

    /// Tells other processes of a key, where no level does.
    pub(crate) async fn number_key(&self, key: &K, name: impl FnOnce(&str) -> Name) -> Result<()> {
        let address = self.address(key).filter(|_| !self.numbers_itself());
        match address {
            Some(address) => self.number(name(&address)).await,
            None => Ok(()),
        }
    }

    /// Invalidates a name, with those of the other keys of a bulk operation.
    async fn number(&self, name: Name) -> Result<()> {
        let (coherence, clock) = (&self.inner.coherence, &self.inner.clock);
        let Some(bulk) = self.bulk() else { return coherence.invalidate(vec![name], clock.now()).await };
        let all = || {
            let (coherence, clock) = (coherence.clone(), Arc::clone(clock));
            move |names: Vec<Name>| {
                let (coherence, now, many) = (coherence.clone(), clock.now(), names.len());
                async move { vec![coherence.invalidate(names, now).await; many] }
            }
        };
        bulk.names.ask(bulk, name, all).await.unwrap_or_else(|| Err(bulk::cut_off()))
    }

    /// Has the clock free what expires, from the first entry on that does.
    pub(crate) fn keep_house(&self, plan: &Plan) {
        use crate::holds::Step;
        let expires = |step: &Step| matches!(step, Step::Write(stamp) if stamp.expires());
        if self.inner.sweeper.get().is_none() && plan.iter().any(expires) {
            self.inner.sweeper.get_or_init(|| {
                let sweeper: Arc<dyn Tick> = Arc::new(Sweeper::<K, V, S, C>::new(self.level.clone()));
                self.inner.clock.on_tick(Arc::downgrade(&sweeper));
                sweeper
            });
        }
    }
}

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// What the calls of this handle say about their entries.
    pub(crate) fn terms(&self) -> Terms {
        self.call.as_ref().map_or_else(Terms::default, |call| call.terms.clone())
    }

    /// What another cache that is made of this one is told.
    pub(crate) fn seams(&self) -> Seams {
        Seams { clock: Arc::clone(&self.inner.clock), group: self.inner.group.clone() }
    }

    /// Returns the group whose invalidations reach this cache: [`coherence`](Self::coherence) chooses it.
    pub fn group(&self) -> &Coherence {
        &self.inner.coherence
    }

    /// The same cache, for calls that ask for this.
    pub(crate) fn calling(self, call: Option<Arc<CallOptions>>) -> Self {
        Cache { call, ..self }
    }

    /// The moment before which a load must not have begun to be of use to a call of this handle.
    pub(crate) fn floor(&self, has_loader: bool) -> Option<Time> {
        self.call.as_ref()?.floor(&*self.inner.clock, has_loader)
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.policy.observers
    }

    /// The same cache with a policy that differs.
    pub(crate) fn decide(self, change: impl FnOnce(&mut Policy<K, V>)) -> Self {
        let mut policy = Policy::clone(&self.policy);
        change(&mut policy);
        Cache { policy: Arc::new(policy), ..self }
    }
}

/// Frees the dead entries of some levels. Owned by the cache, known to the clock.
struct Sweeper<K: ?Sized, V, S, C> {
    level: Level<S, C>,
    // Only to choose the impl.
    of: std::marker::PhantomData<fn(&K) -> V>,
}

impl<K: ?Sized, V, S, C> Sweeper<K, V, S, C> {
    fn new(level: Level<S, C>) -> Self {
        Sweeper { level, of: std::marker::PhantomData }
    }
}

impl<K, V, S, C> Tick for Sweeper<K, V, S, C>
where
    K: ?Sized + 'static,
    V: 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    fn tick(&self, now: Time) {
        C::sweep(&self.level, now);
    }
}

impl<K: ?Sized + Lookup, V, S, C> Clone for Cache<K, V, S, C> {
    /// Returns another handle of the same cache.
    fn clone(&self) -> Self {
        Cache {
            inner: Arc::clone(&self.inner),
            level: self.level.clone(),
            policy: Arc::clone(&self.policy),
            call: self.call.clone(),
        }
    }
}

impl<K, V, S, C> fmt::Debug for Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    C: Holds<S, K, V>,
{
    /// Prints the composition as a tree, without keys or values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut levels = Vec::new();
        C::describe(&self.level, &mut levels);
        write!(f, "Cache {}", self.policy.name.as_deref().unwrap_or("(unnamed)"))?;
        match (self.is_reading(), self.is_writing()) {
            (true, true) => {}
            (false, true) => write!(f, ", reads paused")?,
            (true, false) => write!(f, ", writes paused")?,
            (false, false) => write!(f, ", reads and writes paused")?,
        }
        for (number, level) in levels.iter().enumerate() {
            write!(
                f,
                "\n{} L{} {}",
                if number + 1 < levels.len() { "├" } else { "└" },
                number + 1,
                level.store
            )?;
            if let (Some(codec), Some(namespace)) = (&level.codec, &level.namespace) {
                write!(f, ", {codec}, namespace {namespace}")?;
            }
            if level.pending.is_some() {
                write!(f, ", written behind")?;
            }
        }
        Ok(())
    }
}
