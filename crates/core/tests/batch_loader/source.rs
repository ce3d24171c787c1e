//! A source of many values, which records what it was asked for, and takes a while.

use larder_core::{BatchLoading, Cache, Clock, Holds};
use larder_testkit::{Gate, MockClock};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) type Batched<S, C> = BatchLoading<u32, String, &'static str, S, C>;

/// Has each key below 1,000 as a text, in its newest edition. Clones are the same.
#[derive(Clone)]
pub(crate) struct Source(Arc<Inner>);

struct Inner {
    clock: MockClock,
    takes: Duration,
    gate: Gate,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: Vec<Vec<u32>>,
    under_way: usize,
    most: usize,
    edition: u32,
    error: Option<&'static str>,
    panic: Option<&'static str>,
    /// What is answered whatever was asked.
    extra: Vec<u32>,
}

struct UnderWay<'a>(&'a Source);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.0.state.lock().unwrap().under_way -= 1;
    }
}

impl Source {
    pub(crate) fn new(clock: &MockClock, takes: Duration) -> Self {
        let state = Mutex::default();
        Source(Arc::new(Inner { clock: clock.clone(), takes, gate: Gate::new(), state }))
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// The calls so far, each with its keys in order.
    pub(crate) fn asked(&self) -> Vec<Vec<u32>> {
        self.0.state.lock().unwrap().asked.clone()
    }

    pub(crate) fn under_way(&self) -> usize {
        self.0.state.lock().unwrap().under_way
    }

    /// How many calls were under way at a time, at most.
    pub(crate) fn most(&self) -> usize {
        self.0.state.lock().unwrap().most
    }

    pub(crate) fn fails(&self, error: Option<&'static str>) {
        self.0.state.lock().unwrap().error = error;
    }

    pub(crate) fn panics(&self, message: Option<&'static str>) {
        self.0.state.lock().unwrap().panic = message;
    }

    pub(crate) fn adds(&self, extra: impl IntoIterator<Item = u32>) {
        self.0.state.lock().unwrap().extra = extra.into_iter().collect();
    }

    pub(crate) fn changes(&self) {
        self.0.state.lock().unwrap().edition += 1;
    }

    async fn load(self, mut keys: Vec<u32>) -> Result<HashMap<u32, String>, &'static str> {
        keys.sort_unstable();
        let edition = {
            let mut state = self.0.state.lock().unwrap();
            state.under_way += 1;
            state.most = state.most.max(state.under_way);
            state.asked.push(keys.clone());
            state.edition
        };
        let _under_way = UnderWay(&self);
        self.0.gate.pass().await;
        if !self.0.takes.is_zero() {
            self.0.clock.sleep(self.0.takes).await;
        }
        let state = self.0.state.lock().unwrap();
        if let Some(message) = state.panic {
            drop(state);
            panic!("{message}");
        }
        match state.error {
            Some(error) => Err(error),
            None => {
                let has = keys.into_iter().chain(state.extra.iter().copied()).filter(|key| *key < 1_000);
                Ok(has.map(|key| (key, text(key, edition))).collect())
            }
        }
    }

    pub(crate) fn loads<S, C>(&self, cache: Cache<u32, Option<String>, S, C>) -> Batched<S, C>
    where
        S: Send + Sync + 'static,
        C: Holds<S, u32, Option<String>>,
    {
        let source = self.clone();
        cache.batch_loader(move |keys| source.clone().load(keys))
    }
}

pub(crate) fn text(key: u32, edition: u32) -> String {
    format!("{key}, edition {edition}")
}
