//! One node of the scene `mixed`.

use crate::Result;
use crate::options::Place;
use crate::rows::{Rows, Wish};
use crate::server::Connection;
use crate::tally::{Counts, Reach, Seen, Tally, Way, now};
use larder::prelude::*;
use larder::{Clock, LoadError, SystemClock, load};
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const READERS: u64 = 6;
const WRITERS: u64 = 2;
/// So many reads in a row, before other tasks have their turn.
const TURN: u64 = 64;

struct Node {
    rows: Rows,
    far: Cache<u32, u64>,
    near: Cache<u32, u64>,
    pages: Cache<u32, u64>,
    seen: [Vec<Seen>; 3],
    invalidated: Mutex<Vec<(Reach, u32, u64, u64)>>,
    loads: AtomicU64,
    lost: AtomicU64,
    failed: AtomicU64,
    reads: AtomicU64,
    ends: AtomicBool,
}

/// Reads and writes until the input ends, and then tells what it saw.
pub(crate) async fn live(place: &Place, keys: u32) -> Result<()> {
    let node = Arc::new(Node::start(place, keys).await?);
    let writers = (0..WRITERS).map(|number| tokio::spawn(Arc::clone(&node).write(seed(place, number))));
    let readers =
        (0..READERS).map(|number| tokio::spawn(Arc::clone(&node).read(seed(place, WRITERS + number))));
    let tasks: Vec<_> = writers.chain(readers).collect();
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().for_each(drop)).await?;
    node.ends.store(true, Relaxed);
    for task in tasks {
        task.await?;
    }
    let mut out = std::io::stdout().lock();
    node.tally().write(&mut out)?;
    Ok(out.flush()?)
}

fn seed(place: &Place, number: u64) -> u64 {
    u64::from(place.number) * 1_000 + number + 1
}

impl Node {
    async fn start(place: &Place, keys: u32) -> Result<Self> {
        let Connection { store, bus, .. } = Connection::open(place).await?;
        let store = Arc::new(store);
        let shared = || {
            Cache::<u32, _, _, _>::new(Arc::clone(&store))
                .codec::<u64, _>(Json)
                .namespace("rows")
                .ttl(minutes(1))
        };
        let tags = |row: &u32, _: &u64| [format!("row:{row}")];
        let pages = Cache::new(Arc::clone(&store)).codec::<u64, _>(Json).namespace("pages").ttl(minutes(1));
        Ok(Node {
            rows: Rows::connect(&place.rows, place.number).await?,
            far: shared().tags(tags).boxed(),
            near: Cache::new(Memory::new(10_000)).chain(shared()).tags(tags).bus(Arc::new(bus)).boxed(),
            // Their tags are those of the rows that they are made of.
            pages: Cache::new(Memory::new(10_000)).chain(pages).boxed(),
            seen: [(); 3].map(|()| (0..keys).map(|_| Seen::default()).collect()),
            invalidated: Mutex::default(),
            loads: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        })
    }

    /// A load from the rows, which takes a while now and then.
    async fn load(self: Arc<Self>, row: u32) -> std::io::Result<u64> {
        load::depends_on(format!("row:{row}"));
        let number = self.loads.fetch_add(1, Relaxed);
        let version = self.rows.ask(Wish::Load, row).await?;
        if number.is_multiple_of(4) {
            SystemClock.sleep(Duration::from_millis(number % 16)).await;
        }
        Ok(version)
    }

    async fn row(self: &Arc<Self>, cache: &Cache<u32, u64>, row: u32) -> std::result::Result<u64, String> {
        let node = Arc::clone(self);
        cache.get_or_load(&row, move || node.load(row)).await.map_err(|error| error.to_string())
    }

    async fn page(self: &Arc<Self>, row: u32) -> std::result::Result<u64, String> {
        let node = Arc::clone(self);
        let made = self.pages.get_or_load(&row, async move || node.row(&node.near, row).await).await;
        made.map_err(|error: LoadError<String>| error.to_string())
    }

    async fn read(self: Arc<Self>, mut seed: u64) {
        while !self.ends.load(Relaxed) {
            for _ in 0..TURN {
                let row = self.any_row(&mut seed);
                let way = match below(&mut seed, 16) {
                    0 => Way::Far,
                    1..=4 => Way::Page,
                    _ => Way::Near,
                };
                let start = now();
                let version = match way {
                    Way::Far => self.row(&self.far, row).await,
                    Way::Near => self.row(&self.near, row).await,
                    Way::Page => self.page(row).await,
                };
                match version {
                    Ok(version) => self.seen[way as usize][row as usize].note(version, start),
                    Err(error) => {
                        eprintln!("a read failed: {error}");
                        self.lost.fetch_add(1, Relaxed);
                    }
                }
            }
            self.reads.fetch_add(TURN, Relaxed);
            tokio::task::yield_now().await;
        }
    }

    async fn write(self: Arc<Self>, mut seed: u64) {
        while !self.ends.load(Relaxed) {
            let row = self.any_row(&mut seed);
            let Ok(version) = self.rows.ask(Wish::Change, row).await else { return };
            let tag = format!("row:{row}");
            let (reach, done) = match below(&mut seed, 5) {
                0 => (Reach::Row, self.near.remove(&row).await),
                1 => (Reach::Row, self.far.remove(&row).await),
                2 => (Reach::Row, self.near.expire(&row).await),
                3 => (Reach::Tag, self.pages.expire_tag(&tag).await),
                _ => (Reach::Tag, self.near.invalidate_tag(&tag).await),
            };
            match done {
                Ok(()) => {
                    let invalidated = (reach, row, version, now());
                    self.invalidated.lock().expect("nobody panics here").push(invalidated);
                }
                Err(_) => _ = self.failed.fetch_add(1, Relaxed),
            }
            SystemClock.sleep(Duration::from_millis(below(&mut seed, 20))).await;
        }
    }

    /// A row, a few of them much more often than most.
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer rows")]
    fn any_row(&self, seed: &mut u64) -> u32 {
        let rows = self.seen[0].len() as u64;
        below(seed, rows).min(below(seed, rows)) as u32
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for way in Way::ALL {
            for (row, seen) in (0..).zip(&self.seen[way as usize]) {
                tally
                    .read
                    .extend(seen.take().into_iter().map(|(version, start)| ((way, row, version), start)));
            }
        }
        tally.invalidated = std::mem::take(&mut *self.invalidated.lock().expect("nobody panics here"));
        let memory = |cache: &Cache<u32, u64>| cache.stats().levels[0].fresh_hits;
        tally.counts = Counts {
            reads: self.reads.load(Relaxed),
            from_memory: memory(&self.near) + memory(&self.pages),
            loads: self.loads.load(Relaxed),
            lost: self.lost.load(Relaxed),
            invalidations: tally.invalidated.len() as u64,
            failed: self.failed.load(Relaxed),
        };
        tally
    }
}

/// A number below `end`.
fn below(seed: &mut u64, end: u64) -> u64 {
    // Xorshift, of George Marsaglia.
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed % end
}
