//! What the models play in: a clock that stands still, stores that take their time, and a row in a database.

use larder_models::{
    Cache, Capabilities, Cleared, Clock, Coherence, Entry, LoadError, Result, Sleep, Store, Tick, Time,
};
use shuttle::future::{JoinHandle, spawn};
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;

pub(crate) const KEY: u64 = 7;
/// Entries are fresh that long, and stale that long again.
pub(crate) const TTL: Duration = Duration::from_secs(10);

/// Whether to do one thing or another, in this order of events.
pub(crate) fn maybe() -> bool {
    thread_rng().r#gen()
}

/// Lets others go on. Not shuttle's `yield_now`, which asks to be held up, so that all are.
async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A cache, its levels and its source.
pub(crate) struct World {
    pub(crate) cache: Cache<u64, u64>,
    pub(crate) source: Source,
    levels: Vec<Held>,
    clock: Still,
    ended: oneshot::Receiver<()>,
}

impl World {
    /// Memory.
    pub(crate) fn near() -> Self {
        Self::of(&[Place::Near])
    }

    /// Memory in front of a store that is far away.
    pub(crate) fn near_and_far() -> Self {
        Self::of(&[Place::Near, Place::Far])
    }

    /// Two stores that are far away.
    pub(crate) fn far_and_farther() -> Self {
        Self::of(&[Place::Far, Place::Far])
    }

    /// Any that there is.
    pub(crate) fn any() -> Self {
        match thread_rng().gen_range(0..4) {
            0 => Self::near(),
            1 => Self::of(&[Place::Far]),
            2 => Self::near_and_far(),
            _ => Self::far_and_farther(),
        }
    }

    fn of(places: &[Place]) -> Self {
        let (in_use, ended) = oneshot::channel();
        let in_use = Arc::new(in_use);
        let levels: Vec<Held> = places.iter().map(|_| Held::default()).collect();
        let store = |level: usize| Shelf {
            held: Arc::clone(&levels[level]),
            place: places[level],
            _in_use: Arc::clone(&in_use),
        };
        let clock = Still::default();
        let front = Cache::new(store(0)).ttl(TTL).stale(TTL);
        let cache = if places.len() == 2 {
            front.chain(Cache::new(store(1)).ttl(TTL).stale(TTL)).clock(clock.clone()).boxed()
        } else {
            front.clock(clock.clone()).boxed()
        };
        World { cache, source: Source::new(), levels, clock, ended }
    }

    /// A caller that loads: in a task of its own, inside of itself, or where there is no runtime.
    pub(crate) fn call(&self, load: Load) -> JoinHandle<std::result::Result<u64, LoadError<Broken>>> {
        let (cache, way) = (self.cache.clone(), thread_rng().gen_range(0..5));
        spawn(async move {
            if way == 0 {
                leave_runtime();
            }
            if way < 3 {
                cache.get_or_load(&KEY, load).await
            } else {
                cache.get_or_load_scoped(&KEY, load).await
            }
        })
    }

    /// A caller that loads inside of itself.
    pub(crate) fn call_scoped(&self, load: Load) -> JoinHandle<std::result::Result<u64, LoadError<Broken>>> {
        let cache = self.cache.clone();
        spawn(async move { cache.get_or_load_scoped(&KEY, load).await })
    }

    /// A caller that reads.
    pub(crate) fn read(&self) -> JoinHandle<Result<Option<u64>>> {
        let cache = self.cache.clone();
        spawn(async move { cache.get(&KEY).await })
    }

    /// A caller that inserts.
    pub(crate) fn insert(&self, value: u64) -> JoinHandle<Result<()>> {
        let cache = self.cache.clone();
        spawn(async move { cache.insert(&KEY, value).await })
    }

    /// Puts what the source has into all levels.
    pub(crate) async fn fill(&self) {
        self.cache.insert(&KEY, self.source.now()).await.unwrap();
    }

    /// Lets what is held grow stale.
    pub(crate) fn grow_stale(&self) {
        self.clock.0.fetch_add(u64::try_from(TTL.as_nanos()).unwrap(), SeqCst);
    }

    /// Has the first level forget, as one that is full does.
    pub(crate) fn evict(&self) {
        self.levels[0].lock().unwrap().clear();
    }

    /// Waits until nobody works for the cache any more, and returns what the levels hold.
    pub(crate) async fn at_rest(self) -> Vec<Option<u64>> {
        drop(self.cache);
        let _ = self.ended.await;
        self.levels.iter().map(|held| held.lock().unwrap().get(&KEY).map(|entry| *entry.value())).collect()
    }

    /// Asserts that no level holds what is older than `version`, once nobody works any more.
    pub(crate) async fn holds_nothing_before(self, version: u64) {
        let held = self.at_rest().await;
        assert!(held.iter().flatten().all(|held| *held >= version), "{held:?} are older than {version}");
    }
}

/// Has the present task run as if there were no runtime, which the core knows by this name.
fn leave_runtime() {
    shuttle::current::set_name_for_task(shuttle::current::me(), "outside of the runtime");
}

