//! What nodes do with their caches, and how these are assembled: the one place that calls the cache, but for
//! calls for several keys.

use super::database::{self, COMMON_ROW, rows_of, tag_of};
use super::history::Answer;
use super::in_bulk;
use super::page::{Page, Pages};
use super::seams::Seams;
use larder_core::{Behind, Cache, Coherence, Holds};

/// A call of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Get(u64),
    Lookup(u64),
    GetNow(u64),
    Load(u64),
    Insert(u64),
    Remove(u64),
    Expire(u64),
    InvalidateTag(u64),
    ExpireTag(u64),
    Clear,
}

/// What an invalidation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Key(u64),
    /// Everything that is made from a row.
    Row(u64),
    All,
}

impl Extent {
    pub(crate) fn covers(self, key: u64) -> bool {
        match self {
            Extent::Key(of) => of == key,
            Extent::Row(row) => rows_of(key).contains(&row),
            Extent::All => true,
        }
    }
}

impl Operation {
    /// The key that is read.
    pub(crate) fn read(self) -> Option<u64> {
        match self {
            Operation::Get(key) | Operation::Lookup(key) | Operation::GetNow(key) | Operation::Load(key) => {
                Some(key)
            }
            _ => None,
        }
    }

    /// What is invalidated. An insertion invalidates what was there.
    pub(crate) fn extent(self) -> Option<Extent> {
        match self {
            Operation::Insert(key) | Operation::Remove(key) | Operation::Expire(key) => {
                Some(Extent::Key(key))
            }
            Operation::InvalidateTag(row) | Operation::ExpireTag(row) => Some(Extent::Row(row)),
            Operation::Clear => Some(Extent::All),
            _ => None,
        }
    }

    /// The one key that this is about.
    pub(crate) fn key(self) -> Option<u64> {
        match (self.read(), self.extent()) {
            (Some(key), _) | (_, Some(Extent::Key(key))) => Some(key),
            _ => None,
        }
    }
}

/// What makes good that a row was changed: calls, one after the other, whose extents have all that is made from it.
pub(crate) fn invalidations_of(row: u64, keys: u64, by_tag: bool) -> Vec<Operation> {
    if by_tag {
        return vec![Operation::InvalidateTag(row)];
    }
    if row == COMMON_ROW {
        return vec![Operation::Clear];
    }
    (0..keys).filter(|key| rows_of(*key).contains(&row)).map(Operation::Remove).collect()
}

/// Carries out one call. `page` is what is to be inserted.
pub(crate) async fn carry_out(
    seams: &Seams,
    cache: &Cache<u64, Page>,
    operation: Operation,
    page: Option<Page>,
) -> Answer {
    let read =
        |read: larder_core::Result<Option<Page>>| read.map_or_else(|error| failed(&error), Answer::Read);
    let done = |done: larder_core::Result<()>| done.map_or_else(|error| failed(&error), |()| Answer::Done);
    if seams.setup().in_bulk && in_bulk::has_form(operation) {
        return in_bulk::carry_out(seams, cache, operation, page).await;
    }
    match (operation, page) {
        (Operation::Get(key), _) => read(cache.get(&key).await),
        (Operation::Lookup(key), _) => {
            read(cache.lookup(&key).await.map(|found| found.map(larder_core::Found::into_value)))
        }
        (Operation::GetNow(key), _) => Answer::Read(cache.get_now(&key)),
        (Operation::Load(key), _) => {
            let (world, clock, node) = (seams.world(), seams.clock(), seams.node());
            let load = move |cx| database::load(world, clock, node, cx);
            match cache.get_or_load_with(&key, load).await {
                Ok(page) => Answer::Read(Some(page)),
                Err(error) => Answer::Failed(error.to_string()),
            }
        }
        (Operation::Insert(key), Some(page)) => {
            let tags = |entry| {
                rows_of(key)
                    .into_iter()
                    .fold(entry, |entry: larder_core::InsertOptions, row| entry.tag(tag_of(row)))
            };
            done(cache.insert_with(&key, page, tags).await)
        }
        (Operation::Insert(_), None) => Answer::Failed("there is nothing to insert".into()),
        (Operation::Remove(key), _) => done(cache.remove(&key).await),
        (Operation::Expire(key), _) => done(cache.expire(&key).await),
        (Operation::InvalidateTag(row), _) => done(cache.invalidate_tag(tag_of(row)).await),
        (Operation::ExpireTag(row), _) => done(cache.expire_tag(tag_of(row)).await),
        (Operation::Clear, _) => done(cache.clear().await),
    }
}

pub(super) fn failed(error: &larder_core::Error) -> Answer {
    Answer::Failed(error.to_string())
}

/// Assembles the cache of a node as the seed says: with or without a memory in front, a lower level, a queue.
pub(crate) fn assemble(seams: &Seams) -> Cache<u64, Page> {
    let setup = seams.setup();
    let mut shared = Cache::new(seams.shared()).codec(Pages).namespace("pages");
    if setup.behind.0 {
        shared = shared.write(Behind::default());
    }
    let mut lower = Cache::new(seams.lower()).codec(Pages).namespace("pages");
    if setup.behind.1 {
        lower = lower.write(Behind::default().every(setup.behind_every));
    }
    let memory = || Cache::new(seams.memory()).ttl(setup.memory_ttl);
    match (seams.has_memory(), setup.lower) {
        (true, true) => finish(seams, memory().chain(shared).chain(lower)),
        (true, false) => finish(seams, memory().chain(shared)),
        (false, true) => finish(seams, shared.chain(lower)),
        (false, false) => finish(seams, shared),
    }
}

/// What is said about the whole.
fn finish<S, C>(seams: &Seams, cache: Cache<u64, Page, S, C>) -> Cache<u64, Page>
where
    S: Send + Sync + 'static,
    C: Holds<S, u64, Page>,
{
    let setup = seams.setup();
    let mut group = Coherence::options().bound(setup.bound).clock(seams.clock());
    if setup.has_bus {
        group = group.bus(seams.bus());
    }
    let group = group.over(&seams.shared()).expect("the shared store keeps a log");
    let mut cache = cache.ttl(setup.ttl).clock(seams.clock()).coherence(&group).seed(setup.seed);
    if let Some(window) = setup.stale {
        cache = cache.stale(window);
    }
    if let Some(window) = setup.stale_if_error {
        cache = cache.stale_if_error(window);
    }
    cache.boxed()
}
