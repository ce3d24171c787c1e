//! The contracts of larder and the cache that is assembled from them.
//!
//! Applications use the crate `larder`, which adds stores and codecs and re-exports all of this. Authors of a
//! store, a codec or a clock depend on this crate: see [`Store`], [`ByteStore`], [`Codec`], [`Clock`].
//!
//! # Layout
//!
//! - contracts: `store`, `byte_store`, `codec`, `key`, `clock` (and `system_clock`), `event`; what they speak of: `entry`, `time`, `error`
//! - what travels: `envelope`
//! - composition: `level`, `holds` (sealed) and its four forms `native`, `wire`, `chain`, `boxed`
//! - what is written later: `behind`
//! - decisions: `policy`, `life`, `random`, and `combinator`, one file a method
//! - work: `cache`, `glance`, `fly`, and `operation`, one file a method; who does what to a key: `flights`,
//!   `flight`, `cycle`, `backoff`, `spawn`
//! - counting: `counters`, `striped`, `stats`

mod backoff;
mod behind;
mod boxed;
mod byte_store;
mod cache;
mod chain;
mod clock;
mod codec;
mod combinator;
mod counters;
mod cycle;
mod entry;
pub mod envelope;
mod error;
mod event;
mod flight;
mod flights;
mod fly;
mod glance;
mod holds;
mod inner;
mod key;
mod level;
mod life;
mod load_error;
mod native;
mod operation;
mod policy;
mod random;
mod spawn;
mod stats;
mod store;
mod striped;
mod system_clock;
mod time;
mod wire;

pub use behind::{Behind, WhenFull};
pub use boxed::Boxed;
pub use byte_store::ByteStore;
pub use cache::Cache;
pub use chain::Chain;
pub use clock::{Clock, Sleep, Tick};
pub use codec::{Codec, Format, Native, PerLevel, Raw};
pub use combinator::{Around, Promote, Through, WriteStrategy};
pub use entry::{Entry, Freshness};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, LoadFailure, Observer, Operation};
pub use holds::Holds;
pub use key::{Key, Lookup};
pub use level::{ByBytes, IntoLevel, Level, OneLevel, Values};
pub use load_error::LoadError;
pub use operation::{Found, InsertOptions};
pub use stats::{LevelStats, Stats};
pub use store::{Capabilities, Cleared, Store, Usage};
pub use system_clock::SystemClock;
pub use time::Time;
