//! Storing what a load answered beyond what it was asked: [`keep_extra`](crate::BatchLoading::keep_extra).

use crate::batch::Keep;
use crate::coherence::Since;
use crate::crowd::BoxFuture;
use crate::edits::Edits;
use crate::flights::Visit;
use crate::fly::Waited;
use crate::holds::{Cx, Gift, Holds};
use crate::stow::planned;
use crate::touched::Watch;
use crate::{Cache, Lookup, Result};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

impl<K, T, S, C> Cache<K, Option<T>, S, C>
where
    K: ?Sized + Lookup,
    T: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, Option<T>>,
{
    /// Called when a load begins. What it returns stores answers of that load, unless something newer is known.
    pub(crate) fn extra_keeper(&self) -> Keep<K, T> {
        let changes = Arc::new(self.inner.flights.watch_changes());
        let since = self.inner.coherence.since(self.inner.clock.now_exact());
        let cache = self.clone();
        Box::new(move |extra, said| Box::pin(cache.keep_extra(extra, said, since, changes)))
    }

    async fn keep_extra(self, extra: HashMap<K::Owned, T>, said: Edits, since: Since, changes: Arc<Watch>) {
        if said.no_store {
            return;
        }
        let (cache, bulk) = self.in_bulk();
        let keep = |(key, value): (K::Owned, T)| -> BoxFuture<'static, Result<()>> {
            let (cache, said, changes) = (cache.clone(), said.clone(), Arc::clone(&changes));
            Box::pin(async move { cache.keep_one(key.borrow(), Some(value), &said, since, &changes).await })
        };
        // A level that fails is reported, and nobody waits for these.
        bulk.run_all(extra.into_iter().map(keep).collect()).await;
    }

    async fn keep_one(
        &self,
        key: &K,
        value: Option<T>,
        said: &Edits,
        since: Since,
        changes: &Watch,
    ) -> Result<()> {
        let visit = Visit::begin(&self.inner.flights, key);
        if self.numbers_itself() {
            // A record of a store with a log is only put in place of one that was seen; past the memory in front.
            let mut levels = Vec::new();
            C::describe(&self.level, &mut levels);
            let from = levels.iter().position(|level| level.codec.is_some()).unwrap_or_default();
            let cx = Cx { loads: true, ..self.cx_of(&visit) };
            drop(self.fetch(key, from, Waited::Not, None, cx).await);
        }
        let turn = visit.turn().await;
        // From here on, whoever changes the key waits for the end of this.
        if visit.is_changed(changes) || !self.policy.loads.admits(&value) {
            return Ok(());
        }
        let now = self.inner.clock.now_exact();
        let terms = self.policy.tagged(key, &value, said.terms.clone().or(&self.terms()));
        let plan = self.policy.plan(key, &value, &terms, since, now);
        let copy = visit.is_followed().then(|| planned(&plan, &value)).flatten();
        self.put_loaded(&visit, turn, key, Gift::Own(value), (since, &plan, copy)).await
    }
}
