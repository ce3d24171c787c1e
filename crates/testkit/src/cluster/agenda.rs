//! Virtual time, and what is to happen when.

use super::world::World;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// A point of a run: virtual time since its beginning, and a number that orders what happens at the same time.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment {
    pub(crate) time: Duration,
    pub(crate) order: u64,
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}#{}", self.time, self.order)
    }
}

/// What happens at its time.
pub(crate) enum Due {
    /// A timer of this node ends.
    Wake(usize, Waker),
    /// Something on the network or in a store; this node may have been woken by it.
    Act(Option<usize>, Act),
    /// This node hears something on the bus.
    Hear(usize, super::bus::Heard),
    /// A step of the script begins.
    Step(usize),
    /// A fault of the script happens.
    Fault(usize),
    /// A second is over.
    Tick,
}

pub(crate) type Act = Box<dyn FnOnce(&Arc<World>) + Send>;

/// What is due, by time and then by the order of making.
#[derive(Default)]
pub(crate) struct Agenda(Mutex<State>);

#[derive(Default)]
struct State {
    now: Duration,
    made: u64,
    moments: u64,
    due: BTreeMap<(Duration, u64), Due>,
}

impl Agenda {
    pub(crate) fn now(&self) -> Duration {
        self.0.lock().now
    }

    /// The present, later than all moments before it.
    pub(crate) fn moment(&self) -> Moment {
        let mut state = self.0.lock();
        state.moments += 1;
        Moment { time: state.now, order: state.moments }
    }

    pub(crate) fn add(&self, at: Duration, due: Due) {
        let mut state = self.0.lock();
        let place = (at.max(state.now), state.made);
        state.made += 1;
        state.due.insert(place, due);
    }

    pub(crate) fn after(&self, span: Duration, due: Due) {
        self.add(self.now() + span, due);
    }

    /// The place of a timer that is yet to be set.
    pub(crate) fn place_of_timer(&self, span: Duration) -> (Duration, u64) {
        let mut state = self.0.lock();
        let place = (state.now.saturating_add(span), state.made);
        state.made += 1;
        place
    }

    /// Sets a timer, or returns false if it has ended.
    pub(crate) fn set(&self, place: (Duration, u64), node: usize, waker: Waker) -> bool {
        let mut state = self.0.lock();
        if state.now >= place.0 {
            return false;
        }
        let before = state.due.insert(place, Due::Wake(node, waker));
        // A waker is dropped after the lock: it may be the last of a task, which has timers of its own.
        drop(state);
        drop(before);
        true
    }

    pub(crate) fn cancel(&self, place: (Duration, u64)) {
        let cancelled = self.0.lock().due.remove(&place);
        drop(cancelled);
    }

    /// Goes on to what is due next, unless that is later than `last`.
    pub(crate) fn next(&self, last: Duration) -> Option<Due> {
        let mut state = self.0.lock();
        let place = *state.due.first_key_value()?.0;
        if place.0 > last {
            return None;
        }
        state.now = place.0;
        state.due.remove(&place)
    }

    /// Forgets everything that is due, and who waits for it.
    pub(crate) fn clear(&self) {
        let due = std::mem::take(&mut self.0.lock().due);
        drop(due);
    }
}
