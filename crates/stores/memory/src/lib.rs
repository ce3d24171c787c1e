//! The in-process store of the larder cache framework: [`Memory`] keeps values as they are, up to a number of
//! entries or a total weight.
//!
//! Applications reach it as `larder::Memory`.
//!
//! ```
//! use larder_core::Cache;
//! use larder_memory::Memory;
//! use std::time::Duration;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let ages = Cache::new(Memory::new(10_000)).ttl(Duration::from_secs(60));
//!
//! ages.insert("ada", 36).await?;
//! assert_eq!(ages.get("ada").await?, Some(36));
//! # larder_core::Result::Ok(()) }).unwrap();
//! ```
//!
//! # Layout
//!
//! - `memory`: the store; `departure`: why an entry left it
//! - `engine`: the table and its eviction policy, the only file that knows whose they are; `layout`: into how
//!   many shards it is divided
//! - `deadlines`: when looking for dead entries is worth its cost

mod deadlines;
mod departure;
mod engine;
mod layout;
mod memory;

pub use departure::Departure;
pub use memory::Memory;
