//! A store, a bus or a lock, and what must be there for as long.

use bytes::Bytes;
use larder_core::{
    Answer, Bus, ByteStore, Capabilities, Cleared, Listener, Lock, Put, PutIf, Record, Result, SharedLog,
    Time, Token, Usage,
};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

/// A store of bytes, a bus or a lock, and what it needs and does not own: its server, its folder. They go together, the
/// store first.
///
/// # Examples
///
/// ```
/// use larder_core::Cache;
/// use larder_testkit::{FakeBytes, Together};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # struct Server;
/// # impl Server { fn start() -> Self { Server } fn store(&self) -> FakeBytes { FakeBytes::new() } }
/// let server = Server::start();
/// let cache = Cache::new(Together::new(server.store(), server)); // the server ends with the cache
/// cache.insert("ada", "countess".into()).await.unwrap();
/// assert_eq!(cache.get("ada").await.unwrap().unwrap(), "countess");
/// # });
/// ```
#[derive(Debug)]
pub struct Together<S, T> {
    store: S,
    _other: T,
}

impl<S, T> Together<S, T> {
    /// Puts a store and what it needs together.
    pub fn new(store: S, other: T) -> Self {
        Together { store, _other: other }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: ByteStore, T: Send + Sync + 'static> ByteStore for Together<S, T> {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.store.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.store.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.store.remove(key).await
    }
    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        self.store.get_many(keys).await
    }
    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        self.store.put_many(puts).await
    }
    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        self.store.remove_many(keys).await
    }
    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        self.store.get_with_token(key, guard_for).await
    }
    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        self.store.guard(key, guard_for).await
    }
    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        self.store.put_if(key, token, bytes, expires_at).await
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        self.store.log()
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.store.clear(prefix).await
    }
    fn sweep(&self, now: Time) {
        self.store.sweep(now);
    }
    fn usage(&self) -> Option<Usage> {
        self.store.usage()
    }
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
    fn name(&self) -> &'static str {
        self.store.name()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: Bus, T: Send + Sync + 'static> Bus for Together<S, T> {
    fn publish(&self, message: Bytes) -> Answer<'_, ()> {
        self.store.publish(message)
    }
    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.store.subscribe(listener);
    }
    fn max_message_bytes(&self) -> usize {
        self.store.max_message_bytes()
    }
    fn place(&self) -> String {
        self.store.place()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: Lock, T: Send + Sync + 'static> Lock for Together<S, T> {
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>> {
        self.store.acquire(name, lease)
    }
    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool> {
        self.store.renew(name, token, lease)
    }
    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()> {
        self.store.release(name, token)
    }
    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()> {
        self.store.wait(name, at_most)
    }
    fn place(&self) -> String {
        self.store.place()
    }
}
