//! When each name was last invalidated: a bounded table.

use super::Verdict;
use crate::Time;
use crate::shared_log::Name;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// So many names are known, what a table of 2^17 places has room for. Beyond that, the older half is forgotten.
const MOST: usize = 7 << 14;

/// See the module. Names are kept as hashes of 64 bits: two that collide are invalidated together, which is a miss and
/// nothing worse, and what a name takes does not depend on its length.
#[derive(Default)]
pub(crate) struct Marks {
    names: HashMap<u64, Mark, BuildHasherDefault<AsIs>>,
    hasher: RandomState,
    /// Names that were last marked up to this tick may be forgotten.
    floor: u64,
}

/// When a name was last invalidated, in either way; 0 for never.
#[derive(Clone, Copy)]
struct Mark {
    removed: u64,
    expired: u64,
    expired_at: Time,
}

impl Mark {
    const NONE: Mark = Mark { removed: 0, expired: 0, expired_at: Time::from_nanos(0) };

    fn last(&self) -> u64 {
        self.removed.max(self.expired)
    }
}

impl Marks {
    fn id(&self, what: u8, text: &str) -> u64 {
        self.hasher.hash_one((what, text))
    }

    pub(crate) fn mark(&mut self, name: &Name, tick: u64, now: Time) {
        let (what, text) = name.parts();
        let id = self.id(what, text);
        let mark = self.names.entry(id).or_insert(Mark::NONE);
        if name.expires() {
            (mark.expired, mark.expired_at) = (tick, now);
        } else {
            mark.removed = tick;
        }
        if self.names.len() > MOST {
            self.forget();
        }
    }

    /// Forgets the older half.
    #[cold]
    fn forget(&mut self) {
        let mut ticks: Vec<u64> = self.names.values().map(Mark::last).collect();
        let (_, median, _) = ticks.select_nth_unstable(MOST / 2);
        self.floor = *median;
        self.names.retain(|_, mark| mark.last() > self.floor);
    }

    /// Judges what has the tag and began when `since` was the last tick.
    pub(crate) fn judge_tag(&self, tag: &str, since: u64) -> Verdict {
        if since < self.floor {
            return Verdict::Void;
        }
        match self.names.get(&self.id(b't', tag)) {
            Some(mark) if mark.removed > since => Verdict::Void,
            Some(mark) if mark.expired > since => Verdict::Expired(mark.expired_at),
            _ => Verdict::Sound,
        }
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

    const NOON: Time = Time::from_nanos(12);

    #[test]
    fn a_name_is_judged_by_its_last_mark_and_removal_weighs_more() {
        let (a, mut marks) = (Name::tag("a"), Marks::default());
        assert_eq!(marks.judge_tag("a", 0), Verdict::Sound);
        marks.mark(&a, 3, NOON);
        assert_eq!((marks.judge_tag("a", 2), marks.judge_tag("a", 3)), (Verdict::Void, Verdict::Sound));
        marks.mark(&a.expiring(), 5, NOON);
        assert_eq!(
            (marks.judge_tag("a", 2), marks.judge_tag("a", 3)),
            (Verdict::Void, Verdict::Expired(NOON))
        );
        assert_eq!((marks.judge_tag("a", 5), marks.judge_tag("b", 0)), (Verdict::Sound, Verdict::Sound));
    }

    #[test]
    fn a_key_and_a_tag_of_the_same_text_are_two_names() {
        let mut marks = Marks::default();
        marks.mark(&Name::key("a"), 1, NOON);
        assert_eq!(marks.judge_tag("a", 0), Verdict::Sound);
    }

    #[test]
    fn what_is_older_than_what_was_forgotten_counts_as_invalidated() {
        let mut marks = Marks::default();
        let most = MOST as u64;
        for tick in 1..=most + 1 {
            marks.mark(&Name::tag(&tick.to_string()), tick, NOON);
        }
        assert!(marks.names.len() <= MOST / 2 + 1);
        assert_eq!(marks.judge_tag("never marked", most / 2), Verdict::Void);
        assert_eq!(marks.judge_tag("never marked", most / 2 + 1), Verdict::Sound);
        assert_eq!(marks.judge_tag(&most.to_string(), most - 1), Verdict::Void);
    }
}
