//! A source of many values, which records what it was asked for.

use bytes::Bytes;
use larder_testkit::Gate;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// Has each key as its own value, but for those that begin with `no`. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Source(Arc<Inner>);

#[derive(Default)]
struct Inner {
    asked: Mutex<Vec<Vec<String>>>,
    gate: Gate,
    end: Mutex<End>,
    /// Loads whose futures are gone, however they ended.
    gone: Arc<()>,
}

#[derive(Clone, Copy, Default)]
enum End {
    #[default]
    Values,
    Error(&'static str),
    Panic(&'static str),
}

pub(crate) type Loaded = Result<HashMap<String, Bytes>, &'static str>;

impl Source {
    pub(crate) fn gated() -> Self {
        let source = Self::default();
        source.gate().close();
        source
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(crate) fn fails(&self, error: &'static str) {
        *self.0.end.lock().unwrap() = End::Error(error);
    }

    pub(crate) fn panics(&self, message: &'static str) {
        *self.0.end.lock().unwrap() = End::Panic(message);
    }

    pub(crate) fn works(&self) {
        *self.0.end.lock().unwrap() = End::Values;
    }

    /// The calls so far, each with its keys in order.
    pub(crate) fn asked(&self) -> Vec<Vec<String>> {
        self.0.asked.lock().unwrap().clone()
    }

    /// How many loads are under way.
    pub(crate) fn under_way(&self) -> usize {
        Arc::strong_count(&self.0.gone) - 1
    }

    pub(crate) fn load(
        &self,
    ) -> impl FnOnce(Vec<String>) -> Pin<Box<dyn Future<Output = Loaded> + Send>> + Clone + Send + 'static
    {
        let source = self.clone();
        move |mut keys| {
            Box::pin(async move {
                let _under_way = Arc::clone(&source.0.gone);
                keys.sort();
                source.0.asked.lock().unwrap().push(keys.clone());
                source.gate().pass().await;
                let end = *source.0.end.lock().unwrap();
                match end {
                    End::Values => {
                        let has = keys.into_iter().filter(|key| !key.starts_with("no"));
                        Ok(has.map(|key| (key.clone(), Bytes::from(key))).collect())
                    }
                    End::Error(error) => Err(error),
                    End::Panic(message) => panic!("{message}"),
                }
            })
        }
    }
}
