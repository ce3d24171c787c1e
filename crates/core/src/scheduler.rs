//! The owner of the schedules of functions.

use crate::crowd::BoxFuture;
use crate::sync::Mutex;
use std::fmt;

/// What owns schedules: when it is dropped or [shut down](Self::shutdown), they end.
///
/// A function with `#[scheduled]` is started in one by its companion `start_in`. It has one schedule: whichever owner ends first
/// ends it.
///
/// # Examples
///
/// ```
/// use larder::{Scheduler, scheduled};
///
/// #[scheduled(every = "5m")]
/// async fn rate() -> Result<f64, std::fmt::Error> {
///     Ok(1.08) // from somewhere far away
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scheduler = Scheduler::new();
/// rate::start_in(&scheduler);
/// assert_eq!(rate().await, Ok(1.08));
/// scheduler.shutdown().await;
/// assert!(!rate::is_running());
/// # });
/// ```
#[derive(Default)]
#[must_use = "schedules end when their owner is dropped"]
pub struct Scheduler {
    owned: Mutex<Vec<&'static dyn Ends>>,
}

/// What can be ended.
pub(crate) trait Ends: Send + Sync {
    /// Ends it.
    fn end(&self);
    /// Ends it, and waits until it has ended.
    fn shutdown(&self) -> BoxFuture<'_, ()>;
}

impl Scheduler {
    /// Makes one that owns nothing.
    pub fn new() -> Self {
        Scheduler::default()
    }

    pub(crate) fn own(&self, schedule: &'static dyn Ends) {
        let mut owned = self.owned.lock();
        if !owned.iter().any(|known| std::ptr::addr_eq(*known, schedule)) {
            owned.push(schedule);
        }
    }

    /// Ends all, and waits until they have ended. A load that is under way goes on by itself.
    ///
    /// # Cancel safety
    ///
    /// They end all the same.
    pub async fn shutdown(&self) {
        let owned = std::mem::take(&mut *self.owned.lock());
        for schedule in &owned {
            schedule.end();
        }
        for schedule in owned {
            schedule.shutdown().await;
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        for schedule in self.owned.lock().iter() {
            schedule.end();
        }
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("owned", &self.owned.lock().len()).finish()
    }
}
