//! Judges the history of a run.
//!
//! *What is invalidated stays so.* An invalidation that returned without an error condemns what was loaded, or inserted,
//! before it began. A condemned page must not be an answer to a call that begins
//!
//! - on the same process, after the invalidation returned;
//! - on another one, later than the bound after that;
//! - on another one, after the invalidation returned, where the node has nothing of the key and asks the shared level.
//!
//! So what comes back after it was gone is found too. *What is read is true*: a page is the one that was made for this key, from versions
//! which there were. *Every call ends*, when the faults are over.

use super::agenda::Moment;
use super::history::{Answer, Call, History, LoadEnd, Note};
use super::operations::{Extent, Operation};
use super::page::Page;
use std::time::Duration;

/// What is promised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promises {
    /// For how long other processes may serve what was invalidated. `None`: nothing is promised about invalidations.
    pub(crate) bound: Option<Duration>,
}

/// A promise that was broken, by the numbers of the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    /// `read` was answered with a page that `invalidation` condemned.
    Stale { read: usize, invalidation: usize },
    /// `read` was answered with the page of another key.
    Foreign { read: usize },
    /// `read` was answered with a page that nobody made, or not so, or not yet.
    Untrue { read: usize },
    /// `call` did not end.
    Endless { call: usize },
}

/// Returns the first promise that was broken.
pub(crate) fn check(history: &History, promises: &Promises) -> Result<(), Breach> {
    let invalidations: Vec<_> = history
        .calls
        .iter()
        .enumerate()
        .filter_map(|(number, call)| match (&call.end, call.operation.extent()) {
            (Some((returned, Answer::Done)), Some(extent)) => {
                Some(Invalidation { number, call, returned: *returned, extent, is_pending: false })
            }
            // The log did not take it. It holds in the process that called it.
            (Some((returned, Answer::Failed(why))), Some(extent)) if why.contains("is pending") => {
                Some(Invalidation { number, call, returned: *returned, extent, is_pending: true })
            }
            _ => None,
        })
        .collect();
    for (number, call) in history.calls.iter().enumerate() {
        let Some((ended, answer)) = &call.end else { return Err(Breach::Endless { call: number }) };
        let (Answer::Read(Some(page)), Some(key)) = (answer, call.operation.read()) else { continue };
        if page.key() != key {
            return Err(Breach::Foreign { read: number });
        }
        if !is_true(history, page, *ended) {
            return Err(Breach::Untrue { read: number });
        }
        let Some(bound) = promises.bound else { continue };
        let condemned =
            |invalidation: &&Invalidation<'_>| invalidation.condemns(history, (call, key), page, bound);
        if let Some(invalidation) = invalidations.iter().find(condemned) {
            return Err(Breach::Stale { read: number, invalidation: invalidation.number });
        }
    }
    Ok(())
}

/// Whether this is a page that was made, from versions that had been written by then.
fn is_true(history: &History, page: &Page, by: Moment) -> bool {
    let made = history.pages.get(&page.number());
    let as_made = made.is_some_and(|origin| origin.page.as_ref() == Some(page) && origin.began < by);
    let written = |row, version| {
        version == 0 || history.written.get(&(row, version)).is_some_and(|written| *written < by)
    };
    as_made && page.rows().iter().all(|(row, version)| written(*row, *version))
}

/// An invalidation that returned without an error, or is pending.
struct Invalidation<'a> {
    number: usize,
    call: &'a Call,
    returned: Moment,
    extent: Extent,
    is_pending: bool,
}

impl Invalidation<'_> {
    /// Whether `page` must not have been the answer to this read of `key`.
    fn condemns(&self, history: &History, (read, key): (&Call, u64), page: &Page, bound: Duration) -> bool {
        if !self.extent.covers(key) || !self.is_known_to(read, bound) {
            return false;
        }
        let settled = history.pages.get(&page.number()).and_then(|origin| origin.settled);
        settled.is_some_and(|settled| settled < self.call.began)
            && !self.was_fallen_back_on(history, read, key)
    }

    fn is_known_to(&self, read: &Call, bound: Duration) -> bool {
        if read.began < self.returned {
            return false;
        }
        let same_process = (self.call.node, self.call.life) == (read.node, read.life);
        if self.is_pending {
            return same_process;
        }
        same_process || read.from_nothing || read.began.time > self.returned.time + bound
    }

    /// What was expired, and not removed, may stand in for a load that failed.
    fn was_fallen_back_on(&self, history: &History, read: &Call, key: u64) -> bool {
        let failed = |(at, note): &(Moment, Note)| match note {
            Note::LoadEnded { node, key: of, end: LoadEnd::Failed, .. } => {
                *node == read.node && *of == key && read.end.as_ref().is_some_and(|(end, _)| at < end)
            }
            _ => false,
        };
        let may = matches!(self.call.operation, Operation::Expire(_) | Operation::ExpireTag(_))
            && read.operation == Operation::Load(key);
        may && history.notes.iter().any(failed)
    }
}

#[cfg(test)]
mod tests;
