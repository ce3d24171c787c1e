//! The store: one row a key.

use crate::bus::PostgresBus;
use crate::calls::{Calls, Twice};
use crate::dial::Dial;
use crate::ear::Ear;
use crate::failure;
use crate::lock::PostgresLock;
use crate::log::PostgresLog;
use crate::name::{self, Name};
use crate::options::PostgresOptions;
use crate::row::{self, Raw};
use bytes::Bytes;
use larder_core::{
    ByteStore, Capabilities, Cleared, Error, ErrorKind, Put, PutIf, Record, Result, SharedLog, Time, Token,
    Usage,
};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A store that keeps one row a key in a table of PostgreSQL.
///
/// A handle: clones are the same store with the same connections, so that one may stay behind to
/// [purge](Postgres::purge_expired). The crate's documentation describes the table.
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
/// use larder_postgres::Postgres;
///
/// # async fn example() -> larder_core::Result<()> {
/// // One store, two caches, two namespaces.
/// let store = Postgres::connect("postgres://app:secret@db.test/shop").await?;
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
pub struct Postgres {
    pub(crate) calls: Calls,
    log: Arc<PostgresLog>,
    bus: PostgresBus,
    lock: PostgresLock,
    ear: Arc<Ear>,
}

impl Postgres {
    pub(crate) fn new(calls: Calls, dial: Option<Dial>) -> Self {
        let ear = Arc::new(Ear::new(calls.options(), dial));
        let log = Arc::new(PostgresLog::new(calls.clone()));
        let bus = PostgresBus::new(calls.clone(), Arc::clone(&ear));
        let lock = PostgresLock::new(calls.clone(), Arc::clone(&ear));
        Postgres { calls, log, bus, lock, ear }
    }

    /// Connects to `postgres://user:password@host:port/database?parameter=value`, and makes the table `larder` if it is
    /// not there.
    ///
    /// The parameters are those of the crate [`tokio_postgres`], such as `target_session_attrs=read-write`; there may be
    /// several hosts, separated by commas. What else can be chosen is in [`options`](Postgres::options).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`]: the URL is none, user, password or database is refused, the server is read-only or asks
    ///   for TLS, the user may not make or use the table, or a table of that name is of another shape
    /// - [`ErrorKind::Store`]: there is no connection, or the server fails
    /// - [`ErrorKind::Timeout`]: no answer in 5 s
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the table made or not.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ErrorKind;
    /// use larder_postgres::Postgres;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(async {
    /// let error = Postgres::connect("postgres://app:secret@127.0.0.1:1/shop").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Store);
    /// assert!(error.to_string().contains("no connection to PostgreSQL at 127.0.0.1:1/shop"), "{error}");
    /// # });
    /// ```
    pub async fn connect(url: &str) -> Result<Self> {
        Self::options().connect(url).await
    }

