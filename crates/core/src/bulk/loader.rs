//! The loader of a bulk call: each key has a flight of its own, and all that want to be loaded are in one load.

use super::{Bulk, Gather};
use crate::coherence::Coherence;
use crate::edits::Edits;
use crate::flight::{Flight, next_id};
use crate::fly::{Absent, Loaded};
use crate::running::{Running, within};
use crate::spawn::{catch_panic, runtime_to_wait_for, task_for};
use crate::sync::Mutex;
use crate::{LoadContext, Lookup, cycle};
use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// See the module. `F` is the user's loader.
pub(crate) struct BulkLoader<K: ?Sized + Lookup, V, F> {
    /// Held to clone it: keys that come late are loaded by another call.
    load: Mutex<F>,
    keys: Gather<Arc<Flight<K, V>>, Answer<V>>,
    bulk: Arc<Bulk>,
    coherence: Coherence,
}

/// What the load says of one key: `None` if it left it out.
type Answer<V> = Result<Option<V>, Failed>;

#[derive(Clone)]
enum Failed {
    Error(Arc<dyn Any + Send + Sync>),
    Panicked(Arc<str>),
}

impl<K, V, F, Fut, E> BulkLoader<K, V, F>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    F: FnOnce(Vec<K::Owned>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<HashMap<K::Owned, V>, E>> + Send + 'static,
    E: Send + Sync + 'static,
{
    pub(crate) fn new(load: F, bulk: &Arc<Bulk>, coherence: &Coherence) -> Arc<Self> {
        let (load, keys) = (Mutex::new(load), Gather::unbounded());
        Arc::new(BulkLoader { load, keys, bulk: Arc::clone(bulk), coherence: coherence.clone() })
    }

    /// Loads one key, with all others. Notes in `is_absent` whether the load left it out.
    pub(crate) async fn load(
        self: Arc<Self>,
        cx: LoadContext<K, V>,
        is_absent: Arc<AtomicBool>,
    ) -> Loaded<V> {
        let all = || {
            let (load, coherence) = (self.load.lock().clone(), self.coherence.clone());
            move |flights| load_all(load.clone(), coherence.clone(), flights)
        };
        match self.keys.ask(&self.bulk, cx.into_flight(), all).await {
            Some(Ok(Some(value))) => Ok(value),
            Some(Ok(None)) => {
                is_absent.store(true, SeqCst);
                Err(Arc::new(Absent))
            }
            Some(Err(Failed::Error(error))) => Err(error),
            // The hook has told of it once.
            Some(Err(Failed::Panicked(message))) => resume_unwind(Box::new(message.to_string())),
            None => resume_unwind(Box::new("the load of many keys was cut off")),
        }
    }
}

/// Loads the keys of all flights in one load.
async fn load_all<K, V, F, Fut, E>(
    load: F,
    coherence: Coherence,
    flights: Vec<Arc<Flight<K, V>>>,
) -> Vec<Answer<V>>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    F: FnOnce(Vec<K::Owned>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<HashMap<K::Owned, V>, E>> + Send + 'static,
    E: Send + Sync + 'static,
{
    let run = Arc::new(BulkRun { id: next_id(), edits: Mutex::default(), coherence });
    // Who asks, in the load, for one of its keys would wait for itself.
    let waits: Vec<_> = flights.iter().map(|flight| cycle::wait_as(flight.id, run.id)).collect();
    let keys = flights.iter().map(|flight| flight.key.clone()).collect();
    let running = Arc::clone(&run);
    let loaded = load_in_task(within(running, async move { load(keys).await })).await;
    drop(waits);
    let said = run.edits.lock().clone();
    for flight in &flights {
        flight.edits.lock().join(&said);
    }
    // Its runtime has ended, and with it those who asked.
    let Some(loaded) = loaded else { return Vec::new() };
    let failed = match loaded {
        Ok(Ok(mut values)) => {
            return flights.iter().map(|flight| Ok(values.remove::<K::Owned>(&flight.key))).collect();
        }
        Ok(Err(error)) => Failed::Error(Arc::new(error)),
        Err(message) => Failed::Panicked(message),
    };
    flights.iter().map(|_| Err(failed.clone())).collect()
}

/// Runs the load in a task of its own, so that it holds up no call of a store; until nobody waits for it any more.
async fn load_in_task<T: Send + 'static>(
    load: impl Future<Output = T> + Send + 'static,
) -> Option<Result<T, Arc<str>>> {
    let caught = async move { catch_panic(pin!(load)).await };
    let (task, loaded) = task_for(caught);
    match runtime_to_wait_for() {
        Some(runtime) => drop(runtime.spawn(task)),
        None => task.await,
    }
    loaded.await.ok()
}

/// A load of many keys, seen from inside. What it says of its result is said of each.
struct BulkRun {
    id: u64,
    edits: Mutex<Edits>,
    coherence: Coherence,
}

impl Running for BulkRun {
    fn id(&self) -> u64 {
        self.id
    }
    fn edits(&self) -> &Mutex<Edits> {
        &self.edits
    }
    fn coherence(&self) -> &Coherence {
        &self.coherence
    }
    /// It is no single key.
    fn key(&self) -> &(dyn Any + Send + Sync) {
        self
    }
    fn previous(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }
}
