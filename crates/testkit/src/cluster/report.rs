//! What runs came to.

use super::history::{Answer, History};
use super::network::Place;
use super::operations::Operation;
use super::run::Ran;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// What one run of a simulated cluster came to, or several together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many runs these are.
    pub runs: u64,
    /// Calls of caches.
    pub calls: u64,
    /// Reads that were answered with a page, whether or not it was loaded for them.
    pub answered: u64,
    /// Invalidations that returned without an error: removals, expirations, insertions, clears.
    pub invalidations: u64,
    /// Calls that returned an error.
    pub failed: u64,
    /// Loads that began.
    pub loads: u64,
    /// How often each place was asked for what: `shared get`, `lower put`, `bus publish`.
    pub round_trips: BTreeMap<String, u64>,
    /// Deliveries, timers and the like.
    pub events: u64,
    /// Virtual time.
    pub time: Duration,
    /// A number that is the same for the same history, and else is not.
    pub fingerprint: u64,
}

impl Report {
    pub(crate) fn of(ran: &Ran) -> Self {
        let history = &ran.history;
        let mut report = Report {
            runs: 1,
            calls: history.calls.len() as u64,
            events: ran.events,
            time: ran.time,
            fingerprint: fingerprint(history),
            ..Report::default()
        };
        for call in &history.calls {
            match &call.end {
                Some((_, Answer::Read(Some(_)))) => report.answered += 1,
                Some((_, Answer::Done)) if call.operation.extent().is_some() => report.invalidations += 1,
                Some((_, Answer::Failed(_))) => report.failed += 1,
                _ => {}
            }
        }
        let inserted = history.calls.iter().filter(|call| matches!(call.operation, Operation::Insert(_)));
        report.loads = (history.pages.len() - inserted.count()) as u64;
        for ((place, what), times) in &history.round_trips {
            let place = match place {
                Place::Shared => "shared",
                Place::Lower => "lower",
                Place::Bus => "bus",
            };
            report.round_trips.insert(format!("{place} {what}"), *times);
        }
        report
    }

    /// Adds what another run came to.
    pub(crate) fn add(&mut self, other: Report) {
        self.runs += other.runs;
        self.calls += other.calls;
        self.answered += other.answered;
        self.invalidations += other.invalidations;
        self.failed += other.failed;
        self.loads += other.loads;
        self.events += other.events;
        self.time += other.time;
        // The sum does not depend on which thread ran what.
        self.fingerprint = self.fingerprint.wrapping_add(other.fingerprint);
        for (what, times) in other.round_trips {
            *self.round_trips.entry(what).or_default() += times;
        }
    }
}

fn fingerprint(history: &History) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (at, note) in &history.notes {
        (at, std::mem::discriminant(note)).hash(&mut hasher);
    }
    for call in &history.calls {
        let page = match &call.end {
            Some((_, Answer::Read(Some(page)))) => Some(page.number()),
            _ => None,
        };
        (call.node, call.life, call.began, call.end.as_ref().map(|(at, _)| *at), page).hash(&mut hasher);
    }
    hasher.finish()
}
