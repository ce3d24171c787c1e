//! Copies of what the server has, in this process, which the server says to forget: `tracked`.
//!
//! ```text
//! get ── copy? ── yes ──▶ answer
//!          │ no
//!        claim ──▶ GET ──▶ fill, if the claim still stands ──▶ answer
//!          ▲ ended by: the server's message that the key has changed, a write of ours, a lost connection
//! ```
//!
//! The server remembers which keys were read over a connection, and tells that connection when one of them is changed,
//! removed or expired. A message may overtake the answer that it is about; hence the claim. With the connection goes the
//! server's memory, so everything is forgotten then. (Redis calls this client-side caching, its documentation has the
//! same remedy for the race.)

use bytes::Bytes;
use larder_core::{Clock, SystemClock, Time};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What a copy weighs beside its key and its bytes, about.
const OVERHEAD: usize = 160;
/// A connection that died without a word is noticed by its next call; until then copies would be served for ever.
const LONGEST: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Copies {
    max_bytes: usize,
    /// Held to look, to claim, to fill and to forget.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: HashMap<Arc<str>, Slot>,
    /// In the order of their claims, with those that ended already.
    order: VecDeque<(Arc<str>, u64)>,
    claims: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    claim: u64,
    copy: Option<(Option<Bytes>, Time)>,
    weight: usize,
}

/// The right to fill in what is being read.
#[derive(Debug)]
pub(crate) struct Claim(u64);

impl Copies {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Copies { max_bytes, state: Mutex::default() }
    }

    /// What is under the key, if that is known here: bytes, or nothing.
    #[expect(clippy::option_option, reason = "known to be nothing is another thing than not known")]
    pub(crate) fn get(&self, key: &str) -> Option<Option<Bytes>> {
        let state = self.state.lock();
        let (bytes, until) = state.slots.get(key)?.copy.as_ref()?;
        (SystemClock.now() < *until).then(|| bytes.clone())
    }

    /// To be called before the server is asked.
    pub(crate) fn claim(&self, key: &str) -> Claim {
        let mut state = self.state.lock();
        state.forget(key);
        state.claims += 1;
        let (claim, key) = (state.claims, Arc::<str>::from(key));
        let weight = key.len() + OVERHEAD;
        state.bytes += weight;
        state.slots.insert(Arc::clone(&key), Slot { claim, copy: None, weight });
        state.order.push_back((key, claim));
        state.shrink(self.max_bytes);
        Claim(claim)
    }

    /// Keeps what the server had, unless that may have changed since.
    pub(crate) fn fill(&self, key: &str, claim: &Claim, found: Option<&Bytes>) {
        let mut state = self.state.lock();
        let Some(slot) = state.slots.get_mut(key).filter(|slot| slot.claim == claim.0) else { return };
        let weight = found.map_or(0, Bytes::len);
        slot.copy = Some((found.cloned(), SystemClock.now().after(LONGEST)));
        slot.weight += weight;
        state.bytes += weight;
        state.shrink(self.max_bytes);
    }

    /// Ends a claim that comes to nothing.
    pub(crate) fn give_up(&self, key: &str, claim: &Claim) {
        let mut state = self.state.lock();
        if state.slots.get(key).is_some_and(|slot| slot.claim == claim.0) {
            state.forget(key);
        }
    }

    pub(crate) fn forget(&self, key: &str) {
        self.state.lock().forget(key);
    }

    pub(crate) fn forget_all(&self) {
        let mut state = self.state.lock();
        let claims = state.claims;
        *state = State { claims, ..State::default() };
    }
}

impl State {
    fn forget(&mut self, key: &str) {
        if let Some(slot) = self.slots.remove(key) {
            self.bytes -= slot.weight;
        }
    }

    /// Forgets the oldest.
    fn shrink(&mut self, max_bytes: usize) {
        // The order keeps what was forgotten, so it is cleared of that now and then.
        while self.bytes > max_bytes || self.order.len() > 2 * self.slots.len() + 64 {
            let Some((key, claim)) = self.order.pop_front() else { return };
            let Some(slot) = self.slots.get(&key).filter(|slot| slot.claim == claim) else { continue };
            if self.bytes > max_bytes {
                self.bytes -= slot.weight;
                self.slots.remove(&key);
            } else {
                self.order.push_back((key, claim));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(copies: &Copies, key: &str, bytes: &'static [u8]) {
        let claim = copies.claim(key);
        copies.fill(key, &claim, Some(&Bytes::from_static(bytes)));
    }

    #[test]
    fn a_copy_is_there_until_it_is_forgotten() {
        let copies = Copies::new(10_000);
        assert_eq!(copies.get("a"), None);
        filled(&copies, "a", b"1");
        let claim = copies.claim("none");
        copies.fill("none", &claim, None);
        assert_eq!((copies.get("a"), copies.get("none")), (Some(Some("1".into())), Some(None)));
        copies.forget("a");
        assert_eq!(copies.get("a"), None);
        filled(&copies, "a", b"2");
        copies.forget_all();
        assert_eq!((copies.get("a"), copies.get("none")), (None, None));
    }

    #[test]
    fn what_was_overtaken_is_not_filled_in() {
        let copies = Copies::new(10_000);
        let old = copies.claim("a");
        copies.forget("a");
        copies.fill("a", &old, Some(&"old".into()));
        assert_eq!(copies.get("a"), None);

        let old = copies.claim("a");
        copies.forget_all();
        copies.fill("a", &old, Some(&"old".into()));
        assert_eq!(copies.get("a"), None);

        let (first, second) = (copies.claim("a"), copies.claim("a"));
        copies.fill("a", &first, Some(&"old".into()));
        assert_eq!(copies.get("a"), None);
        copies.give_up("a", &first);
        copies.fill("a", &second, Some(&"new".into()));
        assert_eq!(copies.get("a"), Some(Some("new".into())));
    }

    #[test]
    fn the_oldest_make_room_and_nothing_grows_without_bound() {
        let copies = Copies::new(10 * (OVERHEAD + 10));
        for number in 0..10_000 {
            filled(&copies, &number.to_string(), b"12345");
            copies.forget("9");
        }
        assert_eq!(copies.get("1"), None);
        assert!(copies.get("9999").is_some());
        let state = copies.state.lock();
        assert!(state.bytes <= copies.max_bytes && state.order.len() < 100, "{}", state.order.len());
        assert_eq!(state.bytes, state.slots.values().map(|slot| slot.weight).sum::<usize>());
    }
}
