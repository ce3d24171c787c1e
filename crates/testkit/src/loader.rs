//! Loads that do what a test says, when it says so, and are counted.

use crate::Gate;
use parking_lot::Mutex;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A source of loads for `get_or_load`, all of which follow one script. Clones share it.
///
/// The script is a list of outcomes, one a load; the last one repeats. Each load passes a [`Gate`], which a test
/// may close.
///
/// # Examples
///
/// ```
/// use larder_core::LoadError;
/// use larder_testkit::{Fake, Loader};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cache = larder_core::Cache::new(Fake::<str, u32>::new());
/// let loader = Loader::failing("no connection").then_value(36);
///
/// assert!(cache.get_or_load("ada", loader.load()).await.is_err());
/// assert_eq!(cache.get_or_load("ada", loader.load()).await.unwrap(), 36);
/// assert_eq!(loader.loads(), 2);
/// # });
/// ```
pub struct Loader<V, E = Infallible>(Arc<Script<V, E>>);

struct Script<V, E> {
    steps: Mutex<Vec<Step<V, E>>>,
    begun: AtomicUsize,
    ended: AtomicUsize,
    gate: Gate,
}

enum Step<V, E> {
    Value(V),
    Error(E),
    Panic(&'static str),
}

impl<V, E> Loader<V, E> {
    fn scripted(step: Step<V, E>) -> Self {
        Loader(Arc::new(Script {
            steps: Mutex::new(vec![step]),
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            gate: Gate::new(),
        }))
    }

    /// Makes a loader whose first load returns `value`.
    pub fn value(value: V) -> Self {
        Self::scripted(Step::Value(value))
    }

    /// Makes a loader whose first load returns `error`.
    pub fn failing(error: E) -> Self {
        Self::scripted(Step::Error(error))
    }

    /// Makes a loader whose first load panics.
    pub fn panicking(message: &'static str) -> Self {
        Self::scripted(Step::Panic(message))
    }

    /// Lets the next load return `value`.
    #[must_use = "the loader is returned"]
    pub fn then_value(self, value: V) -> Self {
        self.0.steps.lock().push(Step::Value(value));
        self
    }

    /// Lets the next load return `error`.
    #[must_use = "the loader is returned"]
    pub fn then_failing(self, error: E) -> Self {
        self.0.steps.lock().push(Step::Error(error));
        self
    }

    /// Closes the gate that loads pass, from the beginning on.
    #[must_use = "the loader is returned"]
    pub fn gated(self) -> Self {
        self.0.gate.close();
        self
    }

    /// Lets the next load panic.
    #[must_use = "the loader is returned"]
    pub fn then_panicking(self, message: &'static str) -> Self {
        self.0.steps.lock().push(Step::Panic(message));
        self
    }

    /// Returns the gate that every load passes after it was counted.
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Returns how many loads began.
    pub fn loads(&self) -> usize {
        self.0.begun.load(SeqCst)
    }

    /// Returns how many loads came to their end, by value or error. Those that were dropped or panicked did not.
    pub fn ended(&self) -> usize {
        self.0.ended.load(SeqCst)
    }
}

impl<V: Clone + Send + 'static, E: Clone + Send + 'static> Loader<V, E> {
    /// Returns a load, as `get_or_load` takes it.
    ///
    /// # Panics
    ///
    /// The load does, where the script says so.
    pub fn load(
        &self,
    ) -> impl FnOnce() -> Pin<Box<dyn Future<Output = Result<V, E>> + Send>> + Send + 'static {
        let script = Arc::clone(&self.0);
        move || {
            Box::pin(async move {
                let number = script.begun.fetch_add(1, SeqCst);
                script.gate.pass().await;
                let outcome = {
                    let steps = script.steps.lock();
                    match &steps[number.min(steps.len() - 1)] {
                        Step::Value(value) => Ok(value.clone()),
                        Step::Error(error) => Err(error.clone()),
                        Step::Panic(message) => {
                            let message = *message;
                            drop(steps);
                            panic!("{message}")
                        }
                    }
                };
                script.ended.fetch_add(1, SeqCst);
                outcome
            })
        }
    }
}

impl<V, E> Clone for Loader<V, E> {
    fn clone(&self) -> Self {
        Loader(Arc::clone(&self.0))
    }
}

impl<V, E> std::fmt::Debug for Loader<V, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("loads", &self.loads()).field("ended", &self.ended()).finish()
    }
}
