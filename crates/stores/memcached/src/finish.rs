//! A call whose caller has gone away goes on to its end.
//!
//! To drop a command in the middle would leave its connection with an answer that nobody asked for any more, and
//! a write that may arrive at any later time, behind the writes that were called after it. So the rest becomes a
//! task; while the caller waits it costs one allocation.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use tokio::runtime::Handle;

/// Waits for `work`, which goes on without its caller. It must end by itself, in bounded time.
pub(crate) async fn finish<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let mut unfinished = Unfinished(Some(Box::pin(work)));
    poll_fn(|cx| {
        let work = unfinished.0.as_mut().expect("it is taken only when it is done, and then not waited for");
        work.as_mut().poll(cx).map(|done| {
            unfinished.0 = None;
            done
        })
    })
    .await
}

struct Unfinished<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Drop for Unfinished<T> {
    fn drop(&mut self) {
        // Without a runtime there are no connections either: theirs is gone.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}
