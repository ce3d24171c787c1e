//! A point on a [`Clock`](crate::Clock)'s own, monotonic line of time.

use std::time::Duration;

/// A point in time, in nanoseconds since an origin that the clock chose.
///
/// Times of one clock can be compared with each other; they say nothing about the wall clock. Arithmetic
/// saturates: [`Time::NEVER`] stays what it is, whatever is added to it.
///
/// # Examples
///
/// ```
/// use larder_core::Time;
/// use std::time::Duration;
///
/// let start = Time::from_nanos(0);
/// let later = start.after(Duration::from_secs(2));
/// assert_eq!(later.since(start), Duration::from_secs(2));
/// assert_eq!(start.since(later), Duration::ZERO);
/// assert_eq!(Time::NEVER.after(Duration::from_secs(1)), Time::NEVER);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The deadline of what does not expire; later than every other time.
    pub const NEVER: Time = Time(u64::MAX);

    /// Makes a time of nanoseconds since the clock's origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Time(nanos)
    }

    /// Returns the nanoseconds since the clock's origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the time `span` later, at most [`Time::NEVER`].
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Time(self.0.saturating_add(nanos(span)))
    }

    /// Returns the time `span` earlier, at least the clock's origin.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Time(self.0.saturating_sub(nanos(span)))
    }

    /// Returns how long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Returns the time left until `deadline`: `None` when it is [`Time::NEVER`], zero when it has passed.
    pub fn until(self, deadline: Time) -> Option<Duration> {
        (deadline != Time::NEVER).then(|| deadline.since(self))
    }
}

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Time::NEVER => f.write_str("never"),
            Time(nanos) => write!(f, "{:?}", Duration::from_nanos(nanos)),
        }
    }
}

/// A duration in whole nanoseconds; past 584 years it is the largest number.
fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
