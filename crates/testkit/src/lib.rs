//! What larder tests itself with, for tests of caches built from it.
//!
//! - [`MockClock`]: time stands still until the test moves it
//! - [`Fake`], [`FakeBytes`]: stores that record their calls, fail on demand and can be stopped in the middle
//! - [`Loader`]: loads that follow a script, pass a [`Gate`] and are counted
//! - [`Recorder`]: an observer that remembers
//! - [`Together`]: a store and the server that it is in, as one
//! - [`mod@cluster`]: several processes with a cache each, on a network and stores that misbehave as a seed says
//! - [`mod@conformance`]: what every store must do, as tests that one macro call runs on yours
//! - `servers`, with the feature of that name: real servers, each started by one line, and `Proxy`, which spoils
//!   connections to them
//!
//! A test of a cache is then a few lines without any waiting:
//!
//! ```
//! use larder_core::Cache;
//! use larder_testkit::{Fake, Loader, MockClock};
//! use std::time::Duration;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let clock = MockClock::new();
//! let users = Cache::new(Fake::<str, u32>::new()).ttl(Duration::from_secs(60)).clock(clock.clone());
//! let loader: Loader<u32> = Loader::value(36).then_value(37);
//!
//! assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
//! clock.advance(Duration::from_secs(59));
//! assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 36);
//! clock.advance(Duration::from_secs(1));
//! assert_eq!(users.get_or_load("ada", loader.load()).await.unwrap(), 37);
//! # });
//! ```

mod calls;
mod clock;
pub mod cluster;
pub mod conformance;
mod fake;
mod fake_bytes;
mod gate;
mod loader;
#[cfg(all(feature = "servers", unix))]
mod proxy;
mod recorder;
#[cfg(all(feature = "servers", unix))]
pub mod servers;
mod together;

pub use clock::{MockClock, settle};
pub use fake::Fake;
pub use fake_bytes::FakeBytes;
pub use gate::Gate;
pub use loader::Loader;
#[cfg(all(feature = "servers", unix))]
pub use proxy::Proxy;
pub use recorder::{LevelFailure, Recorder};
pub use together::Together;
