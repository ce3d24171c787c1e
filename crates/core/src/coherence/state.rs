//! What a process knows of its log: what was marked, and up to where.

use super::marks::{Marks, Since, UNNUMBERED, When};
use super::{Names, Verdict};
use crate::Time;
use crate::planted::{self, Bug};
use crate::shared_log::{Name, News, Position};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The ticks of all groups are drawn from one counter, so that an entry of a store that two groups share is judged rightly
/// by either.
static TICKS: AtomicU64 = AtomicU64::new(0);

fn tick() -> u64 {
    TICKS.fetch_add(1, Relaxed) + 1
}

/// See the module.
#[derive(Default)]
pub(super) struct State {
    marks: Marks,
    /// Up to where the log was applied; `None` before it was heard of.
    pub(super) known: Option<Position>,
    /// What was marked with higher numbers is known. What a log has of lower ones can be asked of it.
    begin: u64,
    /// What began with a lower tick belongs to another era.
    void_below: u64,
    /// What began with a lower tick may have been invalidated without this process having heard of it.
    ask_below: u64,
    /// Marks of tags with numbers up to this are forgotten, in the log too.
    floor: u64,
    /// The same of keys.
    key_floor: u64,
    /// The last tick.
    pub(super) last: u64,
}

/// What was known when something was asked of the log, and when that was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) known: Option<Position>,
    pub(crate) at: Time,
}

/// What came of an answer of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// Everything up to the answer's position is known.
    Confirmed,
    /// The log is another one: all that belonged to the older is void.
    NewEra,
    /// Some of what happened is not told any more: what is older is to be asked about.
    Gap,
    /// It came late, and says nothing that can be used.
    Ignored,
}

impl State {
    /// What is known of a log that nobody shares: all of it.
    pub(super) fn of_era(era: u64) -> Self {
        State { known: Some(Position { era, number: 0 }), ..State::default() }
    }

    /// Marks names that this process invalidates by itself, before or without the log.
    pub(super) fn mark_here(&mut self, names: &[Name], is_shared: bool, now: Time) {
        let tick = tick();
        let number = if is_shared { UNNUMBERED } else { tick };
        self.mark(names.iter().map(|name| (name, number)), tick, now, is_shared);
    }

    /// Marks names that this process invalidated, with the number that the log gave them.
    pub(super) fn mark_numbered(&mut self, names: &[Name], at: Position, now: Time) {
        if self.known.is_some_and(|known| known.era == at.era) {
            self.mark(names.iter().map(|name| (name, at.number)), tick(), now, true);
        } else {
            self.mark_here(names, true, now);
        }
    }

    /// Notes that what was marked without a number has been numbered by now, no higher than this.
    pub(super) fn number(&mut self, names: &[Name], number: u64) {
        self.marks.number(names, number);
    }

    /// Marks names with the numbers that the log gave them.
    fn mark<'a>(
        &mut self,
        names: impl Iterator<Item = (&'a Name, u64)>,
        tick: u64,
        now: Time,
        is_shared: bool,
    ) {
        for (name, number) in names {
            if self.marks.mark(name, When { tick, number }, now) {
                self.last = tick;
            }
        }
        let Some(forgotten) = self.marks.forget_some() else { return };
        self.begin = self.begin.max(forgotten.number);
        let below = if is_shared { &mut self.ask_below } else { &mut self.void_below };
        *below = (*below).max(forgotten.tick);
    }

    /// Takes an answer of the shared log.
    pub(super) fn apply(&mut self, asked: Asked, news: &News, now: Time) -> Applied {
        let Position { era, number } = news.position;
        let same_era = |position: &Position| position.era == era;
        let Some(known) = self.known else {
            self.begin_era(news);
            return Applied::NewEra;
        };
        if !same_era(&known) {
            if planted::is(Bug::EraIgnored) {
                self.known = Some(news.position);
                return Applied::Confirmed;
            }
            // Who asked in an older era yet may be answered late, by a log that is gone.
            if asked.known.is_some_and(|asked| asked.era == known.era) {
                self.begin_era(news);
                return Applied::NewEra;
            }
            return Applied::Ignored;
        }
        (self.floor, self.key_floor) = (self.floor.max(news.floor), self.key_floor.max(news.key_floor));
        if number <= known.number {
            return Applied::Confirmed;
        }
        if !asked.known.as_ref().is_some_and(same_era) {
            // It does not tell what happened since.
            return Applied::Ignored;
        }
        self.known = Some(news.position);
        if planted::is(Bug::StampNotApplied) {
            return Applied::Confirmed;
        }
        match &news.since {
            Some(since) => {
                self.mark(since.iter().map(|(name, number)| (name, *number)), tick(), now, true);
                Applied::Confirmed
            }
            None if planted::is(Bug::GapIgnored) => Applied::Confirmed,
            None => {
                self.begin = number;
                self.last = tick();
                self.ask_below = self.last;
                Applied::Gap
            }
        }
    }

