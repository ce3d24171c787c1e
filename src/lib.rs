//! larder assembles typed caches from stores, codecs and policies.
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "object", feature = "json"))]
//! # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! # let folder = std::env::temp_dir().join(format!("larder-first-example-{}", std::process::id()));
//! # let folder = folder.as_path();
//! use larder::prelude::*;
//!
//! let ages = Cache::new(Memory::new(10_000))                        // L1 keeps the value itself
//!     .ttl(secs(60)).stale(secs(30))
//!     .chain(Cache::new(Object::local(folder)?)                     // L2 keeps bytes, here in files
//!         .codec(Json).namespace("ages").ttl(hours(1)));
//!
//! let ada: u32 = ages.get_or_load("ada", async || "36".parse()).await?;   // one load, however many callers
//! assert_eq!(ages.get("ada").await?, Some(ada));                    // a hit
//! ages.remove("ada").await?;                                        // gone from every level
//! assert_eq!(ages.get("ada").await?, None);
//!
//! struct App { ages: Cache<str, u32> }                              // the short type is the erased form
//! let app = App { ages: ages.boxed() };
//! # app.ages.clear().await?;
//! # std::fs::remove_dir_all(folder)?;
//! # Ok(()) }
//! # #[cfg(all(feature = "memory", feature = "object", feature = "json"))]
//! # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # Concepts
//!
//! - [`Entry`]: a value, when its load began, and until when it is fresh or stale
//! - store: where entries are; a [`Store`] keeps values, a [`ByteStore`] keeps bytes
//! - [`Codec`]: how values become bytes; each level of bytes has its own
//! - level: a store with its codec, namespace and life; levels are chained, the fastest first
//! - [`Cache`]: the levels, the loads under way, and the policy of this handle
//!
//! # How a read goes
//!
//! ```text
//! get_or_load(key)
//!  1 look in L1         fresh: answer                stale: answer, and go on in the background
//!  2 one caller a key   goes on, the others wait for it
//!  3 ask L2, L3 ..      fresh: copy up, answer       stale: answer, and go on in the background
//!  4 load               store in every level, answer
//! ```
//!
//! A hit in memory clones the value once, allocates nothing and never suspends. Whatever `remove`, `insert`,
//! `expire` or `clear` overtakes on this way is not stored. A level that fails is passed over.
//!
//! # Combinators
//!
//! | method | adds | default |
//! |---|---|---|
//! | [`ttl`](Cache::ttl), [`ttl_with`](Cache::ttl_with) | a fresh life, fixed or computed | no end |
//! | [`stale`](Cache::stale) | a window in which a stale value answers while it is reloaded | none |
//! | [`stale_if_error`](Cache::stale_if_error) | a window after that, for loads that fail | none |
//! | [`retry_after`](Cache::retry_after) | how long a failing loader is then left alone | 30 s, doubling |
//! | [`fallback`](Cache::fallback) | a value for loads that fail with nothing old to serve | none |
//! | [`soft_timeout`](Cache::soft_timeout) | how long to wait for a load where something old is kept | no limit |
//! | [`hard_timeout`](Cache::hard_timeout) | how long to wait for a load at all; it goes on | no limit |
//! | [`max_load_time`](Cache::max_load_time) | when a load is cut off | 10 × `hard_timeout` |
//! | [`refresh_ahead`](Cache::refresh_ahead), [`early_expiration`](Cache::early_expiration) | a reload before the end of the fresh life | off |
//! | [`negative`](Cache::negative), [`cache_errors`](Cache::cache_errors) | how long absence, and which errors, are remembered | as values; not at all |
//! | [`cache_if`](Cache::cache_if) | a veto on what is stored | all is stored |
//! | [`time_to_idle`](Cache::time_to_idle) | an end for what is not read, in levels that keep values | none |
//! | [`jitter`](Cache::jitter), [`seed`](Cache::seed) | a random factor on each ttl | none |
//! | [`chain`](Cache::chain) | another level behind | |
//! | [`write`](Cache::write) | writes that go past a level, or into a queue in front of it | through |
//! | [`promote`](Cache::promote) | which hits behind a level are copied into it | all |
//! | [`codec`](Cache::codec) | what a store of bytes is to hold | bytes |
//! | [`also_reads`](Cache::also_reads) | what another codec wrote is read as well | a miss |
//! | [`version`](Cache::version), [`migrate`](Cache::migrate) | the schema of what is stored; a way from older ones | 0; misses |
//! | [`compressed`](Cache::compressed): `.zstd(3)`, `.lz4()`, `.gzip(6)` | fewer bytes, from 1,024 on | off |
//! | [`encrypted`](Cache::encrypted) | bytes that the store can neither read nor swap | off |
//! | [`namespace`](Cache::namespace) | a part of a store of bytes for this cache alone | `larder` |
//! | [`level_timeout`](Cache::level_timeout) | how long a store may take for a call | 1 s; none for memory |
//! | [`breaker`](Cache::breaker) | when a level that fails is left alone | half of 10 calls, for 5 s or more |
//! | [`on_store_error`](Cache::on_store_error) | whether a read passes over a level that fails | it does |
//! | [`max_value_bytes`](Cache::max_value_bytes) | a bound on what travels | 64 MiB |
//! | [`clock`](Cache::clock) | another source of time | [`SystemClock`] |
//! | [`name`](Cache::name), [`observer`](Cache::observer) | what people call it, who is told | none |
//! | [`boxed`](Cache::boxed) | the short type `Cache<K, V>` | |
//! | [`loader`](Cache::loader), [`loader_from`](Cache::loader_from) | a `get` that loads; said last | |
//!
//! A call may ask for something else: [`with`](Cache::with). A load may say how its result lives: [`LoadContext`], [`load`].
//!
//! # Named caches
//!
//! [`Caches`] is a registry of caches with names: each is made once, its settings may come from TOML and the environment, and
//! all are listed, paused, cleared and shut down together.
//!
//! # Stores
//!
//! | type | feature | keeps | shared between processes |
//! |---|---|---|---|
//! | `Memory` | `memory` | values | no |
//! | `Object` (local files, or the driver's memory) | `object` | bytes | yes, those of one machine |
//! | `Object` (S3, Google Cloud Storage, Azure Blob Storage) | `s3`, `gcs`, `azure` | bytes | yes |
//! | `Redis` (also Valkey, Redis Cluster, behind Sentinel) | `redis`, `redis-tls` | bytes | yes |
//! | `Postgres` | `postgres` | bytes | yes |
//! | `Memcached` | `memcached` | bytes | yes |
//!
//! [`open`] makes any of the stores of bytes from a URL, read at run time.
//!
//! `Object::from_store` takes any driver of the crate `object_store` 0.14.
//!
//! # Codecs
//!
//! | type | feature | for |
//! |---|---|---|
//! | [`Raw`] | | values that are bytes already; what a store of bytes has until [`codec`](Cache::codec) is called |
//! | `Json` | `json` | bytes that people read and other languages write |
//! | `MessagePack`, `CompactMessagePack` | `msgpack` | the same data model, smaller and faster; without names of fields |
//! | `Postcard` | `postcard` | the smallest and fastest, for types that do not change |
//! | `Protobuf` | `protobuf` | messages of the crate `prost` 0.14 |
//! | `Cbor` | `cbor` | binary bytes that other languages write and read |
//! | `Rkyv` | `rkyv` | the fastest, for types with derives of rkyv 0.8 that do not change |
//!
//! # Features
//!
//! `memory`, `object`, `json` and `macros` (the attributes of functions, `#[derive(Key)]`) are on by default. `uuid` adds keys of
//! that type; `config` reads [`Settings`] from TOML;
//! `redis`, `postgres` and `memcached` add the store of that name, `redis-tls` connections over TLS; `s3`, `gcs` and
//! `azure` add the driver of that cloud, with an HTTP client and TLS. `zstd`, `lz4`, `gzip` and `encryption` add these to
//! what travels.
//!
//! # What it does not do
//!
//! There are no metrics exporters yet; `CHANGELOG.md` says what there is. larder never promises that something stays: every
//! store may forget. What other processes have in memory is known to be removed only where the processes share a store with a
//! log of invalidations, Redis or PostgreSQL.

