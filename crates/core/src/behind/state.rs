//! The keys of a queue: what waits, what flies, what is being removed. No I/O, no waiting.

use super::flight::Report;
use super::{Sealed, Seen};
use crate::{Error, Time};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// See the module.
#[derive(Default)]
pub(super) struct State {
    slots: HashMap<Arc<str>, Slot, foldhash::fast::RandomState>,
    /// The keys that may be written, by when they are due, then by place: those that wait and neither fly nor are being
    /// removed.
    order: BTreeMap<(Time, u64), Arc<str>>,
    /// The places of all that waits or flies. A newer value takes over the place of one that waits.
    places: BTreeSet<u64>,
    next_place: u64,
    flying: usize,
    /// How many are removing all keys.
    clearing: usize,
    /// Slots that were freed and whose permits were not given back yet.
    freed: usize,
    /// Whether a task is at work.
    pub(super) running: bool,
    /// No value is taken any more.
    pub(super) shut: bool,
    /// No handle is left.
    pub(super) closed: bool,
    /// What was given up since that was last returned to somebody.
    pub(super) lost: Lost,
}

#[derive(Default)]
pub(super) struct Lost {
    pub(super) writes: u64,
    pub(super) last: Option<Arc<Error>>,
}

#[derive(Default)]
struct Slot {
    waiting: Option<Waiting>,
    flying: Option<Flying>,
    /// How many are removing the key, or writing it past the queue.
    held: usize,
}

struct Waiting {
    write: Write,
    place: u64,
    due: Time,
}

struct Flying {
    bytes: Bytes,
    /// A removal came meanwhile: if it fails it is not tried again.
    withdrawn: bool,
}

/// A value, and what is needed to write it.
pub(super) struct Write {
    pub(super) value: Sealed,
    pub(super) report: Report,
    pub(super) tries: u32,
    /// How often the level's breaker did not let it through.
    pub(super) refusals: u32,
}

/// Why a value was not queued.
pub(super) enum Refused {
    Full,
    Shut,
}

/// What the task is to do next.
pub(super) enum Next {
    Write {
        key: Arc<str>,
        place: u64,
        write: Write,
    },
    /// Nothing until then, or until woken.
    Wait(Option<Time>),
    /// Nothing is left, and the task is no more at work.
    End,
}

/// What became of a write.
pub(super) enum Landing {
    Written,
    /// Tried often enough.
    GivenUp(Arc<Error>),
    /// It did not succeed, or was cut off: again, not before then.
    Again(Write, Time),
}

impl State {
    pub(super) fn pending(&self) -> usize {
        self.places.len()
    }

    pub(super) fn see(&self, key: &str) -> Option<Seen> {
        let slot = self.slots.get(key);
        if let Some(waiting) = slot.and_then(|slot| slot.waiting.as_ref()) {
            return Some(Seen::Bytes(waiting.write.value.bytes.clone()));
        }
        // What the store has is older than what was dropped from the queue.
        if self.clearing > 0 || slot.is_some_and(|slot| slot.held > 0) {
            return Some(Seen::Nothing);
        }
        let flying = slot?.flying.as_ref()?;
        Some(Seen::Bytes(flying.bytes.clone()))
    }

