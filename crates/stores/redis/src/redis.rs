//! The store.

use crate::bus::RedisBus;
use crate::command::{self, Record as Stored};
use crate::expiry::{self, Lasts};
use crate::lock::RedisLock;
use crate::log::RedisLog;
use crate::options::RedisOptions;
use crate::records::{Records, add_guard};
use crate::route::{Repeat, Route, Servers};
use crate::{fault, record, scripts};
use bytes::Bytes;
use larder_core::{
    ByteStore, Capabilities, Cleared, Clock, Put, PutIf, Record, Result, SharedLog, SystemClock, Time, Token,
    Usage,
};
use redis::Value;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A store in Redis or Valkey: one server, a cluster, or whichever server the sentinels name.
///
/// A handle: clones are the same store over the same connection, which many calls share. The crate's documentation tells
/// what is in Redis, and what happens when it fails.
///
/// # Cancel safety
///
/// A call whose future is dropped once it was polled is sent nevertheless, before those that are called later; its answer
/// is thrown away.
///
/// # Panics
///
/// None. Its calls need a Tokio runtime with I/O, and are errors without one; timers are its own.
///
/// # Examples
///
/// ```no_run
/// use larder_codecs::Json;
/// use larder_core::Cache;
/// use larder_redis::Redis;
///
/// # async fn example() -> larder_core::Result<()> {
/// // One store, two caches, two namespaces.
/// let store = Redis::connect("redis://:secret@cache.internal/0").await?;
/// let ages = Cache::new(store.clone()).codec(Json).namespace("ages");
/// let names = Cache::new(store).codec(Json).namespace("names");
///
/// ages.insert("ada", 36_u32).await?;
/// names.insert("ada", "Ada Lovelace".to_string()).await?;
/// ages.clear().await?;
/// assert_eq!(ages.get("ada").await?, None);
/// assert_eq!(names.get("ada").await?.as_deref(), Some("Ada Lovelace"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a store does nothing until a cache is made of it"]
pub struct Redis {
    records: Arc<Records>,
    log: Arc<RedisLog>,
    bus: RedisBus,
    lock: RedisLock,
}

impl Redis {
    /// Connects to the server, the cluster or the service that `url` names, with the default [options](Redis::options).
    ///
    /// # Errors
    ///
    /// As those of [`RedisOptions::connect`], which also tells what a URL looks like.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the connection, if there was one already.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ErrorKind;
    /// use larder_redis::Redis;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(async {
    /// let error = Redis::connect("redis://:secret@127.0.0.1:1").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Store);
    /// assert!(error.to_string().contains("nobody listens at 127.0.0.1:1"), "{error}");
    /// # });
    /// ```
    pub async fn connect(url: &str) -> Result<Self> {
        Self::options().connect(url).await
    }

    /// Returns options: time-outs, passwords, a store that connects later, a client of one's own.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    /// Returns the bus of these servers, for all who listen in this process. The connection on which it listens is made
    /// when somebody does.
    pub fn bus(&self) -> RedisBus {
        self.bus.clone()
    }

    /// Returns the leases of these servers. The connection on which releases are heard is made when somebody waits.
    pub fn lock(&self) -> RedisLock {
        self.lock.clone()
    }

    pub(crate) fn over(records: Records, log: &str, log_names: u32, channel: &str) -> Self {
        let records = Arc::new(records);
        Redis {
            log: Arc::new(RedisLog::new(Arc::clone(&records), log, log_names)),
            bus: RedisBus::new(Arc::clone(&records), channel),
            lock: RedisLock::new(Arc::clone(&records), channel),
            records,
        }
    }

