//! What the code in which threads meet is made of: the usual locks, atomics and tasks.
//!
//! The package `models` compiles this crate a second time with `cfg(larder_shuttle)`, where each of them is a point at
//! which another task may go on, in an order that a model chooses and can repeat. Tokio's locks stay as they are in
//! both: what they do between two such points is one step. So do the counters and the numbers of flights, of which
//! nothing depends on the order.

#[cfg(larder_shuttle)]
mod modelled;

#[cfg(larder_shuttle)]
pub(crate) use modelled::{
    AtomicBool, AtomicU64, AtomicUsize, Handle, Mutex, OnceLock, RandomState, TaskLocal, shards, task_local,
};
#[cfg(not(larder_shuttle))]
pub(crate) use usual::{
    AtomicBool, AtomicU64, AtomicUsize, Handle, Mutex, OnceLock, RandomState, shards, task_local,
};

#[cfg(not(larder_shuttle))]
mod usual {
    pub(crate) use foldhash::fast::RandomState;
    pub(crate) use parking_lot::Mutex;
    pub(crate) use std::sync::OnceLock;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
    pub(crate) use tokio::runtime::Handle;
    pub(crate) use tokio::task_local;

    /// Returns into how many parts to split a table.
    pub(crate) const fn shards(usual: usize) -> usize {
        usual
    }
}
