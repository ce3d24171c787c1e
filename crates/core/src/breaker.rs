//! The settings of a level's circuit breaker, and its states. The machine is in `circuit`.

use std::fmt;
use std::time::Duration;

/// When a level that fails is left alone, and for how long. See [`Cache::breaker`](crate::Cache::breaker).
///
/// # Default
///
/// - failure rate: 0.5
/// - calls that must have been made: 10
/// - window in which they are counted: 10 s
/// - open for: 5 s, twice that after each probe that fails, up to 60 s
///
/// # Examples
///
/// ```
/// use larder_core::Breaker;
/// use std::time::Duration;
///
/// let patient = Breaker::default().failure_rate(0.9).min_calls(100);
/// assert_ne!(patient, Breaker::default());
/// assert_eq!(Breaker::new().open_for(Duration::from_secs(5)), Breaker::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a breaker does nothing until a level is given it"]
pub struct Breaker {
    pub(crate) on: bool,
    pub(crate) failure_rate: f64,
    pub(crate) min_calls: u32,
    pub(crate) window: Duration,
    pub(crate) open_for: Duration,
}

/// What the span for which a breaker stays open doubles up to, unless it begins longer.
const MOST_OPEN_FOR: Duration = Duration::from_secs(60);

impl Breaker {
    /// Makes the breaker that every level has unless told otherwise.
    pub const fn new() -> Self {
        Breaker {
            on: true,
            failure_rate: 0.5,
            min_calls: 10,
            window: Duration::from_secs(10),
            open_for: Duration::from_secs(5),
        }
    }

    /// Makes one that never opens: each call asks the store.
    pub const fn off() -> Self {
        Breaker { on: false, ..Self::new() }
    }

    /// Opens when `fraction` of the calls in the window failed.
    ///
    /// # Panics
    ///
    /// If `fraction` is not above 0 and at most 1.
    #[track_caller]
    pub const fn failure_rate(mut self, fraction: f64) -> Self {
        assert!(fraction > 0.0 && fraction <= 1.0, "a failure rate is above 0 and at most 1");
        self.failure_rate = fraction;
        self
    }

    /// Stays closed while fewer than `calls` were made in the window, whatever became of them.
    ///
    /// # Panics
    ///
    /// If `calls` is 0.
    #[track_caller]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        assert!(calls > 0, "a breaker judges by at least one call: `Breaker::off()` is one that never opens");
        self.min_calls = calls;
        self
    }

    /// Counts the calls of the last `span`, to a tenth of it.
    ///
    /// # Panics
    ///
    /// If `span` is zero.
    #[track_caller]
    pub const fn window(mut self, span: Duration) -> Self {
        assert!(!span.is_zero(), "a window has a length: `Breaker::off()` is a breaker that never opens");
        self.window = span;
        self
    }

    /// Leaves the store alone for `span` when it opens; twice that after a probe that fails, and so on, up to 60 s,
    /// or `span` if that is longer.
    ///
    /// # Panics
    ///
    /// If `span` is zero.
    #[track_caller]
    pub const fn open_for(mut self, span: Duration) -> Self {
        assert!(!span.is_zero(), "an open breaker stays so for a while: `Breaker::off()` never opens");
        self.open_for = span;
        self
    }

    /// For how long it stays open after `probes` failed in a row.
    pub(crate) fn span_after(&self, probes: u32) -> Duration {
        let doubled = 2_u32.checked_pow(probes).unwrap_or(u32::MAX);
        self.open_for.saturating_mul(doubled).min(self.open_for.max(MOST_OPEN_FOR))
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

/// What a level's breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// Every call.
    Closed,
    /// None until its span is over; then the next call is the probe.
    Open,
    /// None but the probe that is under way.
    HalfOpen,
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half-open",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_doubles_up_to_a_minute_or_to_where_it_begins() {
        let secs = Duration::from_secs;
        let spans = |breaker: Breaker| [0, 1, 3, 4, 100].map(|probes| breaker.span_after(probes));
        assert_eq!(spans(Breaker::new()), [5, 10, 40, 60, 60].map(secs));
        assert_eq!(spans(Breaker::new().open_for(secs(300))), [300; 5].map(secs));
    }

    #[test]
    fn impossible_values_panic_and_name_the_cure() {
        let impossible: [fn() -> Breaker; 6] = [
            || Breaker::new().failure_rate(0.0),
            || Breaker::new().failure_rate(1.1),
            || Breaker::new().failure_rate(f64::NAN),
            || Breaker::new().min_calls(0),
            || Breaker::new().window(Duration::ZERO),
            || Breaker::new().open_for(Duration::ZERO),
        ];
        for make in impossible {
            let panic = std::panic::catch_unwind(make).unwrap_err();
            let message = *panic.downcast::<&str>().unwrap();
            assert!(message.contains("`Breaker::off()`") || message.contains("at most 1"), "{message}");
        }
    }
}
