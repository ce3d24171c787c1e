//! Real servers for tests, each started by one line: on a free port of the loopback, in a folder of its own, and
//! gone with its value, or with the test process however that ends.
//!
//! | server | what | variable for [`shared`](Redis::shared) |
//! |---|---|---|
//! | [`Redis`] | one server, with a password, with TLS, or as a replica of another | `LARDER_TEST_REDIS_URL` |
//! | [`RedisCluster`] | three masters | |
//! | [`RedisSentinel`] | a server, its replica and a sentinel | |
//! | [`Postgres`] | one server, with a new database for each who asks | `LARDER_TEST_POSTGRES_URL` |
//! | [`Memcached`] | one server that takes values of 64 MiB | `LARDER_TEST_MEMCACHED_URL` |
//! | [`Moto`] | S3, with a new bucket for each who asks | `LARDER_TEST_MOTO_URL` |
//! | [`Azurite`] | Azure's blobs, with a new container for each who asks | `LARDER_TEST_AZURITE_URL` |
//! | [`Gcs`] | Google Cloud Storage, with a new bucket for each who asks; in the test process | |
//!
//! `X::start()` starts a server that the test has to itself: it may pause it, kill it and start it again (see
//! [`Process`], to which those dereference that are one process). `X::shared()` starts one for all tests of this
//! process, which must keep out of each other's way; or it is the one whose URL the variable holds. `cargo nextest`
//! has a process for each test, so tests that share are run by `cargo test`.
//!
//! Starting blocks the thread until the server says that it is ready, so that it works in any kind of test. A server
//! that cannot be had is a panic that names the cure, not a test that is left out. All credentials are
//! fixed and worth nothing; a client of a cloud must be given them, or it asks the machine it runs on for real ones.
//!
//! ```no_run
//! use larder_testkit::servers::Redis;
//!
//! let redis = Redis::start();
//! assert!(redis.url().starts_with("redis://127.0.0.1:"));
//!
//! redis.pause(); // it hangs: connections stay, and nothing is answered
//! redis.resume();
//! redis.kill(); // it is gone: connections are reset
//! redis.restart(); // it is there again, where it was
//! ```

mod azurite;
mod certificate;
mod folder;
mod gcs;
mod http;
mod log;
mod memcached;
mod moto;
mod outside;
mod port;
mod postgres;
mod process;
mod program;
mod redis;
mod redis_cluster;
mod redis_sentinel;
mod watchdog;

pub(crate) use port::free as free_port;

pub use azurite::Azurite;
pub use gcs::Gcs;
pub use memcached::{Memcached, MemcachedOptions};
pub use moto::Moto;
pub use postgres::Postgres;
pub use process::Process;
pub use redis::{Redis, RedisOptions};
pub use redis_cluster::RedisCluster;
pub use redis_sentinel::RedisSentinel;
