//! Redis, Valkey and Redis Cluster as a store of larder.

mod access;
mod address;
mod clear;
mod cluster;
mod command;
mod copies;
mod dial;
mod expiry;
mod fault;
mod line;
mod many;
mod options;
mod record;
mod redis;
mod route;
mod scripts;
mod secret;
mod within;

pub use crate::redis::Redis;
pub use options::RedisOptions;
