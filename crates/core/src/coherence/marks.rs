//! When each name was last invalidated: a bounded table.

use super::{Names, Verdict};
use crate::Time;
use crate::shared_log::Name;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// So many names are known, what a table of 2^17 places has room for. Beyond that, the older half is forgotten.
const MOST: usize = 7 << 14;

/// The number of a mark that the log has not numbered yet: higher than all of its numbers.
pub(super) const UNNUMBERED: u64 = u64::MAX;

/// See the module. Names are kept as hashes of 64 bits: two that collide are invalidated together, which is a miss and
/// nothing worse, and what a name takes does not depend on its length.
#[derive(Default)]
pub(super) struct Marks {
    names: HashMap<u64, Mark, BuildHasherDefault<AsIs>>,
    hasher: RandomState,
}

/// When a name was last invalidated, in either way; 0 for never.
#[derive(Clone, Copy)]
struct Mark {
    removed: When,
    expired: When,
    expired_at: Time,
}

/// A moment in the two counts: that of this process, and that of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    pub(super) tick: u64,
    pub(super) number: u64,
}

const NEVER: When = When { tick: 0, number: 0 };

/// Since when something is to be judged, by either count.
#[derive(Clone, Copy, Debug)]
pub(super) enum Since {
    Tick(u64),
    Number(u64),
}

impl Since {
    fn is_before(self, when: When) -> bool {
        match self {
            Since::Tick(tick) => when.tick > tick,
            Since::Number(number) => when.number > number,
        }
    }
}

impl Marks {
    fn id(&self, what: u8, text: &str) -> u64 {
        self.hasher.hash_one((what, text))
    }

    /// Marks a name, unless it has this mark, or a later one, already. Returns whether it did.
    pub(super) fn mark(&mut self, name: &Name, when: When, now: Time) -> bool {
        let (what, text) = name.parts();
        let id = self.id(what, text);
        let none = Mark { removed: NEVER, expired: NEVER, expired_at: Time::from_nanos(0) };
        let mark = self.names.entry(id).or_insert(none);
        let last = if name.expires() { &mut mark.expired } else { &mut mark.removed };
        if when.number != UNNUMBERED && last.number == UNNUMBERED {
            // Another invalidation of the name: this process's own is still to be numbered, and will be higher.
            last.tick = when.tick;
            return true;
        }
        if when.number != UNNUMBERED && when.number <= last.number {
            return false;
        }
        *last = when;
        if name.expires() {
            mark.expired_at = now;
        }
        true
    }

    /// Notes that what was marked without a number has been numbered by now, no higher than this.
    pub(super) fn number(&mut self, names: &[Name], number: u64) {
        for name in names {
            let (what, text) = name.parts();
            let id = self.id(what, text);
            let Some(mark) = self.names.get_mut(&id) else { continue };
            let last = if name.expires() { &mut mark.expired } else { &mut mark.removed };
            if last.number == UNNUMBERED {
                last.number = number;
            }
        }
    }

    /// Forgets the older half if there is too much. Returns the last moment that may be forgotten.
    pub(super) fn forget_some(&mut self) -> Option<When> {
        if self.names.len() <= MOST {
            return None;
        }
        let last = |mark: &Mark| mark.removed.tick.max(mark.expired.tick);
        let mut ticks: Vec<u64> = self.names.values().map(last).collect();
        let (_, median, _) = ticks.select_nth_unstable(MOST / 2);
        let mut forgotten = When { tick: *median, number: 0 };
        self.names.retain(|_, mark| {
            let stays = last(mark) > forgotten.tick;
            if !stays {
                forgotten.number = forgotten.number.max(mark.removed.number).max(mark.expired.number);
            }
            stays
        });
        Some(forgotten)
    }

    pub(super) fn clear(&mut self) {
        self.names.clear();
    }

    /// Judges what has these names and began then.
    pub(super) fn judge(&self, names: Names<'_>, since: Since) -> Verdict {
        let judge = |(what, text)| match self.names.get(&self.id(what, text)) {
            Some(mark) if since.is_before(mark.removed) => Verdict::Void,
            Some(mark) if since.is_before(mark.expired) => Verdict::Expired(mark.expired_at),
            _ => Verdict::Sound,
        };
        names.each().map(judge).fold(Verdict::Sound, Verdict::and)
    }
}

