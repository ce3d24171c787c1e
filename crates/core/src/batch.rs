//! Loads of single keys, gathered into calls for many: what is behind [`batch_loader`](crate::Cache::batch_loader).
//!
//! ```text
//! get(1) ── miss ── flight ── opens a batch ─┐ waits for the window, or until it is full,   ┌── 1: a value
//! get(2) ── miss ── flight ── joins it ──────┼ and until few enough calls are under way ────┼── 2: absent
//! get(1) ── joins the flight of 1            └──── one call of the loader: [1, 2] ──────────┴── answers
//! ```
//!
//! The idea is that of `DataLoader`, of Lee Byron and others at Facebook. What differs: each key is in a flight of its own, so that
//! whatever becomes of a caller, or of a key, touches no other; and a batch that has to wait for earlier calls goes on
//! filling.

use crate::coherence::Coherence;
use crate::crowd::BoxFuture;
use crate::edits::Edits;
use crate::flight::{Flight, next_id};
use crate::fly::Loaded;
use crate::in_time::in_time;
use crate::inner::Inner;
use crate::joint_load::{Failed, load_jointly};
use crate::spawn::{runtime_to_wait_for, unless_all_left};
use crate::sync::Mutex;
use crate::{Clock, LoadContext, Lookup, cycle};
use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, oneshot};

type Owned<K> = <K as ToOwned>::Owned;

/// The user's loader.
pub(crate) type BatchFn<K, T, E> =
    dyn Fn(Vec<Owned<K>>) -> BoxFuture<'static, Result<HashMap<Owned<K>, T>, E>> + Send + Sync;

/// Stores what a call answered beyond what it was asked, and what it said of its result.
pub(crate) type Keep<K, T> = Box<dyn FnOnce(HashMap<Owned<K>, T>, Edits) -> BoxFuture<'static, ()> + Send>;

/// Called when a call begins: what is changed from then on is newer than its answers.
pub(crate) type Keeper<K, T> = dyn Fn() -> Keep<K, T> + Send + Sync;

/// What is said of batches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How long the first key of a batch waits for others.
    pub(crate) window: Duration,
    /// How many keys go into one call.
    pub(crate) max_batch: usize,
    /// How many calls may be under way.
    pub(crate) concurrency: usize,
    /// Whether answers are stored that nobody asked for.
    pub(crate) keeps_extra: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { window: Duration::from_millis(1), max_batch: 100, concurrency: 16, keeps_extra: false }
    }
}

/// See the module.
pub(crate) struct Batcher<K: ?Sized + Lookup, T, E> {
    load: Arc<BatchFn<K, T, E>>,
    rules: Rules,
    pub(crate) keeper: Option<Arc<Keeper<K, T>>>,
    /// Whether the cache remembers what is absent.
    pub(crate) remembers_absence: bool,
    clock: Arc<dyn Clock>,
    coherence: Coherence,
    /// The batch that takes keys. Held to add one, or to close it.
    open: Mutex<Option<Arc<Batch<K, T>>>>,
    calls: Semaphore,
    /// The numbers of the calls that are under way. Held to add one, to take one out, or to copy them.
    under_way: Mutex<Vec<u64>>,
}

/// How often a batch that waits for its turn looks whether somebody waits for it who has one.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Keys that go into one call, those who wait for them, and whether there is room for more.
struct Batch<K: ?Sized + Lookup, T> {
    asked: Mutex<Vec<(Arc<Flight<K, Option<T>>>, oneshot::Sender<Answer<T>>)>>,
    full: Notify,
}

/// What a call says of one key: `None` if it left it out.
type Answer<T> = Result<Option<T>, Failed>;

