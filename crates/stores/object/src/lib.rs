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
//! - *store*: [`Object`], over a folder, the memory of this process, a bucket of S3, GCS or Azure
//!   ([`Object::open`]), or any driver of the crate [`object_store`]
//! - *guard*: an object of 28 bytes that is nothing to every reader, in the place of a value that is being loaded, so
//!   that what was removed or cleared meanwhile does not come back
//! - *purge*: [`Object::purge_expired`] frees what has expired, which object storage does not do by itself
//!
//! # Stores
//!
//! | place | made by | feature | compare-and-set | time-out |
//! |---|---|---|---|---|
//! | folder | [`Object::local`], `file:///` | | no | none |
//! | memory | [`Object::in_memory`], `memory:///` | | yes | none |
//! | S3 | `s3://` | `s3` | yes, by entity tag | 10 s |
//! | Google Cloud Storage | `gs://` | `gcs` | yes, by generation | 10 s |
//! | Azure Blob Storage | `az://` | `azure` | yes, by entity tag | 10 s |
//! | a driver of one's own | [`Object::from_store`] | | [if it is said](Object::compare_and_set) | none |
//!
//! A folder cannot replace a file on a condition, so caches in other processes see a removal there by the time to live at the
//! latest. The cache's own promises within a process hold everywhere.
//!
//! # What it costs
//!
//! | operation | requests |
//! |---|---|
//! | `get`, `put`, `remove`, `guard` | 1 |
//! | `get_with_token` | 1; 2 where nothing is there and a guard is planted |
//! | `put_if` | 1; 3 if it is refused |
//! | `get_many`, `put_many` of *n* distinct keys | *n*, [16 at a time](Object::concurrency) |
//! | `remove_many`, `clear` | S3: 1 for 1,000 objects; Azure: 1 for 256; else 1 each; and 1 for 1,000 to list |
//! | a purge of *n* objects | *n* small reads, 1 for 1,000 to list, and the removals |
//! | `put` of a value that is [there already](Object::rewrite_after) | 1 that carries no value |
//! | `get` of a large value with [`head_first`](Object::head_first) | 2; 1 of a few bytes if it is dead |
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
//! In a folder a file is what the cache put, its envelope. Elsewhere 20 bytes are in front of it: a mark and a random
//! number, another at each write. The entity tag of S3 is a hash of the content, and without the number the
//! same value put twice would be the same version twice. What is there without these bytes is read as well.
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
//! - It evicts nothing by itself: the space that is used grows with the values, until they are removed, cleared or
//!   purged. A folder can be [bounded](Object::max_bytes_on_disk); buckets have lifecycle rules.
//! - It does not call [`purge_expired`](Object::purge_expired) by itself.
//! - A bucket that is removed while it is in use looks like an empty one to reads; writes fail.
//! - A request to a cloud that is given up, because its caller went or its time was over, may still arrive there.
//! - Files are not flushed to the disk one by one (`fsync`). After a power failure an object may be empty or
//!   gone, which is a miss.
//!   When only the process ends, even by `kill -9`, what was put is there and whole.
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