    fn begin_era(&mut self, news: &News) {
        self.marks.clear();
        self.known = Some(news.position);
        self.begin = news.position.number;
        (self.floor, self.key_floor) = (news.floor, news.key_floor);
        self.last = tick();
        (self.void_below, self.ask_below) = (self.last, self.last);
    }

    /// Takes what a bus says was marked. Returns whether the log is to be asked, because something is missing.
    pub(super) fn hear(&mut self, era: u64, number: u64, names: &[Name], now: Time) -> bool {
        let Some(known) = self.known.filter(|known| known.era == era) else { return true };
        if number <= known.number {
            return false;
        }
        self.mark(names.iter().map(|name| (name, number)), tick(), now, true);
        let is_next = number == known.number + 1;
        if is_next {
            self.known = Some(Position { era, number });
        }
        !is_next
    }

    /// Judges a copy in memory that began at this tick.
    pub(super) fn judge(&self, tick: u64, names: Names<'_>) -> Verdict {
        if tick < self.void_below {
            return Verdict::Void;
        }
        match self.marks.judge(names, Since::Tick(tick)) {
            Verdict::Sound | Verdict::Expired(_) if tick < self.ask_below => Verdict::Ask,
            verdict => verdict,
        }
    }

    /// Judges what was read from bytes that were written at this position of the shared log. What the log does not void
    /// by itself, because it is kept elsewhere, is judged by the floor of keys too.
    pub(super) fn judge_read(&self, position: Position, names: Names<'_>, is_voided: bool) -> Verdict {
        let is_of_this_era = self.known.is_some_and(|known| known.era == position.era);
        if !is_of_this_era && !planted::is(Bug::EraIgnored) {
            return Verdict::Void;
        }
        if !is_voided && planted::is(Bug::LowerUnjudged) {
            return Verdict::Sound;
        }
        let number = position.number;
        let is_forgotten =
            (number < self.floor && !names.tags.is_empty()) || (number < self.key_floor && !is_voided);
        if is_forgotten {
            return Verdict::Void;
        }
        match self.marks.judge(names, Since::Number(number)) {
            Verdict::Sound | Verdict::Expired(_) if number < self.begin => Verdict::Ask,
            verdict => verdict,
        }
    }

    /// Whether the log may have forgotten a mark of something written at this number.
    fn is_forgotten(&self, number: u64, has_tags: bool, has_key: bool) -> bool {
        let is_below = (number < self.floor && has_tags) || (number < self.key_floor && has_key);
        is_below && !planted::is(Bug::NoFloor)
    }

    /// Judges what was written at this position by what the log says of its names.
    pub(super) fn judge_told(
        &self,
        position: Option<Position>,
        asked: (&[Name], bool),
        numbers: &[Option<u64>],
        now: Time,
    ) -> Verdict {
        let (names, is_voided) = asked;
        let of_this_era = |position: &Position| self.known.is_some_and(|known| known.era == position.era);
        let Some(position) = position.filter(of_this_era) else { return Verdict::Void };
        let has_tags = names.iter().any(|name| !name.is_key() && !name.is_namespace());
        let has_key = !is_voided && names.iter().any(Name::is_key);
        if numbers.len() != names.len() || self.is_forgotten(position.number, has_tags, has_key) {
            return Verdict::Void;
        }
        let judge = |(name, number): (&Name, &Option<u64>)| match number {
            Some(number) if *number > position.number && name.expires() => Verdict::Expired(now),
            Some(number) if *number > position.number => Verdict::Void,
            _ => Verdict::Sound,
        };
        names.iter().zip(numbers).map(judge).fold(Verdict::Sound, Verdict::and)
    }

    /// Judges what was read from bytes that this process wrote at a tick of its own log.
    pub(super) fn judge_own(&self, tick: u64, names: Names<'_>) -> Verdict {
        if tick < self.begin {
            return Verdict::Void;
        }
        self.marks.judge(names, Since::Number(tick))
    }
}
