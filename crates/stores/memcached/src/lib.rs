//! memcached as a store of larder.
//!
//! ```no_run
//! use larder_codecs::Json;
//! use larder_core::Cache;
//! use larder_memcached::Memcached;
//!
//! # async fn example() -> larder_core::Result<()> {
//! let store = Memcached::connect("memcached://cache-1.test,cache-2.test").await?;
//! let ages = Cache::new(store).codec(Json).namespace("ages");
//! ages.insert("ada", 36_u32).await?;
//! assert_eq!(ages.get("ada").await?, Some(36));
//! # Ok(()) }
//! ```
//!
//! # Concepts
//!
//! - *item*: one stored value, in its envelope, behind a head of 16 bytes; or a guard, which is a head alone
//! - *generation*: a random number for each namespace, kept on the server; what was written under another is dead
//! - *store*: [`Memcached`], one server of version 1.6 or newer, or several that share the keys; made by
//!   [`MemcachedOptions`]
//!
//! # What is where
//!
//! | item | what it has |
//! |---|---|
//! | `NAMESPACE:TEXT` | the value of this key, if it has at most 250 characters, all of them printable ASCII and no blanks |
//! | `larder#HASH` | that of any other key, by the XXH3-128 hash of the key in 32 hexadecimal digits |
//! | `larder@HASH` | the generation of a namespace, by the hash of that: 8 bytes |
//!
//! In front of each value are 8 bytes of the generation, and 8 of the deadline in milliseconds since 1970 (0 for none), both
//! big endian. The flags are 0 for a value and 1818325604 ("lard") for a guard. What is something else is nothing to the
//! store, and is replaced by the next write. Two keys whose hashes collide evict each other and no more, as the envelope
//! carries the whole key and the cache checks it.
//!
//! Of several servers, each key belongs to the one that draws the highest XXH3 number for it by its name and port as the URL has
//! them, so the order of the URL does not matter, and one server more or less moves only its own share. All processes
//! must name the same servers. A server that is down has its keys down with it; none goes elsewhere meanwhile.
//!
//! # What it promises
//!
//! - A clear begins another generation, on each server. It is seen by every get that begins after it, in this process and in all
//!   others, because each read asks for the generation in the same round trip. Nothing else on the servers is touched.
//! - A generation that the server has evicted, or lost in a restart, is followed by a new random one: what was cleared does
//!   not come back. The namespace is then empty.
//! - Each call is one round trip, many keys in one call too; two where a guard is planted, and a few more at first and after a clear
//!   by someone else.
//! - Deadlines are kept to the millisecond by the clock of the process that reads. memcached itself is told whole seconds, up to
//!   two more than asked for; above 30 days the moment, which depends on its clock; past 2038 nothing, so that it keeps the item
//!   until it needs the room.
//! - No call takes longer than the response timeout (1 s by default), in whatever state the servers are. What hung or was
//!   cut is closed; a server that comes back is found by the next call.
//! - A call that is dropped goes on to its end, and the writes of one key have their effect in the order in which this
//!   process called them. After a time-out only, what was given up may still arrive.
//! - A value larger than the server takes (1 MiB, unless it was started with a larger `-I`) is an error of
//!   [`ErrorKind::TooLarge`](larder_core::ErrorKind::TooLarge), through a cache an event; the call goes on, and the older value is gone.
//!
//! # What it does not do
//!
//! - It speaks neither TLS nor any login (SASL, ASCII authentication): memcached belongs into a network of its own.
//! - It uses no Unix sockets and no UDP.
//! - A key that moves to another server leaves its old value where it was, and finds it again if it moves back. After the
//!   servers of a URL have changed, clear the namespaces, or give values a ttl.
//! - After the restart of a server a token from before may replace, once in a very great number of times, a newer value by
//!   nothing; never by an older one.
//!
//! The protocol is written in this crate, some four hundred lines over Tokio's sockets. The client `async-memcached` 0.9 connects
//! by IPv4 only, gives all items of a batch one lifetime and one mode, cannot read the server's settings, and has some fifty
//! dependencies.

mod address;
mod clear;
mod command;
mod connect;
mod connection;
mod failure;
mod item;
mod many;
mod memcached;
mod name;
mod options;
mod reply;
mod server;
mod tokens;
mod value;

pub use memcached::Memcached;
pub use options::MemcachedOptions;