impl<K, T, E> Batcher<K, T, E>
where
    K: ?Sized + Lookup,
    T: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    pub(crate) fn new<V: Clone + Send + Sync + 'static>(
        load: Arc<BatchFn<K, T, E>>,
        rules: Rules,
        cache: &Inner<K, V>,
    ) -> Self {
        Batcher {
            load,
            rules,
            keeper: None,
            remembers_absence: false,
            clock: Arc::clone(&cache.clock),
            coherence: cache.coherence.clone(),
            open: Mutex::default(),
            under_way: Mutex::default(),
            calls: Semaphore::new(rules.concurrency.min(Semaphore::MAX_PERMITS)),
        }
    }

    /// Loads one key, together with others.
    pub(crate) async fn load(self: Arc<Self>, cx: LoadContext<K, Option<T>>) -> Loaded<Option<T>> {
        let flight = cx.into_flight();
        // More than once only if whoever was to make the call is gone: its runtime has ended, or its caller has left and
        // there was no runtime.
        for _ in 0..10 {
            let (answer, answered) = oneshot::channel();
            if let Some(batch) = self.add(&flight, answer) {
                let made = Making { batcher: Arc::clone(&self), batch }.make();
                match runtime_to_wait_for() {
                    Some(runtime) => drop(runtime.spawn(made)),
                    None => Box::pin(made).await,
                }
            }
            match answered.await {
                Ok(Ok(Some(value))) => return Ok(Some(value)),
                Ok(Ok(None)) => {
                    self.is_absent(&flight);
                    return Ok(None);
                }
                Ok(Err(Failed::Error(error))) => return Err(error),
                // The hook has told of it once.
                Ok(Err(Failed::Panicked(message))) => resume_unwind(Box::new(message.to_string())),
                Err(_) => {}
            }
        }
        resume_unwind(Box::new("the load of many keys was cut off, again and again"))
    }

    /// Has the cache store nothing, and drop what it had.
    fn is_absent(&self, flight: &Flight<K, Option<T>>) {
        if self.remembers_absence {
            return;
        }
        if flight.may_replace() {
            flight.edits.lock().terms.ttl = Some(Duration::ZERO);
        } else {
            // Which spares the levels a removal.
            flight.edits.lock().no_store = true;
        }
    }

    /// Adds a key to the batch that is open. Returns the batch if it was opened for this key, which has to be made a call.
    fn add(
        &self,
        flight: &Arc<Flight<K, Option<T>>>,
        answer: oneshot::Sender<Answer<T>>,
    ) -> Option<Arc<Batch<K, T>>> {
        let mut open = self.open.lock();
        let is_new = open.is_none();
        let batch = Arc::clone(
            open.get_or_insert_with(|| Arc::new(Batch { asked: Mutex::default(), full: Notify::new() })),
        );
        let many = {
            let mut asked = batch.asked.lock();
            asked.push((Arc::clone(flight), answer));
            asked.len()
        };
        if many >= self.rules.max_batch {
            *open = None;
            batch.full.notify_one();
        }
        is_new.then_some(batch)
    }

    async fn call(
        &self,
        keys: Vec<Owned<K>>,
        flights: &[Arc<Flight<K, Option<T>>>],
    ) -> Option<Vec<Answer<T>>> {
        let keep = self.keeper.as_ref().map(|keeper| keeper());
        let load = {
            let load = Arc::clone(&self.load);
            async move |keys| load(keys).await
        };
        let under_way = UnderWay::begin(&self.under_way);
        let joint = load_jointly(under_way.id, load, keys, flights, &self.coherence).await?;
        drop(under_way);
        let mut values = match joint.loaded {
            Ok(values) => values,
            Err(failed) => return Some(flights.iter().map(|_| Err(failed.clone())).collect()),
        };
        let answers = flights.iter().map(|flight| Ok(values.get::<Owned<K>>(&flight.key).cloned())).collect();
        for flight in flights {
            values.remove::<Owned<K>>(&flight.key);
        }
        if let Some(keep) = keep.filter(|_| !values.is_empty()) {
            // In a task of its own, where there is one: who asked does not wait for it.
            let kept = keep(values, joint.said);
            match runtime_to_wait_for() {
                Some(runtime) => drop(runtime.spawn(kept)),
                None => kept.await,
            }
        }
        Some(answers)
    }
}

/// Somebody is to make the call of a batch; until dropped, however that comes.
struct Making<K: ?Sized + Lookup, T, E> {
    batcher: Arc<Batcher<K, T, E>>,
    batch: Arc<Batch<K, T>>,
}

impl<K, T, E> Making<K, T, E>
where
    K: ?Sized + Lookup,
    T: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Waits until few enough calls are under way. If one of those asks for a key of this batch, they would wait for each
    /// other: then the batch does not wait, and has no turn.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let mut turn = pin!(self.batcher.calls.acquire());
        loop {
            if let Some(turn) = in_time(&*self.batcher.clock, LOOK_AGAIN, turn.as_mut()).await {
                return turn.ok();
            }
            let keys: HashSet<u64> = self.batch.asked.lock().iter().map(|(flight, _)| flight.id).collect();
            let under_way = self.batcher.under_way.lock().clone();
            if cycle::is_waited_for(under_way, &keys) {
                return None;
            }
        }
    }

    /// Makes the call, when it is time.
    async fn make(self) {
        let batcher = &self.batcher;
        if batcher.rules.window.is_zero() {
            // Those who are ready to ask have their turn.
            tokio::task::yield_now().await;
        } else {
            in_time(&*batcher.clock, batcher.rules.window, pin!(self.batch.full.notified())).await;
        }
        let _turn = self.turn().await;
        let asked = self.close();
        // Whose load was cut off wants no answer any more.
        let (flights, mut askers): (Vec<_>, Vec<_>) =
            asked.into_iter().filter(|(_, asker)| !asker.is_closed()).unzip();
        if flights.is_empty() {
            return;
        }
        // Twice, where a key was removed and asked for again meanwhile.
        let distinct: HashSet<&Owned<K>> = flights.iter().map(|flight| &flight.key).collect();
        let keys = if distinct.len() == flights.len() {
            flights.iter().map(|flight| flight.key.clone()).collect()
        } else {
            distinct.into_iter().cloned().collect()
        };
        let call = batcher.call(keys, &flights);
        let Some(Some(answers)) = unless_all_left(pin!(call), &mut askers).await else { return };
        // Nobody listens where one has left.
        askers.into_iter().zip(answers).for_each(|(asker, answer)| drop(asker.send(answer)));
    }
}

impl<K: ?Sized + Lookup, T, E> Making<K, T, E> {
    /// Takes what was asked. Whoever asks from now on opens another batch.
    fn close(&self) -> Vec<(Arc<Flight<K, Option<T>>>, oneshot::Sender<Answer<T>>)> {
        let mut open = self.batcher.open.lock();
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, &self.batch)) {
            *open = None;
        }
        drop(open);
        std::mem::take(&mut *self.batch.asked.lock())
    }
}

impl<K: ?Sized + Lookup, T, E> Drop for Making<K, T, E> {
    fn drop(&mut self) {
        // Those who asked learn that there is nobody to do it, and ask again.
        drop(self.close());
    }
}

/// A call that is under way; until dropped, however that comes.
struct UnderWay<'a> {
    id: u64,
    all: &'a Mutex<Vec<u64>>,
}

impl<'a> UnderWay<'a> {
    fn begin(all: &'a Mutex<Vec<u64>>) -> Self {
        let id = next_id();
        all.lock().push(id);
        UnderWay { id, all }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.all.lock().retain(|id| *id != self.id);
    }
}
