//! A function that runs again and again, whose last good result is read without waiting.

use crate::crowd::BoxFuture;
use crate::scheduler::Ends;
use crate::{Refreshed, Scheduler};
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// The schedule of a function, for a `static`. It does nothing until it is started.
///
/// # Examples
///
/// ```
/// use larder::{function::Schedule, prelude::*};
///
/// static RATE: Schedule<f64, std::fmt::Error> = Schedule::new();
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let rates = Cache::new(Memory::new(1));
/// assert_eq!(RATE.get(), None);
/// RATE.start(|| rates.refresh_every(minutes(5), &(), async || Ok(1.08)));
/// # tokio::task::yield_now().await;
/// # tokio::task::yield_now().await;
/// # tokio::task::yield_now().await;
/// assert_eq!(RATE.get(), Some(1.08));
/// RATE.shutdown().await;
/// # });
/// ```
pub struct Schedule<V, E> {
    running: ArcSwapOption<Refreshed<V, E>>,
    /// Held to start or to end it. Whether it was ended, so that only who says so starts it again.
    was_ended: Mutex<bool>,
}

impl<V, E> Schedule<V, E> {
    /// Makes one that is not running.
    pub const fn new() -> Self {
        Schedule { running: ArcSwapOption::const_empty(), was_ended: Mutex::new(false) }
    }
}

impl<V: Clone + Send + Sync + 'static, E: Send + Sync + 'static> Schedule<V, E> {
    /// Returns the last good result; `None` before the first, while it is not running, and after a removal until it is loaded
    /// anew. Never waits.
    #[inline]
    pub fn get(&self) -> Option<V> {
        let running = self.running.load();
        let running = running.as_ref().filter(|running| running.is_running())?;
        running.get()
    }

    /// Returns how long ago the run began that the result is of.
    pub fn age(&self) -> Option<Duration> {
        self.running.load().as_ref()?.age()
    }

    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        self.running.load().as_ref().is_some_and(|running| running.is_running())
    }

    /// Starts what `begin` begins, unless it is running already.
    pub fn start(&self, begin: impl FnOnce() -> Refreshed<V, E>) {
        let mut was_ended = self.was_ended.lock();
        *was_ended = false;
        if !self.is_running() {
            self.running.store(Some(Arc::new(begin())));
        }
    }

    /// Starts what `begin` begins, where that is a matter of course: it is not running, was not ended by anybody but its
    /// runtime, and this is called in a runtime.
    pub fn start_lazily(&self, begin: impl FnOnce() -> Refreshed<V, E>) {
        let was_ended = self.was_ended.lock();
        if !*was_ended && !self.is_running() && Handle::try_current().is_ok() {
            self.running.store(Some(Arc::new(begin())));
        }
    }

    /// Starts what `begin` begins, unless it is running already, and has `scheduler` own it.
    pub fn start_in(&'static self, scheduler: &Scheduler, begin: impl FnOnce() -> Refreshed<V, E>) {
        self.start(begin);
        scheduler.own(self);
    }

    /// Ends it, and waits until it has ended. A run that is under way goes on by itself.
    ///
    /// # Cancel safety
    ///
    /// It ends all the same.
    pub async fn shutdown(&self) {
        let running = {
            let mut was_ended = self.was_ended.lock();
            *was_ended = true;
            self.running.swap(None)
        };
        if let Some(running) = running {
            running.end().await;
        }
    }
}

impl<V: Clone + Send + Sync + 'static, E: Send + Sync + 'static> Ends for Schedule<V, E> {
    fn end(&self) {
        *self.was_ended.lock() = true;
        if let Some(running) = &*self.running.load() {
            running.stop();
        }
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shutdown())
    }
}

impl<V, E> Default for Schedule<V, E> {
    fn default() -> Self {
        Schedule::new()
    }
}

impl<V, E> fmt::Debug for Schedule<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").finish_non_exhaustive()
    }
}
