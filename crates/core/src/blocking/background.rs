//! Where a reload goes on whose code blocks, and for which nobody waits.

use crate::block_on::block_on;
use crate::crowd::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use tokio::runtime::Handle;

/// How many threads of our own there are at most, in a process.
const MOST: usize = 32;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Drives `work` on a thread that may block; gives it back where there is none.
pub(super) fn start(
    runtime: Option<&Handle>,
    work: BoxFuture<'static, ()>,
) -> Option<BoxFuture<'static, ()>> {
    if let Some(runtime) = Handle::try_current().ok().or_else(|| runtime.cloned()) {
        runtime.clone().spawn_blocking(move || block_on(Some(&runtime), work));
        return None;
    }
    let Some(place) = Place::take() else { return Some(work) };
    // A load that is not begun ends its flight when it is dropped, as one that is cut off does.
    let thread = thread::Builder::new().name("larder-reload".to_owned());
    let started = thread.spawn(move || {
        let _place = place;
        block_on(None, work);
    });
    drop(started);
    None
}

/// One of the threads.
struct Place;

impl Place {
    fn take() -> Option<Place> {
        let taken = THREADS.fetch_update(SeqCst, SeqCst, |many| (many < MOST).then_some(many + 1));
        taken.ok().map(|_| Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        THREADS.fetch_sub(1, SeqCst);
    }
}
