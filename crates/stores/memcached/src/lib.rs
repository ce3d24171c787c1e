//! memcached as a store of larder.
mod address;
mod clear;
mod command;
mod connect;
mod connection;
mod deadline;
mod failure;
mod finish;
mod item;
mod many;
mod memcached;
mod name;
mod options;
mod reply;
mod server;
mod tokens;
mod turns;
mod value;

pub use memcached::Memcached;
pub use options::MemcachedOptions;
