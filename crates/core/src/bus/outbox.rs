//! What waits to be told on the buses of a group.

use super::message::{Heard, messages};
use crate::shared_log::Name;
use crate::spawn::spawn;
use crate::sync::Mutex;
use crate::{Bus, Listener};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// More marks than this do not wait: others hear of them from the log.
const MOST: usize = 10_000;

/// See the module. While one message is sent, what comes is gathered for the next.
pub(crate) struct Outbox(Arc<Inner>);

struct Inner {
    sender: u64,
    /// Held to put in or take out.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    buses: Vec<Arc<dyn Bus>>,
    /// For as long as they are here they are told what comes.
    ears: Vec<Arc<dyn Listener>>,
    era: u64,
    marks: Vec<(u64, Vec<Name>)>,
    published: Vec<String>,
    is_sending: bool,
}

impl Default for Outbox {
    fn default() -> Self {
        let sender = RandomState::new().build_hasher().finish();
        Outbox(Arc::new(Inner { sender, state: Mutex::default() }))
    }
}

impl Outbox {
    /// Who we are on the buses.
    pub(crate) fn sender(&self) -> u64 {
        self.0.sender
    }

    /// Adds a bus, unless it is there. `hear` is told each message, and `None` where some may have been missed.
    pub(crate) fn add(&self, bus: &Arc<dyn Bus>, hear: impl Fn(Option<&[u8]>) + Send + Sync + 'static) {
        let ear: Arc<dyn Listener> = Arc::new(Ear(hear));
        {
            let mut state = self.0.state.lock();
            if state.buses.iter().any(|known| Arc::ptr_eq(known, bus)) {
                return;
            }
            state.buses.push(Arc::clone(bus));
            state.ears.push(Arc::clone(&ear));
        }
        bus.subscribe(Arc::downgrade(&ear));
    }

    /// Has it told that these names were marked with this number.
    pub(crate) fn send(&self, era: u64, number: u64, names: Vec<Name>) {
        self.put_in(|state| {
            if state.era != era {
                state.marks.clear();
                state.era = era;
            }
            if state.marks.len() < MOST {
                state.marks.push((number, names));
            }
        });
    }

    /// Has it told that the record of this key was written, to those who hold copies.
    pub(crate) fn published(&self, address: &str) {
        self.put_in(|state| {
            if state.published.len() < MOST && !state.published.iter().any(|known| known == address) {
                state.published.push(address.into());
            }
        });
    }

    fn put_in(&self, put: impl FnOnce(&mut State)) {
        {
            let mut state = self.0.state.lock();
            if state.buses.is_empty() {
                return;
            }
            put(&mut state);
            if std::mem::replace(&mut state.is_sending, true) {
                return;
            }
        }
        // Without a runtime nobody is told but by the log.
        drop(spawn(Sending { inner: Arc::clone(&self.0), is_done: false }.run()));
    }
}

/// At work on what is in the outbox; dropped, however that comes, another may begin.
struct Sending {
    inner: Arc<Inner>,
    is_done: bool,
}

impl Sending {
    async fn run(mut self) {
        loop {
            let (buses, said) = {
                let mut state = self.inner.state.lock();
                if state.marks.is_empty() && state.published.is_empty() {
                    // Under the lock: who comes now finds nobody at work.
                    state.is_sending = false;
                    self.is_done = true;
                    return;
                }
                let (marks, published) =
                    (std::mem::take(&mut state.marks), std::mem::take(&mut state.published));
                (state.buses.clone(), Heard { era: state.era, marks, published })
            };
            for bus in buses {
                for message in messages(self.inner.sender, &said, bus.max_message_bytes()) {
                    // What is not told is heard of from the log.
                    let _ = bus.publish(message.into()).await;
                }
            }
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_done {
            self.inner.state.lock().is_sending = false;
        }
    }
}

struct Ear<F>(F);

impl<F: Fn(Option<&[u8]>) + Send + Sync + 'static> Listener for Ear<F> {
    fn heard(&self, message: &[u8]) {
        (self.0)(Some(message));
    }
    fn missed(&self) {
        (self.0)(None);
    }
}
