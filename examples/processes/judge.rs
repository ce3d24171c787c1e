//! Who read something outdated.

use crate::tally::{Reach, Tally, Way};
use std::collections::HashMap;

/// A read that gave what had been invalidated before.
#[derive(Debug)]
pub(crate) struct Outdated {
    pub(crate) way: Way,
    pub(crate) row: u32,
    pub(crate) version: u64,
    /// How long after the invalidation had returned the read began, in microseconds.
    pub(crate) after: u64,
    /// When the read began.
    pub(crate) start: u64,
}

/// What the reads say of the promise: whoever asks later than the bound after an invalidation had returned gets nothing that
/// was loaded before the change. `bound` is that of memory, in microseconds; a read that goes to the store has none.
pub(crate) fn judge(tally: &Tally, bound: u64) -> Vec<Outdated> {
    let mut returned: HashMap<(Reach, u32), Vec<(u64, u64)>> = HashMap::new();
    for (reach, row, version, at) in &tally.invalidated {
        returned.entry((*reach, *row)).or_default().push((*version, *at));
    }
    for versions in returned.values_mut() {
        versions.sort_unstable();
        // From when on nothing older than this version may be read: also what came later says so.
        let mut earliest = u64::MAX;
        for (_, at) in versions.iter_mut().rev() {
            earliest = earliest.min(*at);
            *at = earliest;
        }
    }
    let mut outdated = Vec::new();
    for ((way, row, version), start) in &tally.read {
        let bound = if *way == Way::Far { 0 } else { bound };
        let reaches: &[Reach] = if *way == Way::Page { &[Reach::Tag] } else { &[Reach::Row, Reach::Tag] };
        let late = reaches.iter().filter_map(|reach| {
            let versions = returned.get(&(*reach, *row))?;
            let newer = versions.partition_point(|(invalidated, _)| invalidated <= version);
            let (_, at) = versions.get(newer)?;
            start.checked_sub(*at).filter(|after| *after > bound)
        });
        if let Some(after) = late.max() {
            outdated.push(Outdated { way: *way, row: *row, version: *version, after, start: *start });
        }
    }
    outdated
}

/// How long after an invalidation had returned the last read began that gave what was outdated, in microseconds, for each way.
pub(crate) fn latest(tally: &Tally) -> [u64; 3] {
    let mut latest = [0; 3];
    for outdated in judge(tally, 0) {
        let most = &mut latest[outdated.way as usize];
        *most = outdated.after.max(*most);
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(way: Way, version: u64, start: u64) -> Tally {
        let invalidated = vec![(Reach::Row, 7, 2, 100), (Reach::Tag, 7, 3, 200), (Reach::Row, 8, 9, 0)];
        Tally { read: HashMap::from([((way, 7, version), start)]), invalidated, ..Tally::default() }
    }

    #[test]
    fn what_was_invalidated_before_the_read_is_outdated_and_what_came_later_is_not() {
        assert!(judge(&tally(Way::Far, 1, 100), 10).is_empty(), "at the same moment");
        assert_eq!(judge(&tally(Way::Far, 1, 101), 10)[0].after, 1);
        assert!(judge(&tally(Way::Far, 2, 150), 10).is_empty());
        assert_eq!(judge(&tally(Way::Far, 2, 201), 10)[0].after, 1);
        assert!(judge(&tally(Way::Far, 3, 900), 10).is_empty());
    }

    #[test]
    fn memory_has_the_bound_to_hear_of_it_and_pages_hear_of_tags() {
        assert!(judge(&tally(Way::Near, 1, 110), 10).is_empty());
        assert_eq!(judge(&tally(Way::Near, 1, 111), 10).len(), 1);
        assert!(judge(&tally(Way::Page, 1, 150), 10).is_empty(), "the row alone was removed");
        assert_eq!(judge(&tally(Way::Page, 1, 211), 10).len(), 1);
    }
}
