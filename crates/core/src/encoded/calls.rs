//! What a level of bytes asks of its store: for one key alone, or together with the other keys of a bulk operation.
//!
//! Either way a call is made through the level's guard. A call for many keys has one time-out, and has failed for the
//! breaker if it has failed for all of them.

use crate::behind::Sealed;
use crate::bulk::cut_off;
use crate::codec::Format;
use crate::coherence::{Coherence, Shared};
use crate::counters::LevelCounters;
use crate::cx::Cx;
use crate::event::{Observers, Operation};
use crate::guard::Witness;
use crate::record::{Record, Token};
use crate::shared_log::Name;
use crate::{ByteStore, Clock, Level, Result};
use bytes::Bytes;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

/// Asks the store through the level's guard, unless it never waits.
pub(super) async fn guarded<B: ByteStore, C: Sync + Send, T: Send>(
    level: &Level<B, C>,
    witness: Witness<'_>,
    operation: Operation,
    call: Pin<&mut (impl Future<Output = Result<T>> + Send)>,
) -> Result<T> {
    if level.store.capabilities().immediate {
        return call.await;
    }
    level.guard.run(witness, operation, call).await
}

/// Reads what is stored.
pub(super) async fn get<B: ByteStore, C: Format>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    key: &str,
) -> Result<Option<Bytes>> {
    let Some(bulk) = cx.bulk else {
        return guarded(level, cx.witness(), Operation::Read, pin!(level.store.get(key))).await;
    };
    let all = || {
        let asker = Asker::of(level, cx);
        move |keys: Vec<String>| {
            let asker = Arc::clone(&asker);
            async move {
                let keys = texts(&keys);
                asker.ask(Operation::Read, keys.len(), asker.level.store.get_many(&keys)).await
            }
        }
    };
    bulk.at(cx.base).reads.ask(bulk, key.into(), all).await.unwrap_or_else(|| Err(cut_off()))
}

/// Reads what is stored, through the log.
pub(super) async fn read<B: ByteStore, C: Format>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    shared: &Shared,
    key: &str,
) -> Result<Record> {
    let Some(bulk) = cx.bulk else {
        return shared.read(cx.coherence, key, cx.plants(), &level.guard, cx.witness()).await;
    };
    let all = || {
        let asker = Asker::of(level, cx);
        move |asked: Vec<(String, bool)>| {
            let asker = Arc::clone(&asker);
            async move {
                let keys: Vec<&str> = asked.iter().map(|(key, _)| &**key).collect();
                let is_to_load = asked.iter().any(|(_, plants)| *plants);
                let (coherence, guard) = (&asker.coherence, &*asker.level.guard);
                match coherence.shared() {
                    Some(shared) => {
                        shared.read_many(coherence, &keys, is_to_load, guard, asker.witness()).await
                    }
                    None => Vec::new(),
                }
            }
        }
    };
    let question = (key.into(), cx.plants());
    bulk.at(cx.base).records.ask(bulk, question, all).await.unwrap_or_else(|| Err(cut_off()))
}

/// Puts a value.
pub(super) async fn put<B: ByteStore, C: Format>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    key: &str,
    value: Sealed,
) -> Result<()> {
    let Some(bulk) = cx.bulk else {
        return guarded(level, cx.witness(), Operation::Write, pin!(value.put(&*level.store, key))).await;
    };
    let all = || {
        let asker = Asker::of(level, cx);
        move |puts: Vec<(String, Sealed)>| {
            let asker = Arc::clone(&asker);
            async move {
                asker.ask(Operation::Write, puts.len(), Sealed::put_all(&*asker.level.store, &puts)).await
            }
        }
    };
    bulk.at(cx.base).writes.ask(bulk, (key.into(), value), all).await.unwrap_or_else(|| Err(cut_off()))
}

