//! The circuit breaker of one level: what it counts, and when it opens and closes.
//!
//! ```text
//!            enough of the calls in the window failed
//!   closed ───────────────────────────────────────────▶ open ◀──┐
//!     ▲                                                  │      │ it fails: open twice as long
//!     │ it is answered                    its span is over,     │ it says nothing: open, and its span over
//!     └───────────────────────────────── half-open: one probe ──┘
//! ```
//!
//! A machine without time or locks of its own: it is told when it is. Each change begins a new epoch, so that a call
//! which began in an older one says nothing about this one.

use crate::Time;
use crate::breaker::{Breaker, BreakerState};
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(crate) struct Circuit {
    phase: Phase,
    epoch: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Window),
    /// Until this time, after so many probes in a row that failed.
    Open(Time, u32),
    /// A probe is under way since then, after so many that failed.
    HalfOpen(Time, u32),
}

/// The right to make one call, to be handed back with what became of it.
#[derive(Debug)]
pub(crate) struct Pass {
    epoch: u64,
    /// The state that was entered for this call, if one was.
    pub(crate) change: Option<BreakerState>,
}

/// What a call says about the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Answered,
    Failed,
    /// It was dropped, or cut off with its runtime.
    Nothing,
}

/// After this time a probe that has not ended is given up: longer than what `clear` is given by default.
const PATIENCE: Duration = Duration::from_secs(60);

impl Circuit {
    pub(crate) fn new() -> Self {
        Circuit { phase: Phase::Closed(Window::default()), epoch: 0 }
    }

    pub(crate) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed(_) => BreakerState::Closed,
            Phase::Open(..) => BreakerState::Open,
            Phase::HalfOpen(..) => BreakerState::HalfOpen,
        }
    }

    /// Lets a call through, or says how long none will be; `None` for as long as the probe takes.
    pub(crate) fn admit(&mut self, now: Time) -> Result<Pass, Option<Duration>> {
        let change = match self.phase {
            Phase::Closed(_) => None,
            Phase::Open(until, probes) if until <= now => Some(self.enter(Phase::HalfOpen(now, probes))),
            Phase::Open(until, _) => return Err(Some(until.since(now))),
            // A probe that nobody polls has no time-out either.
            Phase::HalfOpen(since, probes) if now.since(since) > PATIENCE => {
                Some(self.enter(Phase::HalfOpen(now, probes)))
            }
            Phase::HalfOpen(..) => return Err(None),
        };
        Ok(Pass { epoch: self.epoch, change })
    }

    /// Takes a pass back. Returns the state, if that has changed.
    pub(crate) fn end(
        &mut self,
        settings: &Breaker,
        pass: &Pass,
        verdict: Verdict,
        now: Time,
    ) -> Option<BreakerState> {
        if pass.epoch != self.epoch {
            return None;
        }
        let next = match (&mut self.phase, verdict) {
            (Phase::Closed(window), _) => {
                if !window.note(settings, verdict, now) {
                    return None;
                }
                Phase::Open(now.after(settings.span_after(0)), 0)
            }
            (Phase::HalfOpen(..), Verdict::Answered) => Phase::Closed(Window::default()),
            (Phase::HalfOpen(_, probes), Verdict::Failed) => {
                let probes = probes.saturating_add(1);
                Phase::Open(now.after(settings.span_after(probes)), probes)
            }
            // The next call is the probe instead.
            (Phase::HalfOpen(_, probes), Verdict::Nothing) => Phase::Open(now, *probes),
            // Nobody has a pass of this epoch.
            (Phase::Open(..), _) => return None,
        };
        Some(self.enter(next))
    }

    fn enter(&mut self, phase: Phase) -> BreakerState {
        self.phase = phase;
        self.epoch += 1;
        self.state()
    }
}

const BUCKETS: usize = 10;

