//! What can be chosen.

use crate::calls::Calls;
use crate::dial::Dial;
use crate::tables::Tables;
use crate::{Postgres, connect, failure, name, place};
use deadpool_postgres::Pool;
use larder_core::Result;
use std::time::Duration;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

/// PostgreSQL cuts longer identifiers off, and two tables would be one.
const LONGEST_IDENTIFIER: usize = 63;
/// So long may the name of a log be: it is in every row of the log.
const LONGEST_LOG: usize = 100;
/// A statement with all its parameters has at most 1 GiB, and the server takes several times a value's memory.
const LARGEST_VALUE: u64 = 512 << 20;

/// How a [`Postgres`] is made; from [`Postgres::options`].
///
/// # Default
///
/// - table: `larder`, in the first schema of the user's search path, logged
/// - connections: at most 10, made when they are needed
/// - response timeout: 1 s, for each call as a whole
/// - connect timeout: 5 s
/// - largest value: 64 MiB, and 64 KiB for header and key
/// - log: `larder`, with at most 100,000 marks of keys and as many of tags
/// - channel: `larder`
///
/// # Examples
///
/// ```
/// use larder_postgres::Postgres;
/// use std::time::Duration;
///
/// let options = Postgres::options().table("sessions").schema("caches").response_timeout(Duration::from_millis(200));
/// let store = options.lazy("postgres://app:secret@db.test/shop")?;
/// assert!(!format!("{store:?}").contains("secret"));
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until a store is made"]
pub struct PostgresOptions {
    table: String,
    schema: Option<String>,
    pub(crate) unlogged: bool,
    max_connections: usize,
    pub(crate) response_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_value_bytes: u64,
    pub(crate) log: String,
    pub(crate) max_marks: u32,
    pub(crate) channel: String,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        PostgresOptions {
            table: "larder".into(),
            schema: None,
            unlogged: false,
            max_connections: 10,
            response_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(5),
            max_value_bytes: (64 << 20) + (64 << 10),
            log: "larder".into(),
            max_marks: 100_000,
            channel: "larder".into(),
        }
    }
}

impl PostgresOptions {
    /// Keeps everything in `table`: any name of 1 to 63 bytes, also one with blanks, dots, quotes or capitals.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// Looks for the table in `schema`, which must be there, and makes it there.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Makes the table unlogged: writes cost less, standbys do not have it, and a crash of the server empties it.
    ///
    /// For a table that is there already nothing changes.
    pub fn unlogged(mut self, unlogged: bool) -> Self {
        self.unlogged = unlogged;
        self
    }

    /// Opens at most this many connections. A call that finds none free waits for one, within its timeout.
    ///
    /// Of no meaning for a [given pool](PostgresOptions::from_pool).
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Ends each call after `timeout` with an error of [`ErrorKind::Timeout`](larder_core::ErrorKind::Timeout): the wait
    /// for a connection, the making of one and that of the table included. A clear or purge is many calls.
    ///
    /// What was to be written may still arrive. The connection is closed.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Gives up making a connection after `timeout`, and ends [`connect`](PostgresOptions::connect) then.
    ///
    /// A connection that takes longer than one call may last is finished for the next.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Neither reads nor writes values of more than `bytes`, at most 512 MiB.
    ///
    /// A larger one is an error of [`ErrorKind::TooLarge`](larder_core::ErrorKind::TooLarge) (through a cache a miss and
    /// an event); it is not sent over the network, and a put that is refused removes the older value.
    pub fn max_value_bytes(mut self, bytes: u64) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// Numbers what is invalidated in the [log](larder_core::ByteStore::log) of this name: 1 to 100 printable ASCII
    /// characters.
    ///
    /// Services that share the table and nothing else have a log each, so that none is told of what the others
    /// invalidate. All processes of one service name the same.
    pub fn log(mut self, name: impl Into<String>) -> Self {
        self.log = name.into();
        self
    }

    /// Keeps at most about this many marks of keys in the log, and as many of tags.
    ///
    /// The oldest go first, a hundredth of the limit at a time. What a process had not heard of by then it has to ask for
    /// again. A mark takes some 200 bytes.
    pub fn max_marks(mut self, marks: u32) -> Self {
        self.max_marks = marks;
        self
    }

    /// Says and hears on this channel of the database what the [bus](Postgres::bus) carries and which
    /// [leases](Postgres::lock) were released: any name of 1 to 63 bytes.
    pub fn channel(mut self, channel: impl Into<String>) -> Self {
        self.channel = channel.into();
        self
    }

    /// Returns the statements that make what a store of these options needs: its table, the log's tables and function, and
    /// the table of leases.
    ///
    /// A store makes by itself what is not there. This is for those who do it by hand, because the application has not
    /// the right; it then needs `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the four tables. The function's name
    /// ends with a hash of its text, so that each release finds its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_postgres::Postgres;
    ///
    /// let sql = Postgres::options().table("pages").setup_sql();
    /// assert!(sql.starts_with("CREATE TABLE \"pages\" (namespace text"));
    /// assert!(sql.contains("CREATE TABLE \"pages_log\"") && sql.contains("CREATE UNLOGGED TABLE \"pages_leases\""));
    /// ```
    pub fn setup_sql(&self) -> String {
        let mut sql = Tables::new(self).create(self.unlogged).join(";\n");
        sql += ";\n";
        sql
    }

    /// Connects, and makes the table if it is not there.
    ///
    /// `url` is `postgres://user:password@host:port/database?parameter=value`; see [`Postgres::connect`].
    ///
    /// # Errors
    ///
    /// As for [`Postgres::connect`], and [`ErrorKind::Config`](larder_core::ErrorKind::Config) for options that cannot be.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the table made or not.
    pub async fn connect(self, url: &str) -> Result<Postgres> {
        let limit = self.connect_timeout;
        let store = self.lazy(url)?;
        store.calls.connect(limit).await?;
        Ok(store)
    }

