//! A handle of the running load, for what a load has done elsewhere: [`load::current`](crate::load::current).

use crate::running::{Running, within, within_now};
use std::future::Future;
use std::sync::Arc;

/// The load that some code ran in, if it ran in one. Clones are the same load.
///
/// A load is followed through its awaits, and not into the tasks and threads that it starts: those are given this.
#[derive(Clone)]
#[must_use = "it does nothing until code is run in its scope"]
pub struct CurrentLoad(pub(crate) Option<Arc<dyn Running>>);

impl CurrentLoad {
    /// Whether there is a load. One that has ended is one still: what is said of it then has no effect.
    pub fn is_load(&self) -> bool {
        self.0.is_some()
    }

    /// Runs `future` as a part of the load: the cached values that it is given, and what it says of the result, count for the
    /// load. Without a load it just runs.
    ///
    /// # Cancel safety
    ///
    /// As that of `future`.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{load, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pages = Cache::new(Memory::<str, String>::new(100));
    /// let page = async || {
    ///     let part = load::current().scope(async { load::depends_on("user:7") });
    ///     assert!(tokio::spawn(part).await.unwrap());
    ///     "<h1>Ada".to_string()
    /// };
    /// pages.get_or_insert_with("/ada", page).await;
    /// pages.invalidate_tag("user:7").await?;
    /// assert_eq!(pages.get("/ada").await?, None);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        match self.0 {
            Some(load) => within(load, future).await,
            None => future.await,
        }
    }

    /// Runs `work` as a part of the load: [`scope`](Self::scope) for threads, as in `spawn_blocking`.
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        match self.0 {
            Some(load) => within_now(load, work),
            None => work(),
        }
    }
}

impl std::fmt::Debug for CurrentLoad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CurrentLoad").field("is_load", &self.is_load()).finish_non_exhaustive()
    }
}
