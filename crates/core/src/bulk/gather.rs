//! Questions of one sort, gathered and asked in one call.

use super::{Bulk, MOST};
use crate::crowd::BoxFuture;
use crate::spawn::{catch_panic, unless_all_left};
use crate::sync::Mutex;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::oneshot;

/// See the module. Clones are the same.
pub(crate) struct Gather<Q, A>(Arc<Gathered<Q, A>>);

struct Gathered<Q, A> {
    /// Held to add a question or to take them all.
    waiting: Mutex<Vec<(Q, oneshot::Sender<A>)>>,
    /// How many go into one call.
    most: usize,
}

impl<Q: Send + 'static, A: Send + 'static> Gather<Q, A> {
    fn of(most: usize) -> Self {
        Gather(Arc::new(Gathered { waiting: Mutex::default(), most }))
    }

    /// Gathers into one call, however many there are.
    pub(crate) fn unbounded() -> Self {
        Self::of(usize::MAX)
    }

    /// Waits for the answer to a question. Who is the first of a call says by `all` how all are asked.
    ///
    /// `None` where there is none: the call panicked, or answered too few, or nobody is left to make it.
    pub(crate) async fn ask<F, Fut>(&self, bulk: &Bulk, question: Q, all: impl FnOnce() -> F) -> Option<A>
    where
        F: Fn(Vec<Q>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<A>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.0.waiting.lock();
            waiting.push((question, answer));
            waiting.len() == 1
        };
        if is_first {
            let (gathered, all) = (Arc::clone(&self.0), all());
            bulk.is_due(Box::new(move || gathered.calls(all)));
        }
        answered.await.ok()
    }
}

impl<Q: Send + 'static, A: Send + 'static> Gathered<Q, A> {
    fn calls<F, Fut>(&self, all: F) -> Vec<BoxFuture<'static, ()>>
    where
        F: Fn(Vec<Q>) -> Fut,
        Fut: Future<Output = Vec<A>> + Send + 'static,
    {
        let mut waiting = std::mem::take(&mut *self.waiting.lock());
        let mut calls: Vec<BoxFuture<'static, ()>> = Vec::new();
        while !waiting.is_empty() {
            let rest = waiting.split_off(self.most.min(waiting.len()));
            let (questions, mut askers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
            let call = all(questions);
            calls.push(Box::pin(async move {
                let call = pin!(call);
                let call = pin!(catch_panic(call));
                if let Some(Ok(answers)) = unless_all_left(call, &mut askers).await {
                    // Nobody listens where one has left.
                    askers.into_iter().zip(answers).for_each(|(asker, answer)| drop(asker.send(answer)));
                }
            }));
            waiting = rest;
        }
        calls
    }
}

impl<Q: Send + 'static, A: Send + 'static> Default for Gather<Q, A> {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl<Q, A> Clone for Gather<Q, A> {
    fn clone(&self) -> Self {
        Gather(Arc::clone(&self.0))
    }
}
