//! How a value is kept fresh by a schedule: the settings of [`Cache::refresh_every_with`](crate::Cache::refresh_every_with).

use crate::LoadError;
use std::sync::Arc;
use std::time::Duration;

/// When a schedule loads for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Start {
    /// At once.
    Now,
    /// At once if no level has the value, or else one interval later: a service that starts anew in front of a store that has
    /// it loads nothing.
    #[default]
    IfAbsent,
    /// One interval later, whatever there is.
    Later,
}

pub(super) type OnError<E> = dyn Fn(&LoadError<E>) + Send + Sync;

/// How a value is kept fresh by a schedule.
///
/// # Default
///
/// - start: [`Start::IfAbsent`]
/// - jitter: none
/// - ttl of what is loaded: twice the interval
/// - after a load that failed: the next one 1 s later, then 2 s, 4 s .., at most the interval
/// - while nobody reads: it goes on
#[must_use = "options do nothing until they are returned to the call"]
pub struct RefreshOptions<E> {
    pub(super) start: Start,
    pub(super) jitter: f64,
    pub(super) ttl: Option<Duration>,
    pub(super) retry_after: Duration,
    pub(super) unread: Option<Duration>,
    pub(super) on_error: Option<Arc<OnError<E>>>,
}

impl<E> RefreshOptions<E> {
    /// Says when the first load is.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Moves each load by chance, by up to this part of the interval to either side, so that processes which were started
    /// together do not load together.
    ///
    /// # Panics
    ///
    /// If `part` is not from 0 to 0.5.
    #[track_caller]
    pub fn jitter(mut self, part: f64) -> Self {
        assert!((0.0..=0.5).contains(&part), "jitter is a part of the interval, from 0 to 0.5");
        self.jitter = part;
        self
    }

    /// Sets the fresh life of what is loaded, in place of twice the interval. It is for those who read the key through the
    /// cache; [`Refreshed::get`](crate::Refreshed::get) has the last good value, however old.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Tries again this long after a load that failed, and twice as long after each further one, up to the interval.
    ///
    /// # Panics
    ///
    /// If `pause` is zero.
    #[track_caller]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        assert!(!pause.is_zero(), "a load that failed is not tried again at once");
        self.retry_after = pause;
        self
    }

    /// Stops loading once nobody has read the value for `span`. The next read gets what there is, and has it loaded.
    ///
    /// # Panics
    ///
    /// If `span` is zero.
    #[track_caller]
    pub fn stop_when_unread(mut self, span: Duration) -> Self {
        assert!(!span.is_zero(), "nobody reads all the time");
        self.unread = Some(span);
        self
    }

    /// Tells `listener` of each load that failed, on the schedule's task. If it panics, that is all that happens.
    pub fn on_error(mut self, listener: impl Fn(&LoadError<E>) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Arc::new(listener));
        self
    }
}

impl<E> RefreshOptions<E> {
    /// The fresh life of what is loaded.
    pub(crate) fn ttl_for(&self, interval: Duration) -> Duration {
        self.ttl.unwrap_or_else(|| interval.saturating_mul(2))
    }
}

impl<E> Default for RefreshOptions<E> {
    fn default() -> Self {
        let (start, retry_after) = (Start::IfAbsent, Duration::from_secs(1));
        RefreshOptions { start, jitter: 0.0, ttl: None, retry_after, unread: None, on_error: None }
    }
}

impl<E> std::fmt::Debug for RefreshOptions<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshOptions")
            .field("start", &self.start)
            .field("jitter", &self.jitter)
            .field("ttl", &self.ttl)
            .field("retry_after", &self.retry_after)
            .field("stop_when_unread", &self.unread)
            .finish_non_exhaustive()
    }
}
