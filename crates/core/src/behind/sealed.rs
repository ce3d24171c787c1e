//! A value on its way to a store, and how it is put there.

use crate::crowd::{BoxFuture, all_of};
use crate::planted::{self, Bug};
use crate::record::{Put, PutIf, Token};
use crate::{ByteStore, Result, Time};
use bytes::Bytes;
use std::time::SystemTime;

/// A value on its way to the store.
pub(crate) struct Sealed {
    pub(crate) bytes: Bytes,
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) dead_at: Time,
    /// What it may replace and nothing else, where that is compared.
    pub(crate) token: Option<Token>,
}

impl Sealed {
    /// Puts it under the key, unless something else is there than what it may replace.
    pub(crate) async fn put(&self, store: &impl ByteStore, key: &str) -> Result<()> {
        let (bytes, at) = (self.bytes.clone(), self.expires_at);
        match &self.token {
            Some(_) if planted::is(Bug::NoPutGuard) => store.put(key, bytes, at).await,
            Some(token) if planted::is(Bug::ShortTombstone) => {
                let put = store.put_if(key, token, bytes.clone(), at).await?;
                let is_absent = put == PutIf::Refused && store.get(key).await?.is_none();
                if is_absent { store.put(key, bytes, at).await } else { Ok(()) }
            }
            // Refused: somebody was faster, and what is there is newer.
            Some(token) => store.put_if(key, token, bytes, at).await.map(drop),
            None => store.put(key, bytes, at).await,
        }
    }

    /// Puts many, as [`put`](Self::put) each. Those that are compared are on their way at the same time.
    pub(crate) async fn put_all(store: &impl ByteStore, values: &[(String, Sealed)]) -> Vec<Result<()>> {
        if values.iter().any(|(_, value)| value.token.is_some()) {
            let puts = values.iter().map(|(key, value)| Box::pin(value.put(store, key)) as BoxFuture<'_, _>);
            return all_of(usize::MAX, puts.collect::<Vec<_>>()).await;
        }
        let puts = values.iter().map(|(key, value)| Put {
            key,
            bytes: value.bytes.clone(),
            expires_at: value.expires_at,
        });
        store.put_many(&puts.collect::<Vec<_>>()).await
    }
}