    /// Queues the value. `has_room` is asked for a key that is not there, and then has given away its place. Returns
    /// whether the key is the first in the order, which the task is to be told.
    pub(super) fn enqueue(
        &mut self,
        key: &str,
        value: Sealed,
        report: Report,
        due: Time,
        has_room: impl FnOnce() -> bool,
    ) -> Result<bool, (Sealed, Refused)> {
        if self.shut {
            return Err((value, Refused::Shut));
        }
        let key = match self.slots.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None if has_room() => Arc::from(key),
            None => return Err((value, Refused::Full)),
        };
        let write = Write { value, report, tries: 0, refusals: 0 };
        let slot = self.slots.entry(Arc::clone(&key)).or_default();
        match &mut slot.waiting {
            // It takes over the place and the time: a key that changes all the time is written all the same. In
            // place of one that failed it has its tries anew, and the delay still.
            Some(older) => {
                older.write = write;
                Ok(false)
            }
            None => {
                let place = self.next_place;
                self.next_place += 1;
                self.places.insert(place);
                slot.waiting = Some(Waiting { write, place, due });
                self.line_up(&key);
                Ok(self.order.first_key_value().is_some_and(|((_, first), _)| *first == place))
            }
        }
    }

    /// Puts the key into the order if it may be written.
    fn line_up(&mut self, key: &Arc<str>) {
        if let Some(Slot { waiting: Some(waiting), flying: None, held: 0 }) = self.slots.get(key) {
            self.order.insert((waiting.due, waiting.place), Arc::clone(key));
        }
    }

    fn free_if_empty(&mut self, key: &str) {
        if matches!(self.slots.get(key), Some(Slot { waiting: None, flying: None, held: 0 })) {
            self.slots.remove(key);
            self.freed += 1;
        }
    }

    /// How many permits are to be given back.
    #[must_use]
    pub(super) fn take_freed(&mut self) -> usize {
        std::mem::take(&mut self.freed)
    }

    /// Takes out what is due, if there is room beside what flies.
    pub(super) fn next(&mut self, now: Time, concurrency: usize) -> Next {
        if self.places.is_empty() {
            self.running = false;
            return Next::End;
        }
        if self.flying >= concurrency || self.clearing > 0 {
            return Next::Wait(None);
        }
        let Some(first) = self.order.first_entry() else { return Next::Wait(None) };
        let (due, place) = *first.key();
        if due > now {
            return Next::Wait(Some(due));
        }
        let key = first.remove();
        let slot = self.slots.get_mut(&key).expect("what is in the order has a slot");
        let Waiting { write, .. } = slot.waiting.take().expect("what is in the order waits");
        slot.flying = Some(Flying { bytes: write.value.bytes.clone(), withdrawn: false });
        self.flying += 1;
        Next::Write { key, place, write }
    }

    /// Ends the flight of a key. Returns whether a value was lost by it: given up, and neither removed nor replaced.
    pub(super) fn land(&mut self, key: &Arc<str>, place: u64, landing: Landing) -> bool {
        let slot = self.slots.get_mut(key).expect("what flies has a slot");
        let withdrawn = slot.flying.take().is_some_and(|flying| flying.withdrawn);
        let outdated = withdrawn || slot.waiting.is_some();
        self.flying -= 1;
        let mut lost = false;
        match landing {
            Landing::Again(write, due) if !outdated => {
                slot.waiting = Some(Waiting { write, place, due });
            }
            Landing::Again(_, due) => {
                self.places.remove(&place);
                // The store is left alone for as long, whatever is newer.
                if let Some(newer) = &mut slot.waiting {
                    newer.due = newer.due.max(due);
                }
            }
            Landing::GivenUp(error) => {
                self.places.remove(&place);
                lost = !outdated;
                if lost {
                    self.lost.writes += 1;
                    self.lost.last = Some(error);
                }
            }
            Landing::Written => {
                self.places.remove(&place);
            }
        }
        self.line_up(key);
        self.free_if_empty(key);
        lost
    }

    /// Drops what waits of the key and marks what flies. `None` if there is neither; else it is held until
    /// [`release`](Self::release).
    pub(super) fn withdraw(&mut self, key: &str) -> Option<Arc<str>> {
        let key = Arc::clone(self.slots.get_key_value(key)?.0);
        self.drop_waiting(&key);
        if let Some(slot) = self.slots.get_mut(&key) {
            slot.held += 1;
        }
        Some(key)
    }

    fn drop_waiting(&mut self, key: &str) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Some(waiting) = slot.waiting.take() {
            self.order.remove(&(waiting.due, waiting.place));
            self.places.remove(&waiting.place);
        }
        if let Some(flying) = &mut slot.flying {
            flying.withdrawn = true;
        }
    }

    pub(super) fn release(&mut self, key: &Arc<str>) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.held -= 1;
        }
        self.line_up(key);
        self.free_if_empty(key);
    }

    /// Does to every key what [`withdraw`](Self::withdraw) does to one, until [`release_all`](Self::release_all).
    pub(super) fn withdraw_all(&mut self) {
        let keys: Vec<_> = self.slots.keys().map(Arc::clone).collect();
        for key in keys {
            self.drop_waiting(&key);
            self.free_if_empty(&key);
        }
        self.clearing += 1;
    }

    pub(super) fn release_all(&mut self) {
        self.clearing -= 1;
    }

    pub(super) fn flies(&self, key: &str) -> bool {
        self.slots.get(key).is_some_and(|slot| slot.flying.is_some())
    }

    pub(super) fn any_flies(&self) -> bool {
        self.flying > 0
    }

    /// Lets everything that waits be due at once. Returns the place that is given next.
    pub(super) fn hasten(&mut self) -> u64 {
        let now = Time::from_nanos(0);
        for slot in self.slots.values_mut() {
            if let Some(waiting) = &mut slot.waiting {
                waiting.due = now;
            }
        }
        let order = std::mem::take(&mut self.order);
        self.order = order.into_iter().map(|((_, place), key)| ((now, place), key)).collect();
        self.next_place
    }

    /// Whether nothing before that place waits or flies.
    pub(super) fn is_settled(&self, place: u64) -> bool {
        self.places.first().is_none_or(|first| *first >= place)
    }

    /// Takes out what waits if nobody is left to write it.
    pub(super) fn take_orphans(&mut self) -> Vec<Report> {
        if !self.closed || self.running {
            return Vec::new();
        }
        self.order.clear();
        let waiting = self.slots.values_mut().filter_map(|slot| slot.waiting.take());
        let orphans: Vec<_> = waiting.map(|waiting| (waiting.place, waiting.write.report)).collect();
        for (place, _) in &orphans {
            self.places.remove(place);
        }
        orphans.into_iter().map(|(_, report)| report).collect()
    }
}