    /// Makes a store that connects with the first call, so that a service starts also while its database is down.
    ///
    /// Whatever is wrong beside the options and the form of the URL is then the error of each call, until it is mended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](larder_core::ErrorKind::Config) for options that cannot be, or a URL that is none.
    pub fn lazy(self, url: &str) -> Result<Postgres> {
        self.from_config(place::parse(url)?)
    }

    /// Makes a store of the driver's settings, which connects with the first call, without TLS.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](larder_core::ErrorKind::Config) for options that cannot be.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_postgres::Postgres;
    ///
    /// let mut config = larder_postgres::Config::new();
    /// config.host("db.test").user("app").password("secret").dbname("shop");
    /// let store = Postgres::options().table("pages").from_config(config)?;
    /// assert!(format!("{store:?}").contains("db.test"));
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn from_config(self, config: Config) -> Result<Postgres> {
        self.from_config_and_tls(config, NoTls)
    }

    /// Makes a store of the driver's settings and of what its connections speak TLS with, such as `MakeRustlsConnect` of
    /// the crate `tokio-postgres-rustls`. Connects with the first call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](larder_core::ErrorKind::Config) for options that cannot be.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_postgres::{Config, Postgres};
    /// use tokio_postgres::NoTls;
    ///
    /// let config: Config = "postgres://app:secret@db.test/shop?sslmode=require".parse().unwrap();
    /// // In place of `NoTls`, with which `sslmode=require` is an error of each call.
    /// let tls = NoTls;
    /// let store = Postgres::options().from_config_and_tls(config, tls)?;
    /// assert!(format!("{store:?}").contains("db.test:5432/shop"));
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn from_config_and_tls<T>(self, config: Config, tls: T) -> Result<Postgres>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        self.check()?;
        if self.max_connections == 0 {
            return Err(failure::config("a pool of no connections; `.max_connections(n)` takes 1 or more"));
        }
        let place = place::of(&config);
        let dial = Dial::new(config.clone(), tls.clone());
        let pool = connect::pool(config, tls, self.max_connections, self.connect_timeout)?;
        Ok(Postgres::new(Calls::new(pool, place, &self), Some(dial)))
    }

    /// Makes a store of a pool that the application has already, with TLS or whatever else its connections need.
    ///
    /// Connects with the first call. The pool's own time-outs count too. Connections that a failure has made doubtful
    /// are taken out of it. Such a store has no [bus](Postgres::bus), as the pool keeps to itself what the server says unasked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](larder_core::ErrorKind::Config) for options that cannot be.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_postgres::{Config, Pool, Postgres};
    ///
    /// # let pool: Pool = Pool::builder(deadpool_postgres::Manager::new(Config::new(), tokio_postgres::NoTls)).build().unwrap();
    /// let store = Postgres::options().from_pool(pool)?;
    /// assert!(format!("{store:?}").contains("the given pool"));
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn from_pool(self, pool: Pool) -> Result<Postgres> {
        self.check()?;
        Ok(Postgres::new(Calls::new(pool, "the given pool".into(), &self), None))
    }

    /// The table as SQL names it.
    pub(crate) fn quoted_table(&self) -> String {
        let table = quoted(&self.table);
        self.schema.as_ref().map_or_else(|| table.clone(), |schema| format!("{}.{table}", quoted(schema)))
    }

    /// The channel as SQL names it.
    pub(crate) fn quoted_channel(&self) -> String {
        quoted(&self.channel)
    }

    /// What SQL calls that which belongs to the table: by the table's name and a suffix.
    pub(crate) fn quoted_beside(&self, suffix: &str) -> String {
        let mut name = self.table.clone();
        if name.len() + suffix.len() > LONGEST_IDENTIFIER {
            // What is cut off tells tables apart.
            let hash = format!("_{:016x}", name::short_hash(&name));
            let mut end = LONGEST_IDENTIFIER - suffix.len() - hash.len();
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            name.truncate(end);
            name += &hash;
        }
        let name = quoted(&(name + suffix));
        self.schema.as_ref().map_or_else(|| name.clone(), |schema| format!("{}.{name}", quoted(schema)))
    }

    fn check(&self) -> Result<()> {
        for (what, name) in
            [("table", Some(&self.table)), ("schema", self.schema.as_ref()), ("channel", Some(&self.channel))]
        {
            let Some(name) = name else { continue };
            if name.is_empty() || name.len() > LONGEST_IDENTIFIER || name.contains('\0') {
                let limits = format!("a name has 1 to {LONGEST_IDENTIFIER} bytes and no NUL");
                return Err(failure::config(format!("no {what} can be called {name:?}; {limits}")));
            }
        }
        let fits = (1..=LONGEST_LOG).contains(&self.log.len());
        if !fits || !self.log.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            let limits = format!("`.log(name)` takes 1 to {LONGEST_LOG} printable ASCII characters");
            return Err(failure::config(format!("no log can be called {:?}; {limits}", self.log)));
        }
        if self.max_marks == 0 {
            return Err(failure::config("a log of no marks; `.max_marks(n)` takes 1 or more"));
        }
        if self.max_value_bytes > LARGEST_VALUE {
            let bytes = self.max_value_bytes;
            let message =
                format!("values of {bytes} bytes; `.max_value_bytes(n)` takes {LARGEST_VALUE} at most");
            return Err(failure::config(message));
        }
        Ok(())
    }
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