/// Takes a hash for its own hash.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        debug_assert!(false, "the keys are numbers");
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const NOON: Time = Time::from_nanos(12);

    fn at(moment: u64) -> When {
        When { tick: moment, number: moment * 10 }
    }

    /// What the docs of `Coherence` say: 2^17 places of 48 bytes, and a byte of the table's own for each.
    #[test]
    fn a_name_takes_forty_eight_bytes() {
        assert_eq!(size_of::<(u64, Mark)>(), 48);
        assert_eq!((1_u64 << 17) * 49, 6_422_528);
    }

    fn judge(marks: &Marks, tag: &str, since: Since) -> Verdict {
        let tags = [Arc::from(tag)];
        marks.judge(Names { key: None, tags: &tags }, since)
    }

    #[test]
    fn a_name_is_judged_by_its_last_mark_and_removal_weighs_more() {
        let (a, mut marks) = (Name::tag("a"), Marks::default());
        let by_tick = |marks: &Marks, tick| judge(marks, "a", Since::Tick(tick));
        assert_eq!(by_tick(&marks, 0), Verdict::Sound);
        assert!(marks.mark(&a, at(3), NOON));
        assert_eq!((by_tick(&marks, 2), by_tick(&marks, 3)), (Verdict::Void, Verdict::Sound));
        assert!(marks.mark(&a.expiring(), at(5), NOON));
        assert_eq!((by_tick(&marks, 2), by_tick(&marks, 3)), (Verdict::Void, Verdict::Expired(NOON)));
        assert_eq!(
            (by_tick(&marks, 5), judge(&marks, "b", Since::Tick(0))),
            (Verdict::Sound, Verdict::Sound)
        );
        let by_number = |number| judge(&marks, "a", Since::Number(number));
        assert_eq!(
            (by_number(29), by_number(30), by_number(50)),
            (Verdict::Void, Verdict::Expired(NOON), Verdict::Sound)
        );
    }

    #[test]
    fn a_mark_that_is_heard_of_twice_is_one() {
        let (a, mut marks) = (Name::tag("a"), Marks::default());
        assert!(marks.mark(&a, When { tick: 3, number: 10 }, NOON));
        assert!(!marks.mark(&a, When { tick: 4, number: 10 }, NOON));
        assert!(!marks.mark(&a, When { tick: 5, number: 9 }, NOON));
        assert_eq!(judge(&marks, "a", Since::Tick(3)), Verdict::Sound);
    }

    #[test]
    fn what_the_log_could_not_number_is_newer_than_all_until_it_does() {
        let (a, mut marks) = (Name::tag("a"), Marks::default());
        assert!(marks.mark(&a, When { tick: 3, number: UNNUMBERED }, NOON));
        assert_eq!(judge(&marks, "a", Since::Number(1_000_000)), Verdict::Void);
        marks.mark(&a, When { tick: 3, number: 40 }, NOON);
        assert_eq!(judge(&marks, "a", Since::Number(1_000_000)), Verdict::Void, "that was another's");
        marks.number(std::slice::from_ref(&a), 50);
        assert_eq!(
            (judge(&marks, "a", Since::Number(49)), judge(&marks, "a", Since::Number(50))),
            (Verdict::Void, Verdict::Sound)
        );
        assert_eq!(judge(&marks, "a", Since::Tick(3)), Verdict::Sound, "what began after it stays");
        assert!(marks.mark(&a, When { tick: 7, number: 60 }, NOON), "that is another one");
        assert_eq!(judge(&marks, "a", Since::Tick(3)), Verdict::Void);
    }

    #[test]
    fn a_key_its_namespace_and_a_tag_of_the_same_text_are_three_names() {
        let mut marks = Marks::default();
        marks.mark(&Name::key("a:1"), at(1), NOON);
        assert_eq!(judge(&marks, "a:1", Since::Tick(0)), Verdict::Sound);
        let of_key = |marks: &Marks, key| marks.judge(Names { key: Some(key), tags: &[] }, Since::Tick(0));
        assert_eq!((of_key(&marks, "a:1"), of_key(&marks, "a:2")), (Verdict::Void, Verdict::Sound));
        marks.mark(&Name::namespace("a:"), at(2), NOON);
        assert_eq!((of_key(&marks, "a:2"), of_key(&marks, "ab:2")), (Verdict::Void, Verdict::Sound));
    }

    #[test]
    fn of_too_many_the_older_half_is_forgotten() {
        let mut marks = Marks::default();
        let most = MOST as u64;
        for moment in 1..=most {
            marks.mark(&Name::tag(&moment.to_string()), at(moment), NOON);
        }
        assert_eq!(marks.forget_some(), None);
        marks.mark(&Name::tag("one more"), at(most + 1), NOON);
        let half = most / 2 + 1;
        assert_eq!(marks.forget_some(), Some(at(half)));
        assert_eq!(marks.names.len(), MOST / 2);
        assert_eq!(judge(&marks, &(half + 1).to_string(), Since::Tick(0)), Verdict::Void);
    }
}
