//! How long a record has, in the server's terms: milliseconds from now on.

use larder_core::{Clock, SystemClock};
use std::time::{Duration, SystemTime};

/// Ten thousand years. The server adds it to its own time and must not overflow.
const LONGEST_MILLIS: u64 = 10_000 * 366 * 24 * 3600 * 1_000;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Lasts {
    ForEver,
    Millis(u64),
    /// It is dead already.
    Over,
}

impl Lasts {
    /// Judges by the time of day here, so that only the length of a life depends on the server's clock.
    pub(crate) fn until(expires_at: Option<SystemTime>) -> Self {
        let Some(expires_at) = expires_at else { return Lasts::ForEver };
        match expires_at.duration_since(SystemClock.wall()) {
            Ok(left) if !left.is_zero() => Lasts::Millis(millis(left)),
            _ => Lasts::Over,
        }
    }
}

/// Whole milliseconds, upwards: it must not be forgotten too early.
pub(crate) fn millis(span: Duration) -> u64 {
    let millis = span.as_nanos().div_ceil(1_000_000).clamp(1, u128::from(LONGEST_MILLIS));
    u64::try_from(millis).unwrap_or(LONGEST_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_rounded_up_to_milliseconds_and_never_more_than_the_server_can_add() {
        for (span, expected) in [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_millis(250), 250),
            (Duration::from_nanos(250_000_001), 251),
            (Duration::MAX, 316_224_000_000_000),
        ] {
            assert_eq!(millis(span), expected, "{span:?}");
        }
    }

    #[test]
    fn what_has_passed_is_over_and_what_has_no_end_lasts() {
        assert!(matches!(Lasts::until(None), Lasts::ForEver));
        assert!(matches!(Lasts::until(Some(SystemTime::UNIX_EPOCH)), Lasts::Over));
        assert!(matches!(Lasts::until(Some(SystemClock.wall())), Lasts::Over));
        let ahead = SystemClock.wall() + Duration::from_secs(100);
        let Lasts::Millis(left) = Lasts::until(Some(ahead)) else { panic!("it lies ahead") };
        assert!((90_000..=100_000).contains(&left), "{left}");
    }
}
