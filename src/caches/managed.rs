//! A cache of any type, as the registry sees it.

use crate::{Cache, Holds, Lookup, Result, Stats};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

pub(super) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What can be done to a cache without its types.
pub(super) trait Managed: fmt::Debug + Send + Sync {
    fn stats(&self) -> Stats;
    fn clear(&self) -> BoxFuture<'_, Result<()>>;
    fn shutdown(&self) -> BoxFuture<'_, Result<()>>;
    fn set_reading(&self, reads: bool);
    fn set_writing(&self, writes: bool);
}

impl<K, V, S, C> Managed for Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    fn stats(&self) -> Stats {
        Cache::stats(self)
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Cache::clear(self))
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Cache::shutdown(self))
    }

    fn set_reading(&self, reads: bool) {
        if reads { self.resume_reads() } else { self.pause_reads() }
    }

    fn set_writing(&self, writes: bool) {
        if writes { self.resume_writes() } else { self.pause_writes() }
    }
}

/// Does all of it at the same time, and returns what came of each.
pub(super) async fn all<T>(work: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut under_way: Vec<_> = work.into_iter().map(|work| (work, None)).collect();
    poll_fn(|cx| {
        let mut is_ready = true;
        for (work, done) in &mut under_way {
            if done.is_none() {
                match work.as_mut().poll(cx) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    under_way.into_iter().filter_map(|(_, done)| done).collect()
}
