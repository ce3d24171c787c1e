//! PostgreSQL as a store of larder.
//!
//! ```no_run
//! use larder_codecs::Json;
//! use larder_core::Cache;
//! use larder_postgres::Postgres;
//!
//! # async fn example() -> larder_core::Result<()> {
//! let store = Postgres::connect("postgres://app:secret@db.test/shop").await?;
//! let ages = Cache::new(store).codec(Json).namespace("ages");
//! ages.insert("ada", 36_u32).await?;
//! assert_eq!(ages.get("ada").await?, Some(36));
//! # Ok(()) }
//! ```
//!
//! # Concepts
//!
//! - *row*: one stored value, in its envelope, or a guard, which is a row without a value
//! - *store*: [`Postgres`], a table of a database of PostgreSQL 13 or newer; made by [`PostgresOptions`]
//! - *purge*: [`Postgres::purge_expired`] frees what has expired, which PostgreSQL does not do by itself
//! - *log*: what was invalidated, numbered, in two tables beside the rows: [`ByteStore::log`](larder_core::ByteStore::log)
//! - *bus*: [`PostgresBus`], which tells other processes at once, by `LISTEN` and `NOTIFY`; from [`Postgres::bus`]
//! - *lock*: [`PostgresLock`], leases by which one process at a time loads a key; from [`Postgres::lock`]
//!
//! # What is where
//!
//! The first call makes the table, if it is not there, however many processes start at once. Who wants to make it by
//! hand, or with more rights than the application has, takes this:
//!
//! ```sql
//! CREATE TABLE larder (
//!     namespace  text COLLATE "C" NOT NULL,
//!     key        bytea NOT NULL,
//!     value      bytea,
//!     token      bytea NOT NULL,
//!     expires_at timestamptz,
//!     PRIMARY KEY (namespace, key)
//! );
//! CREATE INDEX ON larder (expires_at);
//! ```
//!
//! | column | what it has |
//! |---|---|
//! | `namespace` | the namespace, if it has at most 100 printable ASCII characters and does not begin with `#`; else `#` and its XXH3-128 hash in 32 hexadecimal digits; `#` alone for keys without a namespace |
//! | `key` | the XXH3-128 hash of the whole key, of any length and with any characters |
//! | `value` | the bytes; null in a guard |
//! | `token` | 16 random bytes, new with each write: what [compare-and-set](larder_core::ByteStore::put_if) compares |
//! | `expires_at` | when the bytes are of no use any more, to the microsecond, the year 9999 at the latest |
//!
//! Two keys whose hashes collide evict each other and no more, as the envelope carries the whole key and the cache
//! checks it. More columns may be added, if they may be null or have a default. A table of this name and of another
//! shape is refused when the store connects, with what it lacks.
//!
//! The first call of the log makes two more tables and a function, the first lease another one, each with the table's
//! name in front. [`setup_sql`](PostgresOptions::setup_sql) returns the statements for all of them.
//!
//! | table | a row is | columns |
//! |---|---|---|
//! | `larder_log` | a log | `name`; `era`, a random number; `number` of the last invalidation; `floor` and `key_floor`, up to which marks of tags and of keys may be forgotten; `key_marks` and `tag_marks`, how many there are; `server` |
//! | `larder_marks` | a name of a log | `log`; `id`, the SHA-256 of the name; `class`: `k` key, `t` tag, `n` namespace; `name`; `number` it was last marked with |
//! | `larder_leases` | a lease | `id`, the XXH3-128 hash of its name; `token`; `ends_at` by the server's clock; `lasts` |
//!
//! The log's tables are unlogged where the store's is; that of the leases always is.
//!
//! # The log
//!
//! - A call is one statement and one round trip, whatever its answer brings. Position, marks and record are of one
//!   moment. To read through the log costs some 0.1 ms more than a `get`; 10 microseconds of them are the question which server this is.
//! - An invalidation is one transaction, in a function: void the records, count up, mark, and tell the news. The counter is
//!   one row, so invalidations of a log follow each other, and a number becomes visible with all before it. They wait for each
//!   other's commit, which is what bounds them: one to a flush of the server's disk.
//! - A new era begins when the row of the log is gone, when the marks are not its own (one of them, with an empty `id`,
//!   says whose they are), when somebody knows a higher number, and when `server` is another one: the system identifier of
//!   the database and the timeline, which a standby that takes over and a server that is restored count up. An
//!   unlogged log is empty after a crash, and so begins anew; a logged one goes on after a restart.
//! - A logged log loses no number in a crash, even where `synchronous_commit` is off: an invalidation turns it to `local`
//!   for its own transaction. It would not survive `fsync = off`, and a snapshot of the disk that is put back without
//!   recovery is noticed only by those who know a higher number than it has.
//! - A standby is not read from: it is asked where it stands, and answers with an error.
//! - At most 100,000 marks of keys and as many of tags are kept ([`max_marks`](PostgresOptions::max_marks)), those of
//!   namespaces for ever. More than 10,000 news are not told.
//!
//! # What it promises
//!
//! - Each operation is one statement, many keys in one call as well (beyond 32 MiB of values, several). It happens as a
//!   whole or not at all, whatever the isolation level of the database.
//! - Deadlines are judged by the clock of the process that reads, as the cache judges them: a server whose clock is wrong
//!   does no harm.
//! - No call takes longer than the response timeout (1 s by default), in whatever state the server is. What hung or was
//!   cut is closed; a server that comes back is found by the next call.
//! - A call that is dropped goes on to its end, and the writes of one key have their effect in the order in which this
//!   process called them. After a time-out only, what was given up may still arrive.
//! - Neither errors nor `Debug` show passwords or values.
//!
//! # What it does not do
//!
//! - It evicts nothing, and does not [purge](Postgres::purge_expired) by itself.
//! - It brings no TLS: [`from_config_and_tls`](PostgresOptions::from_config_and_tls) takes what speaks it, and
//!   [`from_pool`](PostgresOptions::from_pool) a pool that does.
//! - Bus and [waiting for leases](larder_core::Lock::wait) need a connection that stays: not one through a pooler that gives
//!   each transaction another, and none of a [given pool](PostgresOptions::from_pool).
//! - It uses prepared statements. Behind a pooler that gives each transaction another connection, that must know them:
//!   `PgBouncer` from 1.21 on does.
//! - It does not read from a server that is read-only.
//! - Row-level security, partitions and triggers on the table are not looked at.

mod bus;
mod calls;
mod clear;
mod connect;
mod dial;
mod ear;
mod failure;
mod lock;
mod log;
mod many;
mod name;
mod options;
mod place;
mod postgres;
mod purge;
mod row;
mod statements;
mod table;
mod tables;

pub use bus::PostgresBus;
pub use deadpool_postgres::Pool;
pub use lock::PostgresLock;
pub use options::PostgresOptions;
pub use postgres::Postgres;
pub use purge::RowsPurged;
pub use tokio_postgres::Config;
