//! Local files and object storage as a store of larder.
//!
//! ```
//! use larder_codecs::Json;
//! use larder_core::Cache;
//! use larder_object::Object;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let scratch = tempfile::tempdir().unwrap();
//! # let folder = scratch.path().join("cache");
//! let ages = Cache::new(Object::local(&folder)?).codec(Json).namespace("ages");
//! ages.insert("ada", 36_u32).await?;
//!
//! let after_a_restart = Cache::new(Object::local(&folder)?).codec(Json).namespace("ages");
//! assert_eq!(after_a_restart.get("ada").await?, Some(36));
//! # larder_core::Result::Ok(()) }).unwrap();
//! ```
//!
//! # Concepts
//!
//! - *object*: one stored value, in its envelope; a file, where the store is a folder
//! - *store*: [`Object`], over a folder, the memory of this process, or any driver of the crate
//!   [`object_store`]
//! - *purge*: [`Object::purge_expired`] frees what has expired, which object storage does not do by itself
//!
//! # What is where
//!
//! A key `NAMESPACE:TEXT` is the object `FOLDER/SHARD/FILE`:
//!
//! ```text
//! larder-users/11/118bf66e0e9ceff1967017b7d485751e           users:ada
//! larder-=55sers=20v2/66/66300371bbf6379cabb2ff4e3172dd4c    Users v2:ada
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | `FOLDER`, short | `larder-` and the namespace: `a`–`z`, `0`–`9`, `-` and `_` as they are, any other byte (of its UTF-8) as `=` and two hexadecimal digits in lower case |
//! | `FOLDER`, long | where that would take more than 64 characters behind `larder-`: `larder=` and the XXH3-128 hash of the namespace, in 32 hexadecimal digits |
//! | `SHARD` | the first two digits of `FILE`, so that no folder grows large: 256 a namespace |
//! | `FILE` | the XXH3-128 hash of the whole key, in 32 hexadecimal digits |
//!
//! So a name has only `a`–`z`, `0`–`9`, `-`, `_` and `=`, is at most 71 characters long and begins with
//! `larder`, whatever the namespace: no `..`, no device name, nothing hidden, and no two that a
//! case-insensitive file system takes for the same. Short names are injective. Two long namespaces
//! whose hashes collide would share a folder, and clearing one would clear the other; a value would still
//! never be taken for another's, as the envelope carries the whole key and the cache checks it. For the same
//! reason two keys whose hashes collide evict each other and no more.
//!
//! # What it promises
//!
//! - A put replaces the whole object or nothing, whoever else writes, reads, or crashes meanwhile.
//! - A damaged, foreign, cut or oversized object is a miss and an event of the cache, and is written anew by
//!   the next load. No other object suffers. More than [`max_object_bytes`](Object::max_object_bytes) is
//!   never read into memory.
//! - Files and objects with other names, in the same place or in our own folders, are neither read, changed
//!   nor deleted.
//!
//! # What it does not do
//!
//! - It evicts nothing: the space that is used grows with the values, until they are removed, cleared or
//!   purged.
//! - It does not call [`purge_expired`](Object::purge_expired) by itself.
//! - Files are not flushed to the disk one by one (`fsync`). After a power failure an object may be empty or
//!   gone, which is a miss.
//! - Empty folders stay, at most 257 a namespace.
//! - What is not a file in the place of one, such as a folder of that name, stays too: reads miss, and writes
//!   of that key fail.

mod address;
mod bulk;
mod byte_store;
mod check;
mod clear;
mod cloud;
mod disk;
mod duration;
mod failure;
mod folder;
mod frame;
mod in_time;
mod listing;
mod name;
mod object;
mod open;
mod purge;
mod read;
mod rewrite;
mod settings;
mod tokens;

pub use listing::PurgePosition;
pub use object::Object;
pub use open::ObjectOptions;
pub use purge::Purged;
