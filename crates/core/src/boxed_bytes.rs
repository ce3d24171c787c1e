//! A store of bytes whose type is hidden: what a URL, read at run time, opens.

use crate::record::{Put, PutIf, Record, Token};
use crate::shared_log::SharedLog;
use crate::store::{Capabilities, Cleared, Usage};
use crate::{ByteStore, Result, Time};
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A [`ByteStore`] whose type is hidden. Clones are the same store.
///
/// For stores that are chosen when the program runs. Each call costs an allocation more than that of the store
/// itself; a cache, whose levels are known, is boxed by [`Cache::boxed`](crate::Cache::boxed).
///
/// # Examples
///
/// ```
/// use larder_core::{BoxedBytes, ByteStore, Cache};
/// use larder_testkit::FakeBytes;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let stores = [BoxedBytes::new(FakeBytes::new()), BoxedBytes::new(std::sync::Arc::new(FakeBytes::new()))];
/// for store in stores {
///     assert_eq!(store.name(), "FakeBytes");
///     let names = Cache::new(store).namespace("names");
///     names.insert("ada", "Lovelace".into()).await?;
///     assert_eq!(names.get("ada").await?.unwrap(), "Lovelace");
/// }
/// # larder_core::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "a store does nothing until a cache is made of it"]
pub struct BoxedBytes(Arc<dyn Erased>);

impl BoxedBytes {
    /// Hides the type of `store`.
    pub fn new(store: impl ByteStore) -> Self {
        BoxedBytes(Arc::new(store))
    }
}

impl fmt::Debug for BoxedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxedBytes").field(&ByteStore::name(self)).finish()
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`ByteStore`] with futures of one type.
trait Erased: Send + Sync {
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Result<Option<Bytes>>>;
    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, at: Option<SystemTime>) -> Answer<'a, Result<()>>;
    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, Result<()>>;
    fn get_many<'a>(&'a self, keys: &'a [&'a str]) -> Answer<'a, Vec<Result<Option<Bytes>>>>;
    fn put_many<'a>(&'a self, puts: &'a [Put<'a>]) -> Answer<'a, Vec<Result<()>>>;
    fn remove_many<'a>(&'a self, keys: &'a [&'a str]) -> Answer<'a, Vec<Result<()>>>;
    fn get_with_token<'a>(&'a self, key: &'a str, guard_for: Duration) -> Answer<'a, Result<Record>>;
    fn guard<'a>(&'a self, key: &'a str, guard_for: Duration) -> Answer<'a, Result<Option<Token>>>;
    fn put_if<'a>(
        &'a self,
        key: &'a str,
        token: &'a Token,
        bytes: Bytes,
        at: Option<SystemTime>,
    ) -> Answer<'a, Result<PutIf>>;
    fn log(&self) -> Option<Arc<dyn SharedLog>>;
    fn clear<'a>(&'a self, prefix: &'a str) -> Answer<'a, Result<Cleared>>;
    fn sweep(&self, now: Time);
    fn usage(&self) -> Option<Usage>;
    fn capabilities(&self) -> Capabilities;
    fn name(&self) -> &'static str;
}

impl<B: ByteStore> Erased for B {
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Result<Option<Bytes>>> {
        Box::pin(ByteStore::get(self, key))
    }
    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, at: Option<SystemTime>) -> Answer<'a, Result<()>> {
        Box::pin(ByteStore::put(self, key, bytes, at))
    }
    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, Result<()>> {
        Box::pin(ByteStore::remove(self, key))
    }
    fn get_many<'a>(&'a self, keys: &'a [&'a str]) -> Answer<'a, Vec<Result<Option<Bytes>>>> {
        Box::pin(ByteStore::get_many(self, keys))
    }
    fn put_many<'a>(&'a self, puts: &'a [Put<'a>]) -> Answer<'a, Vec<Result<()>>> {
        Box::pin(ByteStore::put_many(self, puts))
    }
    fn remove_many<'a>(&'a self, keys: &'a [&'a str]) -> Answer<'a, Vec<Result<()>>> {
        Box::pin(ByteStore::remove_many(self, keys))
    }
    fn get_with_token<'a>(&'a self, key: &'a str, guard_for: Duration) -> Answer<'a, Result<Record>> {
        Box::pin(ByteStore::get_with_token(self, key, guard_for))
    }
    fn guard<'a>(&'a self, key: &'a str, guard_for: Duration) -> Answer<'a, Result<Option<Token>>> {
        Box::pin(ByteStore::guard(self, key, guard_for))
    }
    fn put_if<'a>(
        &'a self,
        key: &'a str,
        token: &'a Token,
        bytes: Bytes,
        at: Option<SystemTime>,
    ) -> Answer<'a, Result<PutIf>> {
        Box::pin(ByteStore::put_if(self, key, token, bytes, at))
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        ByteStore::log(self)
    }
    fn clear<'a>(&'a self, prefix: &'a str) -> Answer<'a, Result<Cleared>> {
        Box::pin(ByteStore::clear(self, prefix))
    }
    fn sweep(&self, now: Time) {
        ByteStore::sweep(self, now);
    }
    fn usage(&self) -> Option<Usage> {
        ByteStore::usage(self)
    }
    fn capabilities(&self) -> Capabilities {
        ByteStore::capabilities(self)
    }
    fn name(&self) -> &'static str {
        ByteStore::name(self)
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for BoxedBytes {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.0.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(key).await
    }
    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        self.0.get_many(keys).await
    }
    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        self.0.put_many(puts).await
    }
    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        self.0.remove_many(keys).await
    }
    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        self.0.get_with_token(key, guard_for).await
    }
    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        self.0.guard(key, guard_for).await
    }
    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        self.0.put_if(key, token, bytes, expires_at).await
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        self.0.log()
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.clear(prefix).await
    }
    fn sweep(&self, now: Time) {
        self.0.sweep(now);
    }
    fn usage(&self) -> Option<Usage> {
        self.0.usage()
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
}
