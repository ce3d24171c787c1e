//! Durations that read as what they are, for the arguments of combinators.

use std::time::Duration;

/// Returns a duration of `n` milliseconds.
///
/// # Examples
///
/// ```
/// assert_eq!(larder::millis(1_500), std::time::Duration::from_millis(1_500));
/// ```
pub const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Returns a duration of `n` seconds.
///
/// # Examples
///
/// ```
/// assert_eq!(larder::secs(90), larder::millis(90_000));
/// ```
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Returns a duration of `n` minutes.
///
/// # Panics
///
/// Where `n` minutes are more seconds than a `u64` holds: 300 billion years.
///
/// # Examples
///
/// ```
/// assert_eq!(larder::minutes(2), larder::secs(120));
/// ```
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// Returns a duration of `n` hours.
///
/// # Panics
///
/// Where `n` hours are more seconds than a `u64` holds: 300 billion years.
///
/// # Examples
///
/// ```
/// assert_eq!(larder::hours(2), larder::minutes(120));
/// ```
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(3_600 * n)
}
