//! What a load is given, and says about its own result: the argument of
//! [`get_or_load_with`](crate::Cache::get_or_load_with).

use crate::edits::Edits;
use crate::flight::Flight;
use crate::{Entry, Lookup, Time};
use std::borrow::Borrow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A load, seen from inside: its key, the value that it replaces, and what it says about its result.
///
/// It is owned and cheap to clone, and may be sent into tasks of the load. What is said counts for this one result, as
/// long as the load has not ended, and for its failure too; it never changes what the cache does by default. The functions
/// of [`load`](crate::load) say the same without it.
///
/// # Examples
///
/// A value that its source need not send again:
///
/// ```
/// use larder::prelude::*;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// As a web server answers: nothing new, or a page and its entity tag.
/// async fn fetch(path: &str, etag: Option<&str>) -> std::io::Result<Option<(String, &'static str)>> {
///     Ok((etag != Some("v1")).then(|| (format!("page {path}"), "v1")))
/// }
///
/// let pages = Cache::new(Memory::<str, String>::new(100)).ttl(secs(60)).stale_if_error(hours(1));
/// let load = async |cx: larder::LoadContext<str, String>| {
///     let previous = cx.previous();
///     match fetch(cx.key(), previous.as_ref().and_then(|previous| previous.etag())).await? {
///         Some((page, etag)) => {
///             cx.etag(etag);
///             Ok(page)
///         }
///         None => cx.not_modified().ok_or_else(|| std::io::Error::other("nothing to be unmodified")),
///     }
/// };
/// assert_eq!(pages.get_or_load_with("/home", load).await?, "page /home");
/// pages.expire("/home").await.unwrap();
/// assert_eq!(pages.get_or_load_with("/home", load).await?, "page /home"); // was not sent again
/// # Ok::<_, larder::LoadError<std::io::Error>>(()) }).unwrap();
/// ```
pub struct LoadContext<K: ?Sized + Lookup, V> {
    flight: Arc<Flight<K, V>>,
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> LoadContext<K, V> {
    pub(crate) fn new(flight: Arc<Flight<K, V>>) -> Self {
        LoadContext { flight }
    }

    pub(crate) fn into_flight(self) -> Arc<Flight<K, V>> {
        self.flight
    }

    /// Returns the key that is loaded.
    pub fn key(&self) -> &K {
        self.flight.key.borrow()
    }

    /// Returns the value that is to be replaced and what came with it, if there is one that is not dead. It is stale,
    /// or kept for failures, or fresh if the load is a refresh.
    pub fn previous(&self) -> Option<Previous<V>> {
        self.flight.previous().cloned().map(Previous::new)
    }

    /// Sets the fresh life of the result, counted from when the load began, in place of what was said after `.chain`
    /// (or, without a chain, at all). The ttl of a level still bounds what that level keeps. Zero stores nothing, and
    /// removes what was there.
    pub fn ttl(&self, ttl: Duration) {
        self.edit(|edits| edits.terms.ttl = Some(ttl));
    }

    /// Sets the stale window of the result.
    pub fn stale(&self, window: Duration) {
        self.edit(|edits| edits.terms.stale = Some(window));
    }

    /// Sets for how long the result is kept for loads that fail, after its stale window.
    pub fn stale_if_error(&self, window: Duration) {
        self.edit(|edits| edits.terms.kept = Some(window));
    }

    /// Gives the result a tag.
    pub fn tag(&self, tag: impl AsRef<str>) {
        self.edit(|edits| edits.terms.tag(tag.as_ref()));
    }

    /// Returns the tags that the result has so far: those that were said, and those of the cached values that the load was
    /// given.
    pub fn tags(&self) -> Vec<Arc<str>> {
        self.flight.edits.lock().terms.tags.clone()
    }

    /// Takes from the result all tags that it has so far, also those of the cached values that the load was given. For a
    /// load that knows better than those what its result depends on.
    pub fn clear_tags(&self) {
        self.edit(Edits::clear_tags);
    }

    /// Returns the fresh life that was said for the result so far, if one was.
    pub fn said_ttl(&self) -> Option<Duration> {
        self.flight.edits.lock().terms.ttl
    }

    /// Notes the entity tag that the source gave, for the next load of this key.
    pub fn etag(&self, etag: impl AsRef<str>) {
        self.edit(|edits| edits.terms.etag = Some(etag.as_ref().into()));
    }

    /// Notes when the source last changed the value, for the next load of this key. In levels that keep bytes it is cut
    /// to milliseconds.
    pub fn last_modified(&self, time: SystemTime) {
        self.edit(|edits| edits.terms.last_modified = Some(time));
    }

    /// Has the result go to its callers and nowhere else. What the levels have stays as it is.
    pub fn no_store(&self) {
        self.edit(|edits| edits.no_store = true);
    }

    /// Returns the previous value, to be returned by the load: it is as good as new. Its life begins again with this
    /// load; its tags and its validator stay, unless others are given. `None` where there is no previous value.
    pub fn not_modified(&self) -> Option<V> {
        let value = self.flight.previous()?.value().clone();
        self.edit(|edits| edits.not_modified = true);
        Some(value)
    }

    /// Should this load fail, has its callers get the error, even if something old could be served in its place.
    pub fn no_fallback(&self) {
        self.edit(|edits| edits.no_fallback = true);
    }

    /// Should this load fail, sets after how long the next one is tried while something old is served, in place of
    /// what [`retry_after`](crate::Cache::retry_after) says.
    pub fn retry_after(&self, delay: Duration) {
        self.edit(|edits| edits.retry_after = Some(delay));
    }

    fn edit(&self, change: impl FnOnce(&mut Edits)) {
        change(&mut self.flight.edits.lock());
    }
}

impl<K: ?Sized + Lookup, V> Clone for LoadContext<K, V> {
    fn clone(&self) -> Self {
        LoadContext { flight: Arc::clone(&self.flight) }
    }
}

impl<K: ?Sized + Lookup, V> std::fmt::Debug for LoadContext<K, V> {
    /// Prints neither key nor value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadContext").finish_non_exhaustive()
    }
}

/// The value that a load replaces, and what came with it.
#[derive(Clone)]
pub struct Previous<V>(Entry<V>);

impl<V> Previous<V> {
    pub(crate) fn new(entry: Entry<V>) -> Self {
        Previous(entry)
    }

    /// Returns the value.
    pub fn value(&self) -> &V {
        self.0.value()
    }

    /// Returns the value, giving up the rest.
    pub fn into_value(self) -> V {
        self.0.into_value()
    }

    /// Returns the entity tag that its load noted.
    pub fn etag(&self) -> Option<&str> {
        self.0.etag()
    }

    /// Returns when the source last changed it, as its load noted.
    pub fn last_modified(&self) -> Option<SystemTime> {
        self.0.last_modified()
    }

    /// Returns when its load began.
    pub fn loaded_at(&self) -> Time {
        self.0.loaded_at()
    }

    /// Returns the entry: the value with all its times and tags.
    pub fn entry(&self) -> &Entry<V> {
        &self.0
    }
}

impl<V> std::fmt::Debug for Previous<V> {
    /// Prints the times. Values may be secret and are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