/// The calls of the last while, in a ring of buckets.
#[derive(Debug, Default)]
struct Window {
    buckets: [Bucket; BUCKETS],
    /// The number of the newest bucket, on a line where each is a tenth of the window long.
    newest: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    calls: u32,
    failures: u32,
}

impl Window {
    /// Notes a call. Returns whether too many have failed, this one among them.
    fn note(&mut self, settings: &Breaker, verdict: Verdict, now: Time) -> bool {
        if verdict == Verdict::Nothing {
            return false;
        }
        let failed = verdict == Verdict::Failed;
        let length = u64::try_from(settings.window.as_nanos() / BUCKETS as u128).unwrap_or(u64::MAX).max(1);
        // Another thread may have looked at the clock after us and come before.
        let number = (now.as_nanos() / length).max(self.newest);
        for old in (self.newest + 1..=number).rev().take(BUCKETS) {
            *self.bucket(old) = Bucket::default();
        }
        self.newest = number;
        let bucket = self.bucket(number);
        bucket.calls = bucket.calls.saturating_add(1);
        bucket.failures = bucket.failures.saturating_add(u32::from(failed));

        let sum =
            |part: fn(&Bucket) -> u32| self.buckets.iter().map(|bucket| u64::from(part(bucket))).sum::<u64>();
        let (calls, failures) = (sum(|bucket| bucket.calls), sum(|bucket| bucket.failures));
        failed
            && calls >= u64::from(settings.min_calls)
            && is_at_least(failures, calls, settings.failure_rate)
    }