pub use larder_core::{
    AlsoReads, Answer, Around, BatchLoading, Behind, Blocking, BlockingLoading, BlockingWarm, Boxed,
    BoxedBytes, Breaker, BreakerState, Bus, ByBytes, ByteStore, Cache, CallOptions, Capabilities, Chain,
    Cleared, Clock, Codec, Coherence, CoherenceOptions, CoherenceStats, Compress, Condemned, CurrentLoad,
    EachEntry, Encrypt, Entry, Error, ErrorKind, Event, Exported, Format, Found, Freshness, Holds, Hottest,
    Imported, InsertOptions, IntoLevel, Invalidated, Invalidation, Key, KeyParts, Level, LevelStats, Limit,
    Listener, LoadContext, LoadError, LoadFailure, Loader, Loading, LocalBus, LocalLock, Lock, Lookup,
    Migrate, Mirror, Name, Native, News, Observer, OnStoreError, OneLevel, Operation, PerLevel, Position,
    Previous, Promote, Put, PutIf, Raw, Reader, Record, RefreshKeysOptions, RefreshOptions, Refreshed,
    RefreshedKeys, Result, Results, Scheduler, Shared, SharedLog, Sleep, Start, Stats, Store, SystemClock,
    Through, Tick, Time, Token, Usage, Values, Warm, WarmProgress, WarmReport, Warmed, WhenFull, Wire,
    WriteStrategy,
};
#[doc(no_inline)]
pub use larder_core::{envelope, function, load};

