//! What a load may say about its own result, from wherever it runs, without a context being handed to it.
//!
//! ```
//! use larder::{load, prelude::*};
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! // Far below the loader, which need not know.
//! async fn fetch_rate() -> Result<f64, std::io::Error> {
//!     load::ttl(secs(5)); // markets are open
//!     load::tag("rates");
//!     Ok(1.08)
//! }
//!
//! let rates = Cache::new(Memory::<str, f64>::new(100)).ttl(hours(24));
//! rates.get_or_load("EUR/USD", fetch_rate).await?;
//! assert!(rates.lookup("EUR/USD").await.unwrap().unwrap().ttl_left() <= Some(secs(5)));
//! assert!(!load::ttl(secs(5)), "here is no load");
//! # Ok::<_, larder::LoadError<std::io::Error>>(()) }).unwrap();
//! ```
//!
//! Everything here speaks of the innermost load that the calling code runs in. It follows a load through its awaits and
//! through nested caches; a task which the load spawns is part of it in the scope of [`current`] only. Outside of a load each function does nothing and
//! says so in what it returns. What is said counts for this one result, whenever it is said before the load ends; the
//! last word wins, and tags add up. [`LoadContext`] is the same as a value.

use crate::current_load::CurrentLoad;
use crate::edits::Edits;
use crate::load_context::Previous;
use crate::running::{self, running};
use crate::{Entry, Lookup};
use std::borrow::Borrow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[cfg(doc)]
use crate::LoadContext;

/// Whether this code runs in a load.
pub fn is_running() -> bool {
    running::is_running()
}

/// Returns the key that is loaded: `load::key::<str>()` is a `String`. `None` outside of a load, and in the load of a
/// cache with other keys.
pub fn key<K: ?Sized + Lookup>() -> Option<K::Owned> {
    running(|load| load.key().downcast_ref::<K::Owned>().map(|key| key.borrow().to_owned()))?
}

/// Returns the old value and what came with it, if there is one that is not dead: [`LoadContext::previous`]. `None`
/// outside of a load, and in the load of a cache with other values.
pub fn previous<V: Clone + Send + Sync + 'static>() -> Option<Previous<V>> {
    running(|load| load.previous()?.downcast_ref::<Entry<V>>().cloned().map(Previous::new))?
}

/// Sets the fresh life of the result: [`LoadContext::ttl`]. Returns whether there is a load.
pub fn ttl(ttl: Duration) -> bool {
    edit(|edits| edits.terms.ttl = Some(ttl))
}

/// Sets the stale window of the result: [`LoadContext::stale`]. Returns whether there is a load.
pub fn stale(window: Duration) -> bool {
    edit(|edits| edits.terms.stale = Some(window))
}

/// Sets for how long the result is kept for loads that fail: [`LoadContext::stale_if_error`]. Returns whether there is a
/// load.
pub fn stale_if_error(window: Duration) -> bool {
    edit(|edits| edits.terms.kept = Some(window))
}

/// Gives the result a tag: [`LoadContext::tag`]. Returns whether there is a load.
pub fn tag(tag: impl AsRef<str>) -> bool {
    edit(|edits| edits.terms.tag(tag.as_ref()))
}

/// Says that the result is made from what `name` stands for: it gets that tag, so that who invalidates the tag
/// invalidates the result. The same as [`tag`]; cached values that the load is given say it by themselves. Returns whether
/// there is a load.
pub fn depends_on(name: impl AsRef<str>) -> bool {
    tag(name)
}

/// Returns the tags that the result has so far: those that were said, and those of the cached values that the load was
/// given. Empty outside of a load.
pub fn tags() -> Vec<Arc<str>> {
    running(|load| load.edits().lock().terms.tags.clone()).unwrap_or_default()
}

/// Takes from the result all tags that it has so far: [`LoadContext::clear_tags`]. Returns whether there is a load.
pub fn clear_tags() -> bool {
    edit(Edits::clear_tags)
}

/// Returns a handle of the running load, for the tasks and threads that it starts.
pub fn current() -> CurrentLoad {
    CurrentLoad(running::current())
}

/// Notes the entity tag of the result: [`LoadContext::etag`]. Returns whether there is a load.
pub fn etag(etag: impl AsRef<str>) -> bool {
    edit(|edits| edits.terms.etag = Some(etag.as_ref().into()))
}

/// Notes when the source last changed the result: [`LoadContext::last_modified`]. Returns whether there is a load.
pub fn last_modified(time: SystemTime) -> bool {
    edit(|edits| edits.terms.last_modified = Some(time))
}

/// Has the result go to its callers and nowhere else: [`LoadContext::no_store`]. Returns whether there is a load.
pub fn no_store() -> bool {
    edit(|edits| edits.no_store = true)
}

/// Should this load fail, has nothing old served in its place: [`LoadContext::no_fallback`]. Returns whether there is a
/// load.
pub fn no_fallback() -> bool {
    edit(|edits| edits.no_fallback = true)
}

/// Should this load fail, sets when the next is tried: [`LoadContext::retry_after`]. Returns whether there is a load.
pub fn retry_after(delay: Duration) -> bool {
    edit(|edits| edits.retry_after = Some(delay))
}

fn edit(change: impl FnOnce(&mut Edits)) -> bool {
    running(|load| change(&mut load.edits().lock())).is_some()
}
