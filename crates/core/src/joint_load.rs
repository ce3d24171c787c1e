//! One load for several flights, each of which waits for its own key.

use crate::coherence::Coherence;
use crate::edits::Edits;
use crate::flight::Flight;
use crate::running::{Running, within};
use crate::spawn::{catch_panic, runtime_to_wait_for, task_for};
use crate::sync::Mutex;
use crate::{Lookup, cycle};
use std::any::Any;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

/// How it failed, for each of its keys.
#[derive(Clone)]
pub(crate) enum Failed {
    Error(Arc<dyn Any + Send + Sync>),
    Panicked(Arc<str>),
}

/// What came of it.
pub(crate) struct Joint<T> {
    pub(crate) loaded: Result<T, Failed>,
    /// What it said of its result. The flights know that already.
    pub(crate) said: Edits,
}

/// Loads the keys of all `flights`, each once, in one load. `None` if its runtime ended before.
///
/// What the load says of its result, and what it is made from, counts for each of the flights. `id` is its number among the
/// loads of the process.
pub(crate) async fn load_jointly<K, V, T, E, Fut>(
    id: u64,
    load: impl FnOnce(Vec<K::Owned>) -> Fut + Send + 'static,
    keys: Vec<K::Owned>,
    flights: &[Arc<Flight<K, V>>],
    coherence: &Coherence,
) -> Option<Joint<T>>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    T: Send + 'static,
    E: Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let run = Arc::new(JointRun { id, edits: Mutex::default(), coherence: coherence.clone() });
    // Who asks, in the load, for one of its keys would wait for itself.
    let waits: Vec<_> = flights.iter().map(|flight| cycle::wait_as(flight.id, run.id)).collect();
    let running = Arc::clone(&run);
    let loaded = in_task(within(running, async move { load(keys).await })).await;
    drop(waits);
    let said = run.edits.lock().clone();
    for flight in flights {
        flight.edits.lock().join(&said);
    }
    let loaded = match loaded? {
        Ok(loaded) => loaded.map_err(|error| Failed::Error(Arc::new(error))),
        Err(message) => Err(Failed::Panicked(message)),
    };
    Some(Joint { loaded, said })
}

/// Runs the load in a task of its own, so that it holds up no call of a store; until nobody waits for it any more.
async fn in_task<T: Send + 'static>(
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

/// The load, seen from inside.
struct JointRun {
    id: u64,
    edits: Mutex<Edits>,
    coherence: Coherence,
}

impl Running for JointRun {
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
