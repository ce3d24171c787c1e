//! What has come to the proxy.

use super::faults::Way;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters. They are set before what they count is passed on, so that who has got it finds it counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    connections: AtomicU64,
    open: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
    round_trips: AtomicU64,
}

impl Counts {
    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn disconnected(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn came(&self, way: Way, bytes: usize) {
        self.of(way).fetch_add(bytes as u64, Ordering::SeqCst);
    }

    pub(super) fn asked(&self) {
        self.round_trips.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    pub(super) fn open(&self) -> u64 {
        self.open.load(Ordering::SeqCst)
    }

    pub(super) fn bytes(&self, way: Way) -> u64 {
        self.of(way).load(Ordering::SeqCst)
    }

    pub(super) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::SeqCst)
    }

    fn of(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }
}
