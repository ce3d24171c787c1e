//! How records are read through the log: with its position in the same round trip.

use super::{GUARD_FOR, Shared};
use crate::Result;
use crate::coherence::Coherence;
use crate::coherence::state::{Applied, Asked};
use crate::event::Operation;
use crate::guard::{Guard, Witness};
use crate::record::Record;
use crate::shared_log::News;
use std::pin::pin;

impl Shared {
    /// Reads a record, through the guard of its level. Where somebody may put what it loads, a guard is planted.
    pub(crate) async fn read(
        &self,
        coherence: &Coherence,
        key: &str,
        is_to_load: bool,
        guard: &Guard,
        witness: Witness<'_>,
    ) -> Result<Record> {
        let asked = self.before_read(coherence).await?;
        let call = pin!(self.log.read(asked.known, key, is_to_load.then_some(GUARD_FOR)));
        let (record, news) = guard.run(witness, Operation::Read, call).await?;
        self.after_read(coherence, asked, &news).await.map(|()| record)
    }

    /// Reads many records, as [`read`](Self::read) one.
    pub(crate) async fn read_many(
        &self,
        coherence: &Coherence,
        keys: &[&str],
        is_to_load: bool,
        guard: &Guard,
        witness: Witness<'_>,
    ) -> Vec<Result<Record>> {
        let read = async {
            let asked = self.before_read(coherence).await?;
            let call = pin!(self.log.read_many(asked.known, keys, is_to_load.then_some(GUARD_FOR)));
            let (records, news) = guard.run(witness, Operation::Read, call).await?;
            self.after_read(coherence, asked, &news).await.map(|()| records)
        };
        read.await.unwrap_or_else(|error| keys.iter().map(|_| Err(error.clone())).collect())
    }

    async fn before_read(&self, coherence: &Coherence) -> Result<Asked> {
        self.flush(coherence).await?;
        coherence.begin().await;
        Ok(self.asked(coherence))
    }

    async fn after_read(&self, coherence: &Coherence, asked: Asked, news: &News) -> Result<()> {
        if self.apply(coherence, asked, news) == Applied::Ignored {
            coherence.confirm().await
        } else {
            Ok(())
        }
    }
}
