//! Each server starts, does what its options say, can be stopped in every way, and leaves nothing behind.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod azurite;
mod gcs;
mod http;
mod memcached;
mod moto;
mod postgres;
mod process;
mod redis;
mod redis_cluster;
mod redis_sentinel;
mod resp;
