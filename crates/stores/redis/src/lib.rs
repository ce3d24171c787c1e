//! Redis, Valkey and Redis Cluster as a store of larder.
//!
//! ```no_run
//! use larder_codecs::Json;
//! use larder_core::Cache;
//! use larder_redis::Redis;
//!
//! # async fn example() -> larder_core::Result<()> {
//! let store = Redis::connect("redis://cache.internal").await?;
//! let ages = Cache::new(store).codec(Json).namespace("ages");
//! ages.insert("ada", 36_u32).await?;
//! assert_eq!(ages.get("ada").await?, Some(36));
//! # Ok(()) }
//! ```
//!
//! # Concepts
//!
//! - *record*: what is under a key: a header of 16 bytes, and what was put
//! - *guard*: a header alone, in the place of a record that somebody is about to put
//! - *line*: one connection that all calls share, and that comes back by itself
//! - *log*: the invalidations of all processes, numbered; its era ends when something of it may be lost
//! - *bus*, *lock*: [`RedisBus`] tells other processes at once, [`RedisLock`] has one of them load
//! - *store*: [`Redis`], one server, the nodes of a cluster, or whichever server the sentinels call the master; made by
//!   [`RedisOptions`]
//!
//! # What is where
//!
//! A key is the key `NAMESPACE:TEXT`, as it is: Redis takes any bytes. Under it is a string:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | magic `FE 4C` (no envelope begins so, and no text) |
//! | 1 | version, 1 |
//! | 1 | `v` (76 hexadecimal): a value follows; `g` (67): a guard, and nothing follows |
//! | 12 | a number that no other record has, 8 bytes drawn by the process and 4 that count |
//! | rest | what was put |
//!
//! The header is the token: every write has another one, so compare-and-set compares 16 bytes, on the server, in a
//! script. A string that larder did not write, or what is no string, is an error when it is read (through a cache a
//! miss and an event), and replaced by the next put.
//!
//! Beside the records is what the processes of a service share. None of these keys but the leases has a colon, so no
//! cache has them, and no clear meets them; none of the log's has an end. (`larder` stands for what
//! [`log`](RedisOptions::log) and [`channel`](RedisOptions::channel) say.)
//!
//! | key or channel | type | what |
//! |---|---|---|
//! | `{larder}.log` | hash | the log's `era`, its `number`, the floors `floor` and `key_floor`, and `server`, the `run_id` of who has written it |
//! | `{larder}.log.tags` | sorted set | the tags that were invalidated, as `t-TAG` or `t~TAG`, each with its last number |
//! | `{larder}.log.keys` | sorted set | the same for keys |
//! | `{larder}.log.namespaces` | sorted set | the same for namespaces; nothing of it goes |
//! | `larder.lock:NAME` | string | the token of the lease on `NAME`; ends with it |
//! | `larder` | channel | messages of the bus |
//! | `larder.released` | channel | names of leases that were released |
//!
//! Marks and news are the same thing here: what was marked after a number is what has a higher one. Each sorted set has a
//! member `=ERA` with the number `+inf` too, so that one which was evicted or deleted is missed.
//!
//! # When the log begins a new era
//!
//! When one of its keys is missing, or is no number; when the server's `run_id` is not the one in it, as after a restart or
//! where a replica took over; and when somebody knows a higher number. The script that finds this empties the log and draws the new era
//! before it answers. A read that finds the log where it was known to be runs no script: which server a connection leads to is
//! asked once, before anything else is sent over it, and compared with what the log says.
//!
//! # What it promises
//!
//! - All calls share one connection to a server. Those that come while a request is under way go out together in the
//!   next, at most 512 commands or 1 MiB of them; nothing waits for company. What was called first is sent first.
//! - Many keys are read by `MGET` and removed by `UNLINK`, 256 in a command; put in one request of many commands.
//! - A call ends within the [response time-out](RedisOptions::response_timeout), 1 s by default, connecting included and in
//!   whatever state server and network are. A connection that was silent for that long is given up; the one after it
//!   has the server close it first, so that a write which was given up is not carried out behind a later one.
//! - A connection that broke is made anew by the next call. A read, a removal or a compare-and-set that was lost with it is
//!   sent once more; a put is not, because nobody knows what came between.
//! - A server that was restarted learns the scripts again. Wrong types, foreign strings and errors of single commands
//!   concern their own key only, and a node of a cluster that is down only its own slots.
//! - Deadlines are kept to the millisecond, as spans from now, so that the server's clock needs not agree with ours.
//! - A clear lists the keys of its prefix (`SCAN`) and removes them some at a time, on every master; never `KEYS`, never
//!   `FLUSHDB`.
//! - What the log does is one request: a read asks for position and record together, and what happened since only if
//!   something did, in a second one; an invalidation voids and numbers in one script. In a cluster an invalidation
//!   that voids records is two requests, one behind the other; a read asks two nodes at the same time.
//! - An invalidation that voids records is not sent again when it was lost.
//! - No password is in an error, in `Debug` or in a log.
//!
//! # What it does not do
//!
//! - It does not read from replicas.
//! - It does not notice that a proxy has put another server behind a connection that stays, until a script runs there; nor
//!   that a master goes on answering while sentinels have made another one, of which they could not tell it.
//! - The log wants a user who may run `INFO`, and scripts; what the log reads is not taken from
//!   [tracked](RedisOptions::tracked) copies.
//! - What others have put under a key is read whole before its size is looked at; Redis itself holds 512 MiB a key.
//! - In a cluster there is no tracking of copies.
//! - To a server that speaks version 2 of the protocol only (before Redis 6), a connection that the server closed while it was
//!   idle costs one put: nothing tells of its end.
//! - The sentinels themselves are not spoken to over TLS.
//!
//! # Why slots are routed here
//!
//! Connections, protocol, TLS and sentinels are the crate `redis`'s. Its client of clusters is not used: while it looks
//! for a node that is down it serves no other. Of 600 gets with a time-out of 500 ms, after one of three nodes was
//! killed, it answered 120 where 400 have a node that is well; here all 400 are.

mod access;
mod address;
mod bus;
mod clear;
mod cluster;
mod command;
mod copies;
mod dial;
mod ear;
mod expiry;
mod fault;
mod identity;
mod line;
mod lock;
mod log;
mod many;
mod options;
mod record;
mod records;
mod redis;
mod route;
mod scripts;
mod secret;
mod within;

pub use crate::redis::Redis;
pub use bus::RedisBus;
pub use lock::RedisLock;
pub use options::RedisOptions;
