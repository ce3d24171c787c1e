//! When an entry is reloaded before its end: at a fraction of its life, or early by chance.
//!
//! Early by chance is `XFetch` (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, 2015):
//! with a load that took δ, a request at time t reloads if t − δ·β·ln(r) is past the end, r random in (0, 1]. So each
//! node reloads at another moment, slow loads earlier than quick ones, and popular keys earlier than rare ones. The
//! further from the end, the less likely; before the moment where a request reloads once in a million times nothing is
//! drawn, and a hit costs what it always does.

use crate::Time;
use std::time::Duration;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ahead {
    /// At this fraction of the fresh life.
    At(f64),
    /// By chance, with this β.
    Early(f64),
}

/// −ln of one in a million.
const RARELY: f64 = 13.815_510_557_964_274;

impl Ahead {
    /// The moment before which an entry is not to be reloaded. Its life in this level goes from `begin` to `end`.
    pub(crate) fn refresh_at(self, begin: Time, end: Time, took: Option<Duration>) -> Time {
        if end == Time::NEVER {
            return end;
        }
        match self {
            Ahead::At(fraction) => begin.after(end.since(begin).mul_f64(fraction)),
            Ahead::Early(beta) => end.before(span(took, beta * RARELY)),
        }
    }

    /// Whether to reload at `now`, which is past [`refresh_at`](Self::refresh_at). `draw` gives a number from 0 up to,
    /// but not, 1.
    pub(crate) fn is_due(
        self,
        now: Time,
        end: Time,
        took: Option<Duration>,
        draw: impl FnOnce() -> f64,
    ) -> bool {
        match self {
            Ahead::At(_) => true,
            Ahead::Early(beta) => now.after(span(took, -beta * (1.0 - draw()).ln())) >= end,
        }
    }
}

fn span(took: Option<Duration>, factor: f64) -> Duration {
    let took = took.unwrap_or(Duration::ZERO).as_secs_f64();
    Duration::try_from_secs_f64(took * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Time {
        Time::from_nanos(0).after(seconds * SECOND)
    }

    #[test]
    fn a_fraction_counts_from_the_beginning_of_the_life() {
        assert_eq!(Ahead::At(0.75).refresh_at(at(100), at(200), None), at(175));
        assert_eq!(Ahead::At(0.75).refresh_at(at(100), Time::NEVER, None), Time::NEVER);
    }

    #[test]
    fn early_reloads_become_likely_as_the_end_comes_nearer_than_a_load_takes() {
        let early = Ahead::Early(1.0);
        let share = |now| {
            let due =
                |draw: u32| early.is_due(now, at(1_000), Some(10 * SECOND), || f64::from(draw) / 1_000.0);
            (0..1_000).filter(|draw| due(*draw)).count()
        };

        // exp(-gap / took): e to the -3, -1, -0.1.
        assert_eq!((share(at(970)), share(at(990)), share(at(999))), (49, 367, 904));
        let first = early.refresh_at(at(0), at(1_000), Some(10 * SECOND));
        assert!((at(861)..at(862)).contains(&first));
    }

    #[test]
    fn without_a_known_duration_nothing_is_early() {
        assert_eq!(Ahead::Early(1.0).refresh_at(at(0), at(10), None), at(10));
    }
}