    async fn changing<T>(&self, keys: &[&str], change: impl Future<Output = T>) -> T {
        self.records.changing(keys, change).await
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    pub(crate) fn route(&self) -> &Route {
        &self.records.route
    }

    /// Returns when someone has answered, or with the error that says why nobody did.
    pub(crate) async fn reach(&self, within: Duration) -> Result<()> {
        let deadline = SystemClock.now_exact().after(within);
        match &self.route().servers {
            Servers::One(line) => {
                let answered = line.call(redis::cmd("PING"), 0, deadline).await;
                answered.map(drop).map_err(|failure| failure.error)
            }
            Servers::Cluster(cluster) => cluster.refresh(deadline).await,
        }
    }

    pub(crate) async fn get_one(&self, key: &str) -> Result<Option<Bytes>> {
        let found = self.route().ask(key, || command::get(key), key.len(), Repeat::Harmless).await?;
        self.records.bytes_of(found)
    }

    pub(crate) async fn put_one(
        &self,
        key: &str,
        bytes: &Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<()> {
        if let Err(too_large) = self.records.check_size(bytes.len()) {
            // What cannot be written here must not leave the older value in its place.
            self.remove_one(key).await?;
            return Err(too_large);
        }
        let (header, lasts) = (record::value_header(), Lasts::until(expires_at));
        let put = || command::put(key, &Stored(&header, bytes), lasts);
        self.route().ask(key, put, key.len() + bytes.len(), Repeat::Never).await.map(drop)
    }

    pub(crate) async fn remove_one(&self, key: &str) -> Result<()> {
        self.route().ask(key, || command::unlink(&[key]), key.len(), Repeat::Harmless).await.map(drop)
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for Redis {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let Some(copies) = &self.records.copies else { return self.get_one(key).await };
        if let Some(known) = copies.get(key) {
            return Ok(known);
        }
        let claim = copies.claim(key);
        let found = self.get_one(key).await;
        match &found {
            Ok(found) => copies.fill(key, &claim, found.as_ref()),
            Err(_) => copies.give_up(key, &claim),
        }
        found
    }

    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.changing(&[key], self.put_one(key, &bytes, expires_at)).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.changing(&[key], self.remove_one(key)).await
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        self.get_each(keys).await
    }

    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let keys: Vec<&str> = puts.iter().map(|put| put.key).collect();
        self.changing(&keys, self.put_each(puts)).await
    }

    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        self.changing(keys, self.remove_each(keys)).await
    }

    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        let guard = record::guard_header();
        let add = |cmd: &mut redis::Cmd| add_guard(cmd, &guard, guard_for);
        let keys = [key];
        let run = self.route().run(&scripts::GET_WITH_TOKEN, &keys, add, key.len(), Repeat::Harmless);
        self.records.record_of(run.await?)
    }

    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        let (guard, lasts) = (record::guard_header(), Lasts::Millis(expiry::millis(guard_for)));
        let put = || command::put(key, &Stored(&guard, b""), lasts);
        // Twice it removes what came between, which is no more than a miss.
        self.changing(&[key], self.route().ask(key, put, key.len(), Repeat::Harmless)).await?;
        Ok(Some(Token::new(guard.to_vec())))
    }

    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        self.records.check_size(bytes.len())?;
        let (header, lasts) = (record::value_header(), Lasts::until(expires_at));
        let add = |cmd: &mut redis::Cmd| {
            cmd.arg(token.as_bytes());
            match lasts {
                Lasts::ForEver => cmd.arg(""),
                Lasts::Millis(millis) => cmd.arg(millis),
                Lasts::Over => cmd.arg(0),
            };
            cmd.arg(Stored(&header, &bytes));
        };
        let size = key.len() + bytes.len();
        let keys = [key];
        let put = self.route().run(&scripts::PUT_IF, &keys, add, size, Repeat::Harmless);
        match self.changing(&keys, put).await? {
            Value::Int(1) => Ok(PutIf::Done),
            Value::Int(0) => Ok(PutIf::Refused),
            _ => Err(fault::unexpected(self.route().place())),
        }
    }

    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        let log: Arc<RedisLog> = Arc::clone(&self.log);
        Some(log)
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        let cleared = self.clear_prefix(prefix).await;
        if let Some(copies) = &self.records.copies {
            copies.forget_all();
        }
        cleared
    }

    fn sweep(&self, _: Time) {}

    fn usage(&self) -> Option<Usage> {
        None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear().put_if().expires()
    }

    fn name(&self) -> &'static str {
        "Redis"
    }
}

impl fmt::Debug for Redis {
    /// Prints where the store is, and neither user nor password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("place", &self.records.route.place())
            .field("response_timeout", &self.records.route.timeout)
            .field("max_value_bytes", &self.records.max_value_bytes)
            .finish_non_exhaustive()
    }
}
