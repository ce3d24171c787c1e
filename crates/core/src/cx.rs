//! What an operation needs beside the levels: the time, where to report, and what it has seen.

use crate::bulk::Bulk;
use crate::coherence::Verdict;
use crate::counters::Counters;
use crate::envelope::Moment;
use crate::event::{Observers, Operation};
use crate::guard::Witness;
use crate::holds::Fetched;
use crate::record::Token;
use crate::tokens::Tokens;
use crate::{Clock, Coherence, Entry, Error, Freshness, Time};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What an operation needs beside the levels: the time, and where to report.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) coherence: &'a Coherence,
    /// The last tick when the operation began.
    pub(crate) tick: u64,
    /// The key as other processes know it, where the group is one of several processes.
    pub(crate) address: Option<&'a str>,
    /// What the operation has seen of records, for what it writes.
    pub(crate) tokens: Option<&'a Tokens>,
    /// Whether what is not found will be loaded.
    pub(crate) loads: bool,
    /// The number of levels.
    pub(crate) depth: usize,
    pub(crate) counters: &'a Counters,
    pub(crate) observers: &'a Observers,
    /// The number of the first level that is meant.
    pub(crate) base: usize,
    /// The levels that this call leaves out.
    pub(crate) skip: Skip,
    /// What was loaded before this is too old for the call.
    pub(crate) floor: Option<Time>,
    /// Where a read that minds failures leaves the first.
    pub(crate) unread: Option<&'a Unread>,
    pub(crate) keeping: &'a dyn Keeping,
    /// What it shares with the other keys of a bulk operation, if it is a part of one.
    pub(crate) bulk: Option<&'a Arc<Bulk>>,
}

/// Says for how long each level keeps for failures what was expired.
pub(crate) trait Keeping: Send + Sync {
    fn kept_at(&self, level: usize) -> Duration;
}

/// Levels that a call does not read from, or does not write to; a bit a level.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skip {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
}

/// The first failure of a store in a read.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) error: OnceLock<Error>,
    /// Whether the read ends with it: no level behind is asked.
    pub(crate) is_the_end: bool,
}

impl std::fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Cx<'_> {
    /// The context of the levels after the first `levels`.
    pub(crate) fn below(mut self, levels: usize) -> Self {
        self.base += levels;
        self
    }

    /// The parts that say where and when.
    pub(crate) fn witness(&self) -> Witness<'_> {
        let level = self.counters.level(self.base);
        Witness { clock: &**self.clock, level, observers: self.observers }
    }

    /// Whether the call does not read from this level.
    pub(crate) fn skips_read(&self) -> bool {
        self.skip.reads >> self.base & 1 == 1
    }

    /// Whether the call does not write to this level.
    pub(crate) fn skips_write(&self) -> bool {
        self.skip.writes >> self.base & 1 == 1
    }

    /// What the marks, and the time, leave of a value that the level keeps itself.
    pub(crate) async fn judged<V: Send + Sync>(&self, entry: Entry<V>) -> Option<Fetched<V>> {
        let verdict = self.coherence.judge_thoroughly(&entry, self.address, self.clock.now_exact()).await;
        self.left(entry, verdict)
    }

    /// What such a verdict, and the time, leave of an entry.
    pub(crate) fn left<V>(&self, entry: Entry<V>, verdict: Verdict) -> Option<Fetched<V>> {
        let entry = Coherence::left(entry, verdict, || self.keeping.kept_at(self.base))?;
        Fetched::of(entry, self.base, self.clock.now_exact())
    }

    /// Whether a guard is planted where nothing is: for what is loaded, or copied from a level behind.
    pub(crate) fn plants(&self) -> bool {
        self.tokens.is_some() && (self.loads || self.base + 1 < self.depth)
    }

    pub(crate) fn note_token(&self, token: Option<Token>) {
        if let (Some(tokens), Some(token)) = (self.tokens, token) {
            tokens.note(self.base, token);
        }
    }

    /// The token of the record that the operation has seen at this level.
    pub(crate) fn token(&self) -> Option<Token> {
        self.tokens?.of(self.base)
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment::of(&**self.clock)
    }

    /// Puts the level's name on the error.
    pub(crate) fn at_level(&self, error: Error) -> Error {
        error.at_level(&*self.counters.level(self.base).name)
    }

    /// Counts and reports that the level failed, and returns the error with the level's name on it.
    pub(crate) fn failed(&self, operation: Operation, error: Error) -> Error {
        let error = self.observers.level_failed(self.counters.level(self.base), operation, error);
        if let Some(unread) = self.unread
            && operation == Operation::Read
            && !error.kind().is_about_the_value()
        {
            let _ = unread.error.set(error.clone());
        }
        error
    }

    /// Whether a level in front failed to answer.
    pub(crate) fn has_failed(&self) -> bool {
        self.unread.is_some_and(|unread| unread.error.get().is_some())
    }

    /// Whether no level behind needs to be asked.
    pub(crate) fn is_settled_by<V>(&self, found: &Fetched<V>) -> bool {
        found.freshness == Freshness::Fresh && !self.is_too_old(found)
    }

    /// Whether the call has no use for it.
    pub(crate) fn is_too_old<V>(&self, found: &Fetched<V>) -> bool {
        Some(found.entry.loaded_at()) < self.floor
    }

    /// Whether a level has failed and none behind it is to be asked.
    pub(crate) fn gives_up(&self) -> bool {
        self.unread.is_some_and(|unread| unread.is_the_end && unread.error.get().is_some())
    }
}
