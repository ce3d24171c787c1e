//! Loads that wait for themselves.
//!
//! A load may ask caches for other keys, and so wait for other loads. If it waits, directly or through others, for
//! its own key, nothing would ever end: such a wait is refused instead. The waits between loads of this process
//! form a graph; before a load begins to wait, the graph is searched for a way back to it. Callers that are not
//! themselves loads cannot close a circle and do not take part.

use crate::running::running;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// For each load that waits, the loads it waits for. One lock for all, so that two waits which close a circle
/// together cannot both miss the other; held for the search only. A usual lock also in the models: nothing yields
/// under it.
static WAITS: LazyLock<Mutex<HashMap<u64, Vec<(u64, Until)>>>> = LazyLock::new(Mutex::default);

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Whatever the load has to serve, if only something old, or an error because it is late.
    Served,
    /// Its end.
    TheEnd,
}

/// Waiting would never end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cycle;

/// Notes that the running load, if this is one, waits for the load `target`. The note ends with the guard.
pub(crate) fn wait_for(target: u64, until: Until) -> Result<Option<Waiting>, Cycle> {
    let Some(waiter) = running(|load| load.id()) else { return Ok(None) };
    Waiting::begin(waiter, target, until).map(Some)
}

/// Notes that the load `waiter` is done by the load `target`, which has only begun and so waits for nobody yet.
pub(crate) fn wait_as(waiter: u64, target: u64) -> Option<Waiting> {
    Waiting::begin(waiter, target, Until::TheEnd).ok()
}

/// Notes that the load `target` serves something meanwhile: nobody waits for it any more, but for who wants its end.
pub(crate) fn release(target: u64) {
    WAITS.lock().retain(|_, targets| {
        targets.retain(|wait| *wait != (target, Until::Served));
        !targets.is_empty()
    });
}

/// Whether one of the loads `from` waits, directly or through others, for one of `targets`.
pub(crate) fn is_waited_for(from: impl IntoIterator<Item = u64>, targets: &HashSet<u64>) -> bool {
    let waits = WAITS.lock();
    let mut open: Vec<u64> = from.into_iter().collect();
    let mut seen: HashSet<u64> = open.iter().copied().collect();
    while let Some(load) = open.pop() {
        if targets.contains(&load) {
            return true;
        }
        let further = waits.get(&load).into_iter().flatten();
        open.extend(further.map(|(load, _)| *load).filter(|load| seen.insert(*load)));
    }
    false
}

/// A wait between two loads; ends when dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    waiter: u64,
    target: u64,
    until: Until,
}

impl Waiting {
    fn begin(waiter: u64, target: u64, until: Until) -> Result<Self, Cycle> {
        let mut waits = WAITS.lock();
        let mut seen = HashSet::from([target]);
        let mut open = vec![target];
        while let Some(load) = open.pop() {
            if load == waiter {
                return Err(Cycle);
            }
            let further = waits.get(&load).into_iter().flatten();
            open.extend(further.map(|(load, _)| *load).filter(|load| seen.insert(*load)));
        }
        waits.entry(waiter).or_default().push((target, until));
        Ok(Waiting { waiter, target, until })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = WAITS.lock();
        if let Some(targets) = waits.get_mut(&self.waiter) {
            if let Some(at) = targets.iter().position(|wait| *wait == (self.target, self.until)) {
                targets.swap_remove(at);
            }
            if targets.is_empty() {
                waits.remove(&self.waiter);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that no flight of these tests has.
    const A: u64 = u64::MAX;
    const B: u64 = u64::MAX - 1;
    const C: u64 = u64::MAX - 2;

    #[test]
    fn who_waits_for_whom_is_seen_through_others() {
        let (d, e, f) = (C - 1, C - 2, C - 3);
        let _first = Waiting::begin(d, e, Until::Served).unwrap();
        let _second = Waiting::begin(e, f, Until::TheEnd).unwrap();
        assert!(is_waited_for([d], &HashSet::from([f])) && is_waited_for([f, d], &HashSet::from([e])));
        assert!(!is_waited_for([f], &HashSet::from([d, e])) && !is_waited_for([], &HashSet::from([f])));
    }

    #[test]
    fn a_wait_that_closes_a_circle_of_any_length_is_refused() {
        assert_eq!(Waiting::begin(A, A, Until::Served), Err(Cycle));

        let first = Waiting::begin(A, B, Until::Served).unwrap();
        let second = Waiting::begin(B, C, Until::Served).unwrap();
        assert_eq!(Waiting::begin(C, A, Until::Served), Err(Cycle));

        let firm = Waiting::begin(B, C, Until::TheEnd).unwrap();
        release(C);
        assert_eq!(Waiting::begin(C, A, Until::Served), Err(Cycle), "who wants its end waits on");
        drop(firm);
        drop(second);
        let third = Waiting::begin(C, A, Until::Served).unwrap();
        drop((first, third));
        assert!(!WAITS.lock().keys().any(|load| *load >= C));
    }
}
