//! The log of invalidations in the shared server: era, counter, marks, tail and floors, as the contract of `SharedLog` has them.

use super::planted::{ServerBug, is};
use super::random::Random;
use larder_core::{Name, News, Position};
use std::collections::{BTreeMap, VecDeque};

/// How much of the log is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Marks of tags.
    pub(crate) tags: usize,
    /// Marks of keys.
    pub(crate) keys: usize,
    /// Invalidations that can be told one by one.
    pub(crate) tail: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct LogState {
    era: u64,
    /// Which server wrote it.
    server: u64,
    number: u64,
    marks: BTreeMap<Name, u64>,
    tail: VecDeque<(u64, Vec<Name>)>,
    /// The last number that the tail no longer has.
    told_from: u64,
    floor: u64,
    key_floor: u64,
    /// It goes with the marks: where it is missing, some of them are.
    sentinel: bool,
    /// What was counted and not marked, by a store with a bug.
    late: Vec<(u64, Vec<Name>)>,
}

impl LogState {
    /// Returns the log that `server` goes on with: the one that is there, or a new era where anything speaks against that.
    pub(crate) fn checked<'a>(
        log: &'a mut Option<LogState>,
        server: u64,
        known: Option<Position>,
        random: &mut Random,
    ) -> &'a mut LogState {
        let sound = |log: &LogState| {
            let ahead = known.is_some_and(|known| known.era == log.era && known.number > log.number);
            let any_server = is(ServerBug::NoIdentity) || is(ServerBug::NeitherIdentityNorRegress);
            let is_ahead = ahead && !is(ServerBug::NeitherIdentityNorRegress);
            let has_all = log.sentinel || is(ServerBug::MarksLostAlone);
            (log.server == server || any_server) && has_all && !is_ahead
        };
        if !log.as_ref().is_some_and(sound) {
            *log = None;
        }
        if is(ServerBug::NotAtomic)
            && let Some(log) = log
            && random.happens(500)
        {
            log.mark_late();
        }
        log.get_or_insert_with(|| LogState {
            era: random.next(),
            server,
            number: 0,
            marks: BTreeMap::new(),
            tail: VecDeque::new(),
            told_from: 0,
            floor: 0,
            key_floor: 0,
            sentinel: true,
            late: Vec::new(),
        })
    }

    /// Marks the names with the next number, which is returned.
    pub(crate) fn mark(&mut self, names: &[Name], kept: Kept) -> u64 {
        self.number += 1;
        if is(ServerBug::NotAtomic) {
            self.late.push((self.number, names.to_vec()));
            return self.number;
        }
        for name in names {
            self.marks.insert(name.clone(), self.number);
        }
        self.tail.push_back((self.number, names.to_vec()));
        while self.tail.len() > kept.tail {
            self.told_from = self.tail.pop_front().map_or(self.told_from, |(number, _)| number);
        }
        self.floor = self.floor.max(self.forget(kept.tags, |name| !name.is_key() && !name.is_namespace()));
        self.key_floor = self.key_floor.max(self.forget(kept.keys, Name::is_key));
        self.number
    }

    /// Marks what was counted before.
    fn mark_late(&mut self) {
        for (number, names) in std::mem::take(&mut self.late) {
            self.marks.extend(names.iter().map(|name| (name.clone(), number)));
            self.tail.push_back((number, names));
        }
    }

    /// Forgets the oldest marks of a sort, and returns the highest number among them.
    fn forget(&mut self, most: usize, sort: impl Fn(&Name) -> bool) -> u64 {
        let mut marks: Vec<_> = self.marks.iter().filter(|(name, _)| sort(name)).collect();
        let Some(too_many @ 1..) = marks.len().checked_sub(most) else { return 0 };
        marks.sort_by_key(|(_, number)| **number);
        let gone: Vec<_> =
            marks.into_iter().take(too_many).map(|(name, number)| (name.clone(), *number)).collect();
        for (name, _) in &gone {
            self.marks.remove(name);
        }
        gone.iter().map(|(_, number)| *number).max().unwrap_or(0)
    }

    pub(crate) fn marks(&self, names: &[Name]) -> Vec<Option<u64>> {
        names.iter().map(|name| self.marks.get(name).copied()).collect()
    }

    /// Where the log stands, and what was marked since.
    pub(crate) fn news(&self, known: Option<Position>) -> News {
        let position = Position { era: self.era, number: self.number };
        let since = match known.filter(|known| known.era == self.era) {
            None => Some(Vec::new()),
            Some(known) if known.number < self.told_from => None,
            Some(known) => Some(self.told_after(known.number)),
        };
        News { position, since, floor: self.floor, key_floor: self.key_floor }
    }

    fn told_after(&self, number: u64) -> Vec<(Name, u64)> {
        let mut last = BTreeMap::new();
        for (number, names) in self.tail.iter().filter(|(marked, _)| *marked > number) {
            last.extend(names.iter().map(|name| (name.clone(), *number)));
        }
        last.into_iter().collect()
    }

    /// Loses the marks and what went with them, as a server that evicts under pressure does.
    pub(crate) fn lose_marks(&mut self) {
        self.marks.clear();
        self.sentinel = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Kept = Kept { tags: 2, keys: 2, tail: 3 };

    fn log() -> (Option<LogState>, Random) {
        (None, Random::of(1, "log"))
    }

    #[test]
    fn news_are_what_was_marked_since_each_name_with_its_last_number() {
        let (mut log, mut random) = log();
        let log = LogState::checked(&mut log, 1, None, &mut random);
        let start = log.news(None);
        assert_eq!((start.position.number, start.since), (0, Some(vec![])));

        log.mark(&[Name::tag("a")], KEPT);
        log.mark(&[Name::tag("a"), Name::key("k:1")], KEPT);

        let news = log.news(Some(start.position));
        assert_eq!(news.since.unwrap(), [(Name::key("k:1"), 2), (Name::tag("a"), 2)]);
        assert_eq!(news.position.number, 2);
        let stranger = Position { era: news.position.era ^ 1, number: 1 };
        assert_eq!(log.news(Some(stranger)).since, Some(vec![]));
    }

    #[test]
    fn what_is_not_told_any_more_is_a_gap_and_what_is_forgotten_raises_the_floors() {
        let (mut log, mut random) = log();
        let log = LogState::checked(&mut log, 1, None, &mut random);
        let start = log.news(None).position;
        for tag in ["a", "b", "c", "d"] {
            log.mark(&[Name::tag(tag), Name::namespace("n:")], KEPT);
        }
        let news = log.news(Some(start));
        assert_eq!((news.since, news.floor, news.key_floor), (None, 2, 0));
        assert_eq!(log.news(Some(Position { number: 1, ..start })).since.unwrap().len(), 4);
        let names = [Name::tag("b"), Name::tag("c"), Name::namespace("n:")];
        assert_eq!(log.marks(&names), [None, Some(3), Some(4)]);

        for key in ["n:1", "n:2", "n:3"] {
            log.mark(&[Name::key(key)], KEPT);
        }
        assert_eq!(log.news(None).key_floor, 5);
    }

    #[test]
    fn a_new_era_begins_whatever_the_loss_was() {
        let losses: [fn(&mut Option<LogState>, &mut u64, &mut Option<Position>); 4] = [
            |log, _, _| *log = None,
            |_, server, _| *server = 2,
            |log, _, _| log.as_mut().unwrap().lose_marks(),
            |_, _, known| known.as_mut().unwrap().number += 1,
        ];
        for lose in losses {
            let (mut log, mut random) = log();
            let state = LogState::checked(&mut log, 1, None, &mut random);
            state.mark(&[Name::tag("a")], KEPT);
            let before = state.news(None).position;
            let (mut server, mut known) = (1, Some(before));
            assert_eq!(
                LogState::checked(&mut log, 1, known, &mut random).news(None).position,
                before,
                "no loss"
            );

            lose(&mut log, &mut server, &mut known);

            let after = LogState::checked(&mut log, server, known, &mut random);
            assert_ne!(after.news(None).position.era, before.era);
            assert_eq!(after.news(None).position.number, 0);
            assert_eq!(after.marks(&[Name::tag("a")]), [None]);
        }
    }
}
