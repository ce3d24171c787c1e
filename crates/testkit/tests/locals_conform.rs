//! What is shared within one process passes the suites for what processes share.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/memory_log.rs"]
mod memory_log;

mod log {
    use crate::memory_log::{Flaw, MemoryLog};

    larder_testkit::conformance!(log, || async {
        let store = MemoryLog::new(Flaw::None);
        (store.clone(), store)
    });
}

mod bus {
    use larder_core::LocalBus;

    larder_testkit::conformance!(bus, || async {
        let bus = LocalBus::new();
        (bus.clone(), bus)
    });
}

mod lock {
    use larder_core::LocalLock;

    larder_testkit::conformance!(lock, |clock| async {
        let lock = LocalLock::new(clock);
        (lock.clone(), lock)
    });
}
