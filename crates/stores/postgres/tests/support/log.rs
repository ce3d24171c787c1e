//! What tests of the log have in common.

use larder_core::{ByteStore, Invalidated, Invalidation, Name, News, Position, Result, SharedLog};
use larder_postgres::Postgres;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn log_of(store: &Postgres) -> Arc<dyn SharedLog> {
    store.log().unwrap()
}

pub(crate) fn tags(tags: &[&str]) -> Vec<Name> {
    tags.iter().map(|tag| Name::tag(tag)).collect()
}

/// Marks names and voids nothing.
pub(crate) async fn mark(
    log: &dyn SharedLog,
    known: Option<Position>,
    names: &[Name],
) -> Result<Invalidated> {
    log.invalidate(known, Invalidation { voids: &[], guard_for: HOUR, names }).await
}

/// Voids records and marks nothing but them.
pub(crate) async fn void(
    log: &dyn SharedLog,
    known: Option<Position>,
    voids: &[&str],
) -> Result<Invalidated> {
    let names: Vec<Name> = voids.iter().map(|key| Name::key(key)).collect();
    log.invalidate(known, Invalidation { voids, guard_for: HOUR, names: &names }).await
}

/// What was marked since, sorted.
pub(crate) fn since(news: &News) -> Vec<(String, u64)> {
    let mut since: Vec<_> =
        news.since.iter().flatten().map(|(name, number)| (name.as_str().to_owned(), *number)).collect();
    since.sort();
    since
}