/// Removes what is stored.
pub(super) async fn remove<B: ByteStore, C: Format>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    key: &str,
) -> Result<()> {
    let Some(bulk) = cx.bulk else {
        return guarded(level, cx.witness(), Operation::Remove, pin!(level.store.remove(key))).await;
    };
    let all = || {
        let asker = Asker::of(level, cx);
        move |keys: Vec<String>| {
            let asker = Arc::clone(&asker);
            async move {
                let keys = texts(&keys);
                asker.ask(Operation::Remove, keys.len(), asker.level.store.remove_many(&keys)).await
            }
        }
    };
    bulk.at(cx.base).removals.ask(bulk, key.into(), all).await.unwrap_or_else(|| Err(cut_off()))
}

/// Voids the record of a key, and numbers its invalidation. Returns the token of the guard in its place.
pub(super) async fn void<B: ByteStore, C: Format>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    shared: &Shared,
    key: &str,
    name: Name,
) -> Result<Option<Token>> {
    let Some(bulk) = cx.bulk else {
        return Ok(invalidate(level, cx, shared, &[key], &name).await?.pop());
    };
    let all = || {
        let asker = Asker::of(level, cx);
        move |asked: Vec<(String, Name)>| {
            let asker = Arc::clone(&asker);
            async move { asker.void(asked).await }
        }
    };
    bulk.at(cx.base).voids.ask(bulk, (key.into(), name), all).await.unwrap_or_else(|| Err(cut_off()))
}

/// Voids records, and numbers an invalidation.
pub(super) async fn invalidate<B: ByteStore, C: Send + Sync>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    shared: &Shared,
    voids: &[&str],
    name: &Name,
) -> Result<Vec<Token>> {
    let through = Some((&*level.guard, cx.witness()));
    shared.invalidate(cx.coherence, voids, std::slice::from_ref(name), cx.clock.now(), through).await
}

fn texts(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

/// Who asks for many keys, and may outlive the one of them that came first.
struct Asker<B, C> {
    level: Level<B, C>,
    clock: Arc<dyn Clock>,
    coherence: Coherence,
    counters: Arc<LevelCounters>,
    observers: Observers,
}

impl<B: ByteStore, C: Format> Asker<B, C> {
    fn of(level: &Level<B, C>, cx: Cx<'_>) -> Arc<Self> {
        Arc::new(Asker {
            level: level.clone(),
            clock: Arc::clone(cx.clock),
            coherence: cx.coherence.clone(),
            counters: Arc::clone(cx.counters.level(cx.base)),
            observers: cx.observers.clone(),
        })
    }

    fn witness(&self) -> Witness<'_> {
        Witness { clock: &*self.clock, level: &self.counters, observers: &self.observers }
    }

    /// Makes one call for so many keys.
    async fn ask<T: Send>(
        &self,
        operation: Operation,
        keys: usize,
        call: impl Future<Output = Vec<Result<T>>> + Send,
    ) -> Vec<Result<T>> {
        let mut answers = Vec::new();
        let done = {
            let call = pin!(async {
                answers = call.await;
                match answers.first() {
                    Some(Err(error)) if answers.iter().all(Result::is_err) => Err(error.clone()),
                    _ => Ok(()),
                }
            });
            guarded(&self.level, self.witness(), operation, call).await
        };
        match done {
            // The store was not asked, or has not answered.
            Err(error) if answers.is_empty() => (0..keys).map(|_| Err(error.clone())).collect(),
            _ => answers,
        }
    }

    async fn void(&self, asked: Vec<(String, Name)>) -> Vec<Result<Option<Token>>> {
        let Some(shared) = self.coherence.shared() else { return Vec::new() };
        let (keys, names): (Vec<String>, Vec<Name>) = asked.into_iter().unzip();
        let through = Some((&*self.level.guard, self.witness()));
        let (voids, now) = (texts(&keys), self.clock.now());
        match shared.invalidate(&self.coherence, &voids, &names, now, through).await {
            Ok(tokens) => {
                let tokens = tokens.into_iter().map(Some).chain(std::iter::repeat(None));
                tokens.map(Ok).take(keys.len()).collect()
            }
            Err(error) => keys.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}