    /// Returns options: another table, time-outs, a store that connects later, a pool of one's own.
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }

    /// Returns the bus on which processes tell each other what was invalidated, by `LISTEN` and `NOTIFY`: the same one,
    /// with one connection, however often this is asked. It connects with the first listener.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the store is of a [given pool](PostgresOptions::from_pool): there is nothing to listen on.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::Bus;
    /// use larder_postgres::Postgres;
    ///
    /// let store = Postgres::options().channel("pages").lazy("postgres://app:secret@db.test/shop")?;
    /// assert_eq!(store.bus()?.place(), "the channel pages of PostgreSQL at db.test:5432/shop");
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn bus(&self) -> Result<PostgresBus> {
        if self.ear.can_listen() {
            return Ok(self.bus.clone());
        }
        Err(failure::config(
            "a bus needs a connection of its own, which a given pool has not; make another store with \
             `.from_config(..)` or `.lazy(url)`, and take the bus from that",
        ))
    }

    /// Returns the lock by which one process at a time loads a key: leases in a table beside the store's, made on first
    /// use.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::Lock;
    /// use larder_postgres::Postgres;
    ///
    /// let store = Postgres::options().lazy("postgres://app:secret@db.test/shop")?;
    /// assert_eq!(store.lock().place(), "the leases in PostgreSQL at db.test:5432/shop");
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn lock(&self) -> PostgresLock {
        self.lock.clone()
    }

    pub(crate) fn check_size(&self, bytes: u64) -> Result<()> {
        row::check_size(bytes, self.calls.options().max_value_bytes)
    }

    /// Reads the columns that say what is under a key.
    pub(crate) fn value(&self, row: &tokio_postgres::Row, column: usize) -> Result<Option<Bytes>> {
        row::value(row, column, self.calls.options().max_value_bytes)
    }

    /// Says that bytes are too many, once what they were to replace is removed.
    pub(crate) async fn refuse(&self, key: &str, too_large: Error) -> Error {
        self.remove(key).await.err().unwrap_or(too_large)
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for Postgres {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let Name { namespace, key } = Name::of(key);
        let values = row::values![namespace, Raw::from(key), row::now()];
        let rows = self.calls.run(|sql| &sql.get, values, Twice::Fine).await?;
        rows.first().map_or(Ok(None), |row| self.value(row, 0))
    }

    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        if let Err(too_large) = self.check_size(bytes.len() as u64) {
            return Err(self.refuse(key, too_large).await);
        }
        let name = Name::of(key);
        let values = row::values![
            name.namespace.clone(),
            Raw::from(name.key),
            Raw(bytes),
            expires_at.map(row::timestamp)
        ];
        self.calls.write(&[name], |sql| &sql.put, values, Twice::Fine).await.map(drop)
    }

    async fn remove(&self, key: &str) -> Result<()> {
        let name = Name::of(key);
        let values = row::values![name.namespace.clone(), Raw::from(name.key)];
        self.calls.write(&[name], |sql| &sql.remove, values, Twice::Fine).await.map(drop)
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
        let Name { namespace, key } = Name::of(key);
        let values = row::values![namespace, Raw::from(key), row::now(), row::from_now(guard_for)];
        // A guard that comes late replaces nothing.
        let rows = self.calls.run(|sql| &sql.get_with_token, values, Twice::Fine).await?;
        let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Store, "no record and no guard"))?;
        Ok(Record::new(self.value(row, 0)?, token(row, 2)?))
    }

    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        let name = Name::of(key);
        let values = row::values![name.namespace.clone(), Raw::from(name.key), row::from_now(guard_for)];
        let rows = self.calls.write(&[name], |sql| &sql.guard, values, Twice::Fine).await?;
        rows.first().map(|row| token(row, 0)).transpose()
    }

    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        let Name { namespace, key } = Name::of(key);
        let token = Raw(Bytes::copy_from_slice(token.as_bytes()));
        if let Err(too_large) = self.check_size(bytes.len() as u64) {
            let values = row::values![namespace, Raw::from(key), token];
            self.calls.run(|sql| &sql.remove_if, values, Twice::Fine).await?;
            return Err(too_large);
        }
        let values =
            row::values![namespace, Raw::from(key), token, Raw(bytes), expires_at.map(row::timestamp)];
        // One that comes late finds another token, and one that runs twice would refuse itself.
        let rows = self.calls.run(|sql| &sql.put_if, values, Twice::No).await?;
        Ok(if rows.is_empty() { PutIf::Refused } else { PutIf::Done })
    }

    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        Some(Arc::clone(&self.log) as _)
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        match prefix.strip_suffix(':') {
            Some(namespace) if !namespace.contains(':') => {
                self.clear_namespace(&name::namespace(namespace)).await
            }
            // No namespace and its colon, so nothing that a column has.
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
        "Postgres"
    }
}

impl fmt::Debug for Postgres {
    /// Prints where the server is, and no credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("place", &self.calls.place())
            .field("options", self.calls.options())
            .finish_non_exhaustive()
    }
}

fn token(row: &tokio_postgres::Row, column: usize) -> Result<Token> {
    row::column::<&[u8]>(row, column).map(|token| Token::new(token.to_vec()))
}
