//! A value that a schedule keeps fresh, and that is read without waiting.

mod job;
mod options;

pub(crate) use job::{By, Look, Work};
pub use options::{RefreshOptions, Start};

use crate::LoadError;
use crate::follower::Follower;
use crate::random::Random;
use crate::spawn::runtime;
use job::{Ended, Job};
use std::any::Any;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// A value that a schedule keeps fresh: what [`Cache::refresh_every`](crate::Cache::refresh_every) makes.
///
/// Reading it is a look at a pointer: it never waits, and never asks a store. It holds the last good value, however long loads
/// fail; [`age`](Self::age) tells how old that is. A removal or an insertion of its key through the cache, or an invalidation
/// that this process hears of, reaches it at once: what was removed is not read any more, and is loaded anew.
///
/// It owns its schedule: when it is dropped, or [shut down](Self::shutdown), nothing is loaded any more. A
/// [`reader`](Self::reader) reads the same copy and owns nothing.
#[must_use = "the schedule ends when this is dropped"]
pub struct Refreshed<V, E> {
    job: Arc<Job<V, E>>,
    /// What is given back with this handle, and not only when the task has ended.
    keeps: Option<Box<dyn Any + Send + Sync>>,
}

impl<V: Clone + Send + Sync + 'static, E: Send + Sync + 'static> Refreshed<V, E> {
    /// Begins a schedule.
    #[track_caller]
    pub(crate) fn begin(
        follower: Arc<Follower<V>>,
        work: Work<E>,
        interval: Duration,
        options: RefreshOptions<E>,
        random: Random,
    ) -> Self {
        assert!(!interval.is_zero(), "a schedule needs an interval above zero");
        let runtime = runtime().expect("a schedule is a task: begin it inside of a tokio runtime");
        let start = options.start;
        let job = Arc::new(Job::new(follower, work, interval, options, random));
        runtime.spawn(Job::run(start, Ended(Arc::clone(&job))));
        Refreshed { job, keeps: None }
    }

    /// The same schedule, which owns that as well.
    pub(crate) fn keeping(self, what: impl Any + Send + Sync) -> Self {
        let mut kept = self;
        kept.keeps = Some(Box::new(what));
        kept
    }

    /// Returns the value; `None` before the first one, and after a removal or an invalidation until it is loaded anew.
    ///
    /// It never waits for a store or a load.
    #[inline]
    pub fn get(&self) -> Option<V> {
        self.job.follower.get()
    }

    /// Returns the value as soon as there is one.
    ///
    /// # Errors
    ///
    /// That of the last load, if there is no value and that failed. [`LoadError::Abandoned`] if the schedule has ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ready(&self) -> Result<V, LoadError<E>> {
        self.until(|| self.get()).await
    }

    /// Waits for the end of the first load.
    pub(crate) async fn answered(&self) -> Result<(), LoadError<E>> {
        self.until(|| self.job.was_loaded().then_some(())).await
    }

    /// Waits until there is what is looked for, or why there is not.
    async fn until<T>(&self, look: impl Fn() -> Option<T> + Send + Sync) -> Result<T, LoadError<E>> {
        loop {
            let mut changed = pin!(self.job.follower.changed.notified());
            changed.as_mut().enable();
            if let Some(value) = look() {
                return Ok(value);
            }
            if let Some(error) = self.last_error() {
                return Err(error);
            }
            if self.job.has_ended() {
                return Err(LoadError::Abandoned);
            }
            changed.await;
        }
    }

    /// Loads the value now, and returns it. The next load is due one interval later.
    ///
    /// # Errors
    ///
    /// As of [`Cache::get_or_load`](crate::Cache::get_or_load); what there was stays. [`LoadError::Abandoned`] if what was loaded
    /// has been removed already, or is not to be stored and there was nothing before.
    ///
    /// # Cancel safety
    ///
    /// A load that has begun goes on, and its value is held.
    pub async fn refresh(&self) -> Result<V, LoadError<E>> {
        self.load_by_hand().await?;
        // What was loaded may have been removed since.
        self.get().ok_or(LoadError::Abandoned)
    }

    pub(crate) async fn load_by_hand(&self) -> Result<(), LoadError<E>> {
        self.job.load(By::Hand).await
    }

    /// Returns how long ago the load of the value began; `None` without a value.
    pub fn age(&self) -> Option<Duration> {
        self.job.follower.age()
    }

    /// Returns why the last load gave no value; `None` if it gave one.
    pub fn last_error(&self) -> Option<LoadError<E>> {
        self.job.last_error()
    }

    /// Returns a handle that reads the same copy. It does not keep the schedule alive; once that has ended it reads the last
    /// value.
    pub fn reader(&self) -> Reader<V> {
        Reader { follower: Arc::clone(&self.job.follower) }
    }

    /// Ends the schedule, and waits until it has ended. A load that is under way goes on by itself, as one of which the caller
    /// was dropped does.
    ///
    /// # Cancel safety
    ///
    /// It ends all the same.
    pub async fn shutdown(self) {
        self.end().await;
    }

    /// Whether it goes on: it was not shut down, and the runtime that drives it has not ended.
    pub fn is_running(&self) -> bool {
        !self.job.has_ended()
    }

    /// Has it end, and does not wait.
    pub(crate) fn stop(&self) {
        self.job.end();
    }

    /// Has it end, and waits until it has.
    pub(crate) async fn end(&self) {
        self.stop();
        loop {
            let mut changed = pin!(self.job.follower.changed.notified());
            changed.as_mut().enable();
            if self.job.has_ended() {
                return;
            }
            changed.await;
        }
    }
}

impl<V, E> Drop for Refreshed<V, E> {
    fn drop(&mut self) {
        self.job.end();
    }
}

impl<V, E> fmt::Debug for Refreshed<V, E> {
    /// Prints nothing of the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refreshed").finish_non_exhaustive()
    }
}

/// Reads what a [`Refreshed`] or a [`Mirror`](crate::Mirror) holds. Cloning it is cheap.
pub struct Reader<V> {
    follower: Arc<Follower<V>>,
}

impl<V: Clone> Reader<V> {
    /// Returns the value: [`Refreshed::get`].
    #[inline]
    pub fn get(&self) -> Option<V> {
        self.follower.get()
    }

    /// Returns how long ago the load of the value began; `None` without a value.
    pub fn age(&self) -> Option<Duration> {
        self.follower.age()
    }
}

impl<V> Clone for Reader<V> {
    fn clone(&self) -> Self {
        Reader { follower: Arc::clone(&self.follower) }
    }
}

impl<V> fmt::Debug for Reader<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
