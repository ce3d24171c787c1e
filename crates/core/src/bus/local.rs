//! A bus within one process.

use super::{Bus, Listener};
use crate::shared_log::Answer;
use crate::sync::Mutex;
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, Weak};

/// A bus within one process: for caches of one process that stand for several, in tests most of all. Clones are the same
/// bus.
///
/// A message is heard before [`publish`](Bus::publish) returns, on its thread. It needs no runtime, and nothing is ever
/// missed.
///
/// # Examples
///
/// ```
/// use larder_core::{Bus, Listener, LocalBus};
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use std::sync::{Arc, Weak};
///
/// #[derive(Default)]
/// struct Counter(AtomicUsize);
///
/// impl Listener for Counter {
///     fn heard(&self, _message: &[u8]) {
///         self.0.fetch_add(1, Relaxed);
///     }
///     fn missed(&self) {}
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let bus = LocalBus::new();
/// let counter = Arc::new(Counter::default());
/// let listener: Weak<Counter> = Arc::downgrade(&counter);
/// bus.subscribe(listener);
///
/// bus.publish("users:ada".into()).await.unwrap();
/// assert_eq!(counter.0.load(Relaxed), 1);
/// # });
/// ```
#[derive(Clone, Default)]
#[must_use = "a bus carries nothing until somebody listens"]
pub struct LocalBus(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Held to look who listens, never while somebody is told something: he may publish in his turn.
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
}

impl LocalBus {
    /// Makes a bus on which nobody listens.
    pub fn new() -> Self {
        Self::default()
    }
}

#[deny(clippy::missing_trait_methods)]
impl Bus for LocalBus {
    fn publish(&self, message: Bytes) -> Answer<'_, ()> {
        Box::pin(async move {
            let listening: Vec<_> = {
                let mut listeners = self.0.listeners.lock();
                listeners.retain(|listener| listener.strong_count() > 0);
                listeners.iter().filter_map(Weak::upgrade).collect()
            };
            for listener in listening {
                listener.heard(&message);
            }
            Ok(())
        })
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        let mut listeners = self.0.listeners.lock();
        // Where nobody publishes, who has gone is noticed here.
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(listener);
    }

    fn max_message_bytes(&self) -> usize {
        64 << 10
    }

    fn place(&self) -> String {
        "the bus of this process".into()
    }
}

impl fmt::Debug for LocalBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBus").field("listeners", &self.0.listeners.lock().len()).finish()
    }
}