    fn bucket(&mut self, number: u64) -> &mut Bucket {
        let index = number % BUCKETS as u64;
        &mut self.buckets[usize::try_from(index).expect("it is below the number of buckets")]
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 52 bits")]
fn is_at_least(part: u64, whole: u64, fraction: f64) -> bool {
    part as f64 >= fraction * whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const SETTINGS: Breaker = Breaker::new();

    fn at(seconds: u32) -> Time {
        Time::from_nanos(0).after(seconds * SECOND)
    }

    fn call(circuit: &mut Circuit, verdict: Verdict, now: Time) -> BreakerState {
        let pass = circuit.admit(now).unwrap();
        circuit.end(&SETTINGS, &pass, verdict, now);
        circuit.state()
    }

    fn opened(now: Time) -> Circuit {
        let mut circuit = Circuit::new();
        for _ in 0..10 {
            call(&mut circuit, Verdict::Failed, now);
        }
        assert_eq!(circuit.state(), BreakerState::Open);
        circuit
    }

    #[test]
    fn a_probe_that_nobody_polls_makes_room_for_another_one() {
        let (mut circuit, settings) = (Circuit::new(), Breaker::default().min_calls(1));
        let start = Time::from_nanos(0);
        let first = circuit.admit(start).unwrap();
        circuit.end(&settings, &first, Verdict::Failed, start);
        let open = start.after(Duration::from_secs(3_600));
        let held = circuit.admit(open).unwrap();
        assert!(circuit.admit(open.after(PATIENCE)).is_err());

        let next = circuit.admit(open.after(PATIENCE + Duration::from_nanos(1))).unwrap();
        assert_eq!(circuit.end(&settings, &held, Verdict::Failed, open), None, "it says nothing any more");
        assert_eq!(circuit.end(&settings, &next, Verdict::Answered, open), Some(BreakerState::Closed));
    }

    #[test]
    fn it_opens_at_the_rate_once_there_were_enough_calls() {
        let mut circuit = Circuit::new();
        for _ in 0..9 {
            assert_eq!(call(&mut circuit, Verdict::Failed, at(0)), BreakerState::Closed);
        }
        assert_eq!(call(&mut circuit, Verdict::Failed, at(0)), BreakerState::Open);

        let mut circuit = Circuit::new();
        for _ in 0..10 {
            call(&mut circuit, Verdict::Answered, at(0));
        }
        for _ in 0..9 {
            assert_eq!(call(&mut circuit, Verdict::Failed, at(0)), BreakerState::Closed);
        }
        assert_eq!(call(&mut circuit, Verdict::Failed, at(0)), BreakerState::Open, "10 of 20");
    }

    #[test]
    fn what_lies_before_the_window_does_not_count() {
        let mut circuit = Circuit::new();
        for second in 0..100 {
            // Nine in any ten seconds.
            if second % 10 != 9 {
                assert_eq!(call(&mut circuit, Verdict::Failed, at(second)), BreakerState::Closed, "{second}");
            }
        }
        // And a long while without any call.
        for _ in 0..9 {
            assert_eq!(call(&mut circuit, Verdict::Failed, at(1_000_000)), BreakerState::Closed);
        }
        assert_eq!(call(&mut circuit, Verdict::Failed, at(1_000_009)), BreakerState::Open);
    }

    #[test]
    fn a_call_that_says_nothing_is_not_counted() {
        let mut circuit = Circuit::new();
        for _ in 0..100 {
            assert_eq!(call(&mut circuit, Verdict::Nothing, at(0)), BreakerState::Closed);
        }
        for _ in 0..9 {
            assert_eq!(call(&mut circuit, Verdict::Failed, at(0)), BreakerState::Closed);
        }
    }

    #[test]
    fn one_probe_at_a_time_when_the_span_is_over() {
        let mut circuit = opened(at(0));
        assert_eq!(circuit.admit(at(4)).unwrap_err(), Some(SECOND));
        let probe = circuit.admit(at(5)).unwrap();
        assert_eq!(circuit.admit(at(5)).unwrap_err(), None);
        assert_eq!(circuit.end(&SETTINGS, &probe, Verdict::Answered, at(6)), Some(BreakerState::Closed));
        // With a window of its own.
        for _ in 0..9 {
            assert_eq!(call(&mut circuit, Verdict::Failed, at(6)), BreakerState::Closed);
        }
    }

    #[test]
    fn each_probe_that_fails_doubles_the_span_until_one_is_answered() {
        let mut circuit = opened(at(0));
        let mut now = at(5);
        for span in [10, 20, 40, 60, 60] {
            assert_eq!(call(&mut circuit, Verdict::Failed, now), BreakerState::Open);
            assert_eq!(circuit.admit(now).unwrap_err(), Some(span * SECOND));
            now = now.after(span * SECOND);
        }
        assert_eq!(call(&mut circuit, Verdict::Answered, now), BreakerState::Closed);
        for _ in 0..10 {
            call(&mut circuit, Verdict::Failed, now);
        }
        assert_eq!(circuit.admit(now).unwrap_err(), Some(5 * SECOND));
    }

    #[test]
    fn after_a_probe_that_says_nothing_the_next_call_is_one() {
        let mut circuit = opened(at(0));
        call(&mut circuit, Verdict::Failed, at(5));
        assert_eq!(call(&mut circuit, Verdict::Nothing, at(15)), BreakerState::Open);
        assert_eq!(call(&mut circuit, Verdict::Failed, at(15)), BreakerState::Open);
        assert_eq!(circuit.admit(at(15)).unwrap_err(), Some(20 * SECOND), "the second that failed");
    }

    #[test]
    fn a_call_that_began_before_a_change_says_nothing_after_it() {
        let mut circuit = Circuit::new();
        let old = circuit.admit(at(0)).unwrap();
        for _ in 0..10 {
            call(&mut circuit, Verdict::Failed, at(0));
        }
        assert_eq!(circuit.end(&SETTINGS, &old, Verdict::Answered, at(1)), None);
        let probe = circuit.admit(at(5)).unwrap();
        assert_eq!(circuit.end(&SETTINGS, &old, Verdict::Answered, at(5)), None);
        circuit.end(&SETTINGS, &probe, Verdict::Failed, at(5));
        assert_eq!(circuit.end(&SETTINGS, &probe, Verdict::Answered, at(5)), None);
        assert_eq!(circuit.state(), BreakerState::Open);
    }
}
