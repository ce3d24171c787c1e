//! The store: one item a key.

use crate::name::{self, Name};
use crate::options::MemcachedOptions;
use crate::server::Server;
use bytes::Bytes;
use larder_core::{
    ByteStore, Capabilities, Cleared, Put, PutIf, Record, Result, SharedLog, Time, Token, Usage,
};
use larder_pooled::Deadline;
use larder_pooled::Turns;
use larder_pooled::{Finish, finish};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A store that keeps one item a key in memcached, on one server or on several.
///
/// A handle: clones are the same store with the same connections. The crate's documentation describes the items.
///
/// # Cancel safety
///
/// A call whose future is dropped once it was polled goes on to its end as a task, within its timeout, or has
/// changed nothing. A write that is called after it still comes after it.
///
/// # Panics
///
/// Its calls need a Tokio runtime with I/O.
///
/// # Examples
///
/// ```no_run
/// use larder_codecs::Json;
/// use larder_core::Cache;
/// use larder_memcached::Memcached;
///
/// # async fn example() -> larder_core::Result<()> {
/// // One store, two caches, two namespaces.
/// let store = Memcached::connect("memcached://cache.test").await?;
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
pub struct Memcached(Arc<Inner>);

struct Inner {
    servers: Vec<Arc<Server>>,
    turns: Turns,
    options: MemcachedOptions,
}

impl Memcached {
    /// Connects to `memcached://host:port`, or to several servers: `memcached://host:port,host:port`. The port is 11211
    /// unless the URL has another.
    ///
    /// Of several servers each has its share of the keys, see the crate's documentation. What else can be chosen is in
    /// [`options`](Memcached::options).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`](larder_core::ErrorKind::Config): the URL is none, or what listens there is no memcached
    ///   that we can use: it asks for a login, is older than 1.6, or was started with -C
    /// - [`ErrorKind::Store`](larder_core::ErrorKind::Store): there is no connection to one of them
    /// - [`ErrorKind::Timeout`](larder_core::ErrorKind::Timeout): no answer in 5 s
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing on the servers.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ErrorKind;
    /// use larder_memcached::Memcached;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(async {
    /// let error = Memcached::connect("memcached://127.0.0.1:1").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Store);
    /// assert!(error.to_string().contains("no connection to memcached at 127.0.0.1:1"), "{error}");
    /// # });
    /// ```
    pub async fn connect(url: &str) -> Result<Self> {
        Self::options().connect(url).await
    }

    /// Returns options: time-outs, the number of connections, a store that connects later.
    pub fn options() -> MemcachedOptions {
        MemcachedOptions::default()
    }

    pub(crate) fn new(servers: Vec<Server>, options: MemcachedOptions) -> Self {
        let servers = servers.into_iter().map(Arc::new).collect();
        Memcached(Arc::new(Inner { servers, turns: Turns::new(), options }))
    }

    pub(crate) async fn connect_all(&self, limit: Duration) -> Result<()> {
        for server in &self.0.servers {
            let server = Arc::clone(server);
            let mut deadline = Deadline::new(limit, "memcached");
            finish(async move { deadline.bound(server.connect()).await }).await?;
        }
        Ok(())
    }

    pub(crate) fn servers(&self) -> &[Arc<Server>] {
        &self.0.servers
    }

    /// Returns the number of the server that has a key.
    pub(crate) fn place(&self, name: &Name) -> usize {
        match self.servers() {
            [_] => 0,
            servers => name.place(servers.iter().map(|server| &*server.address)),
        }
    }

    /// Does what needs no turn, because it writes nothing or may come late without harm.
    pub(crate) fn run<T, W>(&self, work: W) -> Finish<Result<T>>
    where
        T: Send + 'static,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        let mut deadline = Deadline::new(self.0.options.response_timeout, "memcached");
        finish(async move { deadline.bound(work).await })
    }

    /// Does what writes the items of these keys, behind what was called before.
    pub(crate) fn write<T, W>(
        &self,
        keys: impl AsRef<[[u8; 16]]> + Send,
        work: W,
    ) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        let mut deadline = Deadline::new(self.0.options.response_timeout, "memcached");
        // It is large, and this future would be as well.
        let work = Box::pin(work);
        async move {
            let turn = self.0.turns.take(keys.as_ref().iter());
            let turn = deadline.bound(async { Ok(turn.await) }).await?;
            let in_turn = async move {
                let done = deadline.bound(work).await;
                drop(turn);
                done
            };
            finish(in_turn).await
        }
    }

    /// Waits until the writes have ended that were called before.
    pub(crate) async fn pass_writes(&self) -> Result<()> {
        let passed = async {
            self.0.turns.pass().await;
            Ok(())
        };
        Deadline::new(self.0.options.response_timeout, "memcached").bound(passed).await
    }

    /// Returns what belongs to a key, and who has it.
    fn find(&self, key: &str) -> (Name, Arc<Server>) {
        let name = Name::of(key);
        let server = Arc::clone(&self.servers()[self.place(&name)]);
        (name, server)
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for Memcached {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let (name, server) = self.find(key);
        self.run(async move { server.get(&name).await }).await
    }

    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        let (name, server) = self.find(key);
        self.write([name.hash], async move { server.put(&name, bytes, expires_at).await }).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        let (name, server) = self.find(key);
        self.write([name.hash], async move { server.delete(&name, None).await }).await
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        self.read_many(keys).await
    }

    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        self.write_many(puts).await
    }

    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        self.delete_many(keys).await
    }

    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        let (name, server) = self.find(key);
        // A guard that comes late replaces nothing.
        self.run(async move { server.get_with_token(&name, guard_for).await }).await
    }

    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        let (name, server) = self.find(key);
        self.write([name.hash], async move { server.guard(&name, guard_for).await.map(Some) }).await
    }

    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        let (name, server) = self.find(key);
        let token = token.clone();
        // One that comes late finds another number.
        self.run(async move { server.put_if(&name, &token, bytes, expires_at).await }).await
    }

    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        None
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        match prefix.strip_suffix(':') {
            Some(namespace) if !namespace.contains(':') => {
                self.clear_namespace(name::generation(Some(namespace))).await
            }
            // No namespace and its colon, so nothing that has a generation.
            _ => Ok(Cleared::Unsupported),
        }
    }

    fn sweep(&self, _: Time) {}

    fn usage(&self) -> Option<Usage> {
        None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear().put_if().expires()
    }

    fn name(&self) -> &'static str {
        "Memcached"
    }
}

impl fmt::Debug for Memcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> = self.servers().iter().map(|server| &*server.address).collect();
        f.debug_struct("Memcached")
            .field("servers", &servers)
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}
