//! The source of truth: rows whose versions go up, and the loads that read them.

use super::history::{LoadEnd, Note};
use super::node_clock::NodeClock;
use super::page::Page;
use super::random::Random;
use super::world::{Doing, World};
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
    let mut loading = Loading::begin(&world, node, *cx.key());
    let Some(page) = loading.page(&clock, |row| cx.tag(tag_of(row))).await else {
        loading.end = LoadEnd::Failed;
        return Err(LoadFailed);
    };
    loading.end = LoadEnd::Made(page.clone());
    Ok(page)
}

/// Loads the pages of several keys. One that fails is a failure of all.
pub(crate) async fn load_many(
    world: Arc<World>,
    clock: NodeClock,
    node: usize,
    keys: Vec<u64>,
) -> Result<HashMap<u64, Page>, LoadFailed> {
    let mut loads: Vec<_> = keys.into_iter().map(|key| Loading::begin(&world, node, key)).collect();
    let mut pages = HashMap::new();
    for at in 0..loads.len() {
        let Some(page) = loads[at].page(&clock, |_| ()).await else {
            for loading in &mut loads {
                loading.end = LoadEnd::Failed;
            }
            return Err(LoadFailed);
        };
        pages.insert(loads[at].key, page);
    }
    for loading in &mut loads {
        loading.end = LoadEnd::Made(pages[&loading.key].clone());
    }
    Ok(pages)
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
    _doing: Option<Doing>,
}

impl Loading {
    fn begin(world: &Arc<World>, node: usize, key: u64) -> Self {
        let doing = world.doing(node, Some(key));
        let page = world.database.lock().number();
        world.note(Note::LoadBegan { node, key, page });
        Loading { world: Arc::clone(world), node, key, page, end: LoadEnd::CutOff, _doing: doing }
    }

    /// Reads the page, row by row; `None` if that fails.
    async fn page(&self, clock: &NodeClock, made_from: impl Fn(u64)) -> Option<Page> {
        let mut rows = Vec::new();
        for row in rows_of(self.key) {
            let span = self.world.database.lock().span();
            clock.sleep(span).await;
            rows.push((row, self.world.database.lock().version(row)));
            made_from(row);
        }
        let (span, fails) = {
            let mut database = self.world.database.lock();
            (database.span(), database.fails())
        };
        clock.sleep(span).await;
        (!fails).then(|| Page::new(self.key, self.page, rows))
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let end = std::mem::replace(&mut self.end, LoadEnd::CutOff);
        let Loading { node, key, page, .. } = *self;
        self.world.note(Note::LoadEnded { node, key, page, end });
    }
}
