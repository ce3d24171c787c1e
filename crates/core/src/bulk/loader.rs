//! The loader of a bulk call: each key has a flight of its own, and all that want to be loaded are in one load.

use super::{Bulk, Gather};
use crate::coherence::Coherence;
use crate::flight::{Flight, next_id};
use crate::fly::{Absent, Loaded};
use crate::joint_load::{Failed, load_jointly};
use crate::sync::Mutex;
use crate::{LoadContext, Lookup};
use std::collections::HashMap;
use std::future::Future;
use std::panic::resume_unwind;
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
    let keys = flights.iter().map(|flight| flight.key.clone()).collect();
    // Its runtime has ended, and with it those who asked.
    let Some(joint) = load_jointly(next_id(), load, keys, &flights, &coherence).await else {
        return Vec::new();
    };
    match joint.loaded {
        Ok(mut values) => flights.iter().map(|flight| Ok(values.remove::<K::Owned>(&flight.key))).collect(),
        Err(failed) => flights.iter().map(|_| Err(failed.clone())).collect(),
    }
}
