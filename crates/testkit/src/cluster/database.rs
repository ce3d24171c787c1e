//! The source of truth: rows whose versions go up, and the loads that read them.

use super::history::{LoadEnd, Note};
use super::node_clock::NodeClock;
use super::page::Page;
use super::random::Random;
use super::world::World;
use larder_core::{Clock, LoadContext};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The row that every page is made from.
pub(crate) const COMMON_ROW: u64 = 0;

/// The rows that the page of a key is made from. Two keys share one, and all share the common one.
pub(crate) fn rows_of(key: u64) -> [u64; 2] {
    [1 + key / 2, COMMON_ROW]
}

pub(crate) struct Database {
    versions: BTreeMap<u64, u64>,
    random: Random,
    failing_loads: u64,
    pages: u64,
}

/// The database did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoadFailed;

impl std::fmt::Display for LoadFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the database of the cluster did not answer")
    }
}

impl std::error::Error for LoadFailed {}

impl Database {
    pub(crate) fn new(random: Random, failing_loads: u64) -> Self {
        Database { versions: BTreeMap::new(), random, failing_loads, pages: 0 }
    }

    /// Loads do not fail any more.
    pub(crate) fn calm(&mut self) {
        self.failing_loads = 0;
    }

    fn version(&self, row: u64) -> u64 {
        self.versions.get(&row).copied().unwrap_or(0)
    }

    fn number(&mut self) -> u64 {
        self.pages += 1;
        self.pages
    }

    /// A span of a load: most are short, some are not.
    fn span(&mut self) -> Duration {
        if self.random.happens(100) { self.random.millis(20, 800) } else { self.random.millis(0, 12) }
    }

    fn fails(&mut self) -> bool {
        self.failing_loads > 0 && self.random.happens(self.failing_loads)
    }
}

/// Changes a row.
pub(crate) fn write(world: &World, row: u64) {
    let version = {
        let mut database = world.database.lock();
        let version = database.versions.entry(row).or_default();
        *version += 1;
        *version
    };
    world.note(Note::Wrote { row, version });
}

/// Makes the page of a key from the rows as they are, to be inserted.
pub(crate) fn page(world: &World, key: u64) -> Page {
    let mut database = world.database.lock();
    let number = database.number();
    let rows = rows_of(key).map(|row| (row, database.version(row)));
    Page::new(key, number, rows.to_vec())
}

/// Loads the page of a key, and gives it its tags.
pub(crate) async fn load(
    world: Arc<World>,
    clock: NodeClock,
    node: usize,
    cx: LoadContext<u64, Page>,
) -> Result<Page, LoadFailed> {
    read(world, clock, node, *cx.key(), |row| cx.tag(tag_of(row))).await
}

/// Loads the pages of several keys.
pub(crate) async fn load_many(
    world: Arc<World>,
    clock: NodeClock,
    node: usize,
    keys: Vec<u64>,
) -> Result<HashMap<u64, Page>, LoadFailed> {
    let _doing: Vec<_> = keys.iter().map(|key| world.doing(node, Some(*key))).collect();
    let mut pages = HashMap::new();
    for key in keys {
        pages.insert(key, read(Arc::clone(&world), clock.clone(), node, key, |_| ()).await?);
    }
    Ok(pages)
}

/// Reads the page of a key, row by row.
async fn read(
    world: Arc<World>,
    clock: NodeClock,
    node: usize,
    key: u64,
    made_from: impl Fn(u64),
) -> Result<Page, LoadFailed> {
    let _doing = world.doing(node, Some(key));
    let number = world.database.lock().number();
    world.note(Note::LoadBegan { node, key, page: number });
    let mut loading = Loading { world: Arc::clone(&world), node, key, page: number, end: LoadEnd::CutOff };
    let mut rows = Vec::new();
    for row in rows_of(key) {
        let span = world.database.lock().span();
        clock.sleep(span).await;
        rows.push((row, world.database.lock().version(row)));
        made_from(row);
    }
    let (span, fails) = {
        let mut database = world.database.lock();
        (database.span(), database.fails())
    };
    clock.sleep(span).await;
    if fails {
        loading.end = LoadEnd::Failed;
        return Err(LoadFailed);
    }
    let page = Page::new(key, number, rows);
    loading.end = LoadEnd::Made(page.clone());
    Ok(page)
}

/// The tag of everything that is made from this row.
pub(crate) fn tag_of(row: u64) -> String {
    format!("row:{row}")
}

/// Notes how a load ended, however that comes.
struct Loading {
    world: Arc<World>,
    node: usize,
    key: u64,
    page: u64,
    end: LoadEnd,
}

impl Drop for Loading {
    fn drop(&mut self) {
        let end = std::mem::replace(&mut self.end, LoadEnd::CutOff);
        let Loading { node, key, page, .. } = *self;
        self.world.note(Note::LoadEnded { node, key, page, end });
    }
}
