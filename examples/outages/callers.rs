//! Those who read prices, and those who change them.

use crate::prices::{Price, Prices};
use larder::{Cache, Clock, SystemClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Changes that are on their way at the same time.
const WRITERS: usize = 8;
/// How long a change waits before it tells a cache again that could not do as it was told.
const PAUSE: Duration = Duration::from_millis(20);

/// What happened to all callers together.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) reads: AtomicU64,
    /// Reads that got something outdated or of another product.
    pub(crate) wrong: AtomicU64,
    /// Reads that got an error.
    pub(crate) lost: AtomicU64,
    pub(crate) slowest_ns: AtomicU64,
    pub(crate) changes: AtomicU64,
    /// Removals that returned an error, and were tried again.
    pub(crate) failed_removals: AtomicU64,
}

pub(crate) struct Callers {
    calls: Arc<Calls>,
    ends: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Clone)]
struct Caller {
    cache: Cache<u32, Price>,
    prices: Arc<Prices>,
    calls: Arc<Calls>,
    ends: Arc<AtomicBool>,
    /// The state of a small generator of numbers, which differ from caller to caller.
    seed: u64,
}

impl Callers {
    pub(crate) fn start(cache: &Cache<u32, Price>, prices: &Arc<Prices>, readers: usize) -> Self {
        let (calls, ends) = (Arc::<Calls>::default(), Arc::<AtomicBool>::default());
        let caller = |number: usize| Caller {
            cache: cache.clone(),
            prices: Arc::clone(prices),
            calls: Arc::clone(&calls),
            ends: Arc::clone(&ends),
            seed: number as u64 + 1,
        };
        let readers_and_writers = (0..readers + WRITERS).map(|number| {
            let caller = caller(number);
            if number < readers { tokio::spawn(caller.read()) } else { tokio::spawn(caller.change()) }
        });
        let tasks = readers_and_writers.collect();
        Callers { calls, ends, tasks }
    }

    /// Waits until all have done what they are at.
    pub(crate) async fn stop(self) -> Arc<Calls> {
        self.ends.store(true, Relaxed);
        for task in self.tasks {
            task.await.expect("no caller panics");
        }
        self.calls
    }
}

impl Caller {
    async fn read(mut self) {
        while !self.ends.load(Relaxed) {
            let product = self.any_product();
            let at_least = self.prices.published(product);
            let prices = Arc::clone(&self.prices);
            let begun = SystemClock.now_exact();
            let price = self.cache.get_or_load(&product, async move || prices.load(product).await).await;
            let took = SystemClock.now_exact().since(begun);

            let calls = &self.calls;
            calls.reads.fetch_add(1, Relaxed);
            calls.slowest_ns.fetch_max(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
            match price {
                Ok(price) if price.product == product && price.change >= at_least => {}
                Ok(_) => _ = calls.wrong.fetch_add(1, Relaxed),
                Err(_) => _ = calls.lost.fetch_add(1, Relaxed),
            }
        }
    }

    async fn change(mut self) {
        while !self.ends.load(Relaxed) {
            let product = self.any_product();
            let change = self.prices.change(product);
            // While the server is away the cache cannot remove from it, and says so.
            while self.cache.remove(&product).await.is_err() {
                self.calls.failed_removals.fetch_add(1, Relaxed);
                SystemClock.sleep(PAUSE).await;
            }
            self.prices.publish(product, change);
            self.calls.changes.fetch_add(1, Relaxed);
            SystemClock.sleep(Duration::from_millis(2)).await;
        }
    }

    /// Returns a product, of a few much more often than of most.
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer products")]
    fn any_product(&mut self) -> u32 {
        let mut any = || {
            // Xorshift, of George Marsaglia.
            self.seed ^= self.seed << 13;
            self.seed ^= self.seed >> 7;
            self.seed ^= self.seed << 17;
            self.seed % self.prices.len() as u64
        };
        any().min(any()).min(any()) as u32
    }
}