#[cfg(feature = "cbor")]
pub use larder_codecs::Cbor;
#[cfg(any(feature = "zstd", feature = "lz4", feature = "gzip"))]
pub use larder_codecs::Compressing;
#[cfg(feature = "encryption")]
pub use larder_codecs::EncryptionKeys;
#[cfg(feature = "gzip")]
pub use larder_codecs::Gzip;
#[cfg(feature = "json")]
pub use larder_codecs::Json;
#[cfg(feature = "lz4")]
pub use larder_codecs::Lz4;
#[cfg(feature = "postcard")]
pub use larder_codecs::Postcard;
#[cfg(feature = "protobuf")]
pub use larder_codecs::Protobuf;
#[cfg(feature = "rkyv")]
pub use larder_codecs::Rkyv;
#[cfg(feature = "zstd")]
pub use larder_codecs::Zstd;
#[cfg(feature = "msgpack")]
pub use larder_codecs::{CompactMessagePack, MessagePack};
#[cfg(feature = "macros")]
pub use larder_macros::{Key, cached, invalidates, scheduled};
#[cfg(feature = "memcached")]
pub use larder_memcached::{Memcached, MemcachedOptions};
#[cfg(feature = "memory")]
pub use larder_memory::{Departure, Memory};
#[cfg(feature = "object")]
pub use larder_object::{Object, ObjectOptions, PurgePosition, Purged};

#[cfg(feature = "postgres")]
pub use larder_postgres::{Postgres, PostgresBus, PostgresLock, PostgresOptions, RowsPurged};
#[cfg(feature = "redis")]
pub use larder_redis::{Redis, RedisBus, RedisLock, RedisOptions};

#[cfg(feature = "memory")]
mod caches;
#[cfg(doctest)]
mod documentation;
mod open;
pub mod prelude;
mod span;

#[cfg(feature = "memory")]
pub use caches::{CacheSettings, Caches, Settings};
pub use open::open;
pub use span::{hours, millis, minutes, secs};
