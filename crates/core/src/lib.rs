//! The contracts of larder and the cache that is assembled from them.
//!
//! Applications use the crate `larder`, which adds stores and codecs and re-exports all of this. Authors of a
//! store, a codec or a clock depend on this crate: see [`Store`], [`ByteStore`], [`Codec`], [`Clock`].
//!
//! # Layout
//!
//! - contracts: `store`, `byte_store`, `codec`, `key` (and `key_parts`), `clock` (and `system_clock`, `timers`), `event`; what they speak
//!   of: `entry` (and `extra`), `time`, `error`
//! - what travels: `wire` (`wire/seal`, `wire/open`), `envelope`, `compress`, `encrypt`, `room`; many at once: `snapshot`
//! - composition: `level`, `holds` (sealed; `cx` goes with each call) and its four forms `native`, `encoded`, `chain`, `boxed`
//! - what may be slow or down: `guard`, one a level; `breaker`, `circuit`; what is written later: `behind`
//! - decisions: `policy`, `life`, `load_rules`, `on_store_error`, `ahead`, `random`, and `combinator`, one file a method;
//!   what a call says: `call`, `terms`
//! - work: `cache`, `glance`, `seat`, `joined`, `fly`, `overdue`, `stow`, and `operation`, one file a method; who does what to a
//!   key: `flights` (and `flights/visit`), `touched`, `flight`, `failures`, `cycle`, `running`, `spawn`; what a load says: `load`, `load_context`, `edits`; many of them: `crowd`, `bulk`, `batch`
//!   (`joint_load`, `extra_answers`);
//!   the same for synchronous code: `blocking`, `block_on`; on a schedule: `refreshed`, `mirror` (which hold a copy: `follower`),
//!   `refreshed_keys`, `hottest`
//! - invalidation: `coherence` (`coherence/marks`, `coherence/watch`), `dependencies`, `seams`; between processes, as contracts: `shared_log`,
//!   `bus`, `lock`
//! - counting: `counters`, `striped`, `stats`
//! - what all this is made of, so that models can choose the order of events: `sync`

mod ahead;
mod batch;
mod batch_loading;
mod behind;
mod block_on;
mod blocking;
mod boxed;
mod boxed_bytes;
mod breaker;
mod bulk;
mod bus;
mod byte_store;
mod cache;
mod call;
mod chain;
mod circuit;
mod clock;
mod codec;
mod coherence;
mod combinator;
mod compress;
mod counters;
mod crowd;
mod current_load;
mod cx;
mod cycle;
mod dependencies;
mod edits;
mod encoded;
mod encrypt;
mod entry;
pub mod envelope;
mod error;
mod event;
mod extra;
mod extra_answers;
mod failures;
mod flight;
mod flights;
mod fly;
mod follower;
pub mod function;
mod glance;
mod guard;
mod holds;
mod hottest;
mod in_time;
mod inner;
mod joined;
mod joint_load;
mod key;
mod key_parts;
mod level;
mod life;
pub mod load;
mod load_context;
mod load_error;
mod load_lock;
mod load_rules;
mod loading;
mod lock;
mod mirror;
mod native;
mod on_store_error;
mod operation;
mod overdue;
mod pauses;
#[doc(hidden)]
pub mod planted;
mod policy;
mod random;
mod record;
mod refreshed;
mod refreshed_keys;
mod results;
mod room;
mod running;
mod scheduler;
mod seams;
mod seat;
mod shared_log;
mod snapshot;
mod spawn;
mod stats;
mod store;
mod stow;
mod striped;
mod sync;
mod system_clock;
mod terms;
mod time;
mod timers;
mod tokens;
mod touched;
mod wire;

pub use batch_loading::BatchLoading;
pub use behind::{Behind, WhenFull};
pub use blocking::{Blocking, BlockingLoading, BlockingWarm};
pub use boxed::Boxed;
pub use boxed_bytes::BoxedBytes;
pub use breaker::{Breaker, BreakerState};
pub use bus::{Bus, Listener, LocalBus};
pub use byte_store::ByteStore;
pub use cache::Cache;
pub use call::CallOptions;
pub use chain::Chain;
pub use clock::{Clock, Sleep, Tick};
pub use codec::{AlsoReads, Codec, Format, Migrate, Native, PerLevel, Raw, Shared};
pub use coherence::{Coherence, CoherenceOptions, CoherenceStats};
pub use combinator::{Around, Promote, Through, WriteStrategy};
pub use compress::Compress;
pub use current_load::CurrentLoad;
pub use encrypt::Encrypt;
pub use entry::{Entry, Freshness};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, Limit, LoadFailure, Observer, Operation};
pub use holds::Holds;
pub use hottest::Hottest;
pub use key::{Key, Lookup};
pub use key_parts::KeyParts;
pub use level::{ByBytes, IntoLevel, Level, OneLevel, Values};
pub use load_context::{LoadContext, Previous};
pub use load_error::LoadError;
pub use loading::{Loader, Loading};
pub use lock::{LocalLock, Lock};
pub use mirror::Mirror;
pub use on_store_error::OnStoreError;
pub use operation::{Exported, Found, Imported, InsertOptions, Warm, WarmProgress, WarmReport, Warmed};
pub use record::{Put, PutIf, Record, Token};
pub use refreshed::{Reader, RefreshOptions, Refreshed, Start};
pub use refreshed_keys::{RefreshKeysOptions, RefreshedKeys};
pub use results::Results;
pub use scheduler::Scheduler;
pub use shared_log::{Answer, Invalidated, Invalidation, Name, News, Position, SharedLog};
pub use stats::{LevelStats, Stats};
pub use store::{Capabilities, Cleared, Condemned, EachEntry, Store, Usage};
pub use system_clock::SystemClock;
pub use time::Time;
pub use wire::Wire;