/// A row in a database that changes. Its values are its versions.
#[derive(Clone)]
pub(crate) struct Source {
    row: Arc<Row>,
    reads: Arc<AtomicUsize>,
}

struct Row {
    version: AtomicU64,
    readers: AtomicUsize,
    most_readers: AtomicUsize,
}

/// What went wrong in a load: the version that it saw.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) u64);

/// What is given to the cache for a loader.
pub(crate) type Load = Box<dyn FnOnce() -> Loading + Send>;
type Loading = Pin<Box<dyn Future<Output = std::result::Result<u64, Broken>> + Send>>;

impl Source {
    fn new() -> Self {
        let row = Row {
            version: AtomicU64::new(1),
            readers: AtomicUsize::new(0),
            most_readers: AtomicUsize::new(0),
        };
        Source { row: Arc::new(row), reads: Arc::default() }
    }

    /// The same row, whose reads from here are counted for themselves.
    pub(crate) fn counted_apart(&self) -> Self {
        Source { row: Arc::clone(&self.row), reads: Arc::default() }
    }

    pub(crate) fn now(&self) -> u64 {
        self.row.version.load(SeqCst)
    }

    /// Changes the row, and returns the version that it has from now on.
    pub(crate) fn change(&self) -> u64 {
        self.row.version.fetch_add(1, SeqCst) + 1
    }

    /// How often it was read.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(SeqCst)
    }

    /// How many read it at the same time, at most.
    pub(crate) fn most_readers(&self) -> usize {
        self.row.most_readers.load(SeqCst)
    }

    /// A load, whose answer takes a while.
    pub(crate) fn load(&self) -> Load {
        self.load_then(Ok)
    }

    /// A load that ends as `then` says.
    pub(crate) fn load_then(
        &self,
        then: impl FnOnce(u64) -> std::result::Result<u64, Broken> + Send + 'static,
    ) -> Load {
        let source = self.clone();
        Box::new(move || {
            Box::pin(async move {
                let reader = Reader::begin(&source);
                let version = source.now();
                pause().await;
                // Others may go on here; that must not be in the middle of a panic.
                drop(reader);
                then(version)
            })
        })
    }
}

/// Counts who reads, also those who are cut off.
struct Reader<'a>(&'a Row);

impl<'a> Reader<'a> {
    fn begin(source: &'a Source) -> Self {
        source.reads.fetch_add(1, SeqCst);
        let row = &*source.row;
        row.most_readers.fetch_max(row.readers.fetch_add(1, SeqCst) + 1, SeqCst);
        Reader(row)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, SeqCst);
    }
}

type Held = Arc<Mutex<BTreeMap<u64, Entry<u64>>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Memory: it answers at once.
    Near,
    /// Questions and answers are on their way for a while.
    Far,
}

/// A store.
#[derive(Clone)]
struct Shelf {
    held: Held,
    place: Place,
    /// Dropped by the last who works for the cache.
    _in_use: Arc<oneshot::Sender<()>>,
}

impl Shelf {
    /// What is asked for is on its way, and arrives also if who asked has left.
    async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut BTreeMap<u64, Entry<u64>>) -> T + Send + 'static,
    ) -> Result<T> {
        if self.place == Place::Near {
            return Ok(what(&mut self.held.lock().unwrap()));
        }
        let shelf = self.clone();
        let answer = spawn(async move {
            pause().await;
            what(&mut shelf.held.lock().unwrap())
        });
        Ok(answer.await.unwrap())
    }
}

impl Store<u64> for Shelf {
    type Value = u64;

    async fn get(&self, key: &u64) -> Result<Option<Entry<u64>>> {
        let key = *key;
        self.ask(move |held| held.get(&key).cloned()).await
    }

    async fn insert(&self, key: &u64, entry: Entry<u64>) -> Result<()> {
        let key = *key;
        self.ask(move |held| drop(held.insert(key, entry))).await
    }

    async fn remove(&self, key: &u64) -> Result<()> {
        let key = *key;
        self.ask(move |held| drop(held.remove(&key))).await
    }

    async fn clear(&self) -> Result<Cleared> {
        self.ask(BTreeMap::clear).await?;
        Ok(Cleared::Done)
    }

    fn get_now(&self, key: &u64) -> Poll<Option<Entry<u64>>> {
        match self.place {
            Place::Near => Poll::Ready(self.held.lock().unwrap().get(key).cloned()),
            Place::Far => Poll::Pending,
        }
    }

    fn capabilities(&self) -> Capabilities {
        match self.place {
            Place::Near => Capabilities::NONE.clear().immediate(),
            Place::Far => Capabilities::NONE.clear(),
        }
    }
}

/// A clock that stands still, with a group of its own: models of several tests run side by side.
#[derive(Clone)]
struct Still(Arc<std::sync::atomic::AtomicU64>, Coherence);

impl Default for Still {
    fn default() -> Self {
        Still(Arc::new(1_000_000_000_000.into()), Coherence::new())
    }
}

impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_nanos(self.0.load(SeqCst))
    }
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
    fn coherence(&self) -> Coherence {
        self.1.clone()
    }
    fn on_tick(&self, _: Weak<dyn Tick>) {}
}
