//! Work that is not to be done where it is asked for.

use crate::block_on::{begin, block_on};
use crate::{Error, ErrorKind, Result, load};
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::unconstrained;

/// Runs `work`, which blocks, on a thread of the runtime that is for this; without a runtime, here. If it runs in a load, it
/// is a part of that.
///
/// # Panics
///
/// If `work` does, or if the runtime ends before it has begun.
///
/// # Cancel safety
///
/// Once it has begun, `work` runs to its end; nobody learns what it returned.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let here = std::thread::current().id();
/// let there = larder_core::function::off_the_runtime(|| std::thread::current().id()).await;
/// assert_ne!(here, there);
/// # });
/// ```
pub async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Ok(runtime) = Handle::try_current() else { return work() };
    let load = load::current();
    match runtime.spawn_blocking(move || load.run(work)).await {
        Ok(done) => done,
        Err(end) => match end.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(cut) => panic!("the runtime ended before the work had begun: {cut}"),
        },
    }
}

/// Does `work` to its end, also if the caller goes away meanwhile: what was changed at the source is invalidated whoever waits
/// for it.
///
/// # Errors
///
/// Those of `work`. [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the runtime ended before.
///
/// # Panics
///
/// If `work` does.
///
/// # Cancel safety
///
/// `work` goes on. Without a runtime it ends with its caller.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// larder_core::function::to_the_end(async { Ok(()) }).await?;
/// # larder_core::Result::Ok(()) }).unwrap();
/// ```
pub async fn to_the_end(work: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
    let Ok(runtime) = Handle::try_current() else { return work.await };
    match runtime.spawn(work).await {
        Ok(done) => done,
        Err(end) if end.is_panic() => resume_unwind(end.into_panic()),
        Err(_) => Err(Error::new(ErrorKind::Closed, "the runtime ended before all was invalidated")),
    }
}

/// Does `work` to its end: waits for it on this thread, or, where that would stop the runtime which it needs, leaves the rest
/// to that and returns at once.
///
/// # Errors
///
/// Those of `work`, if it was waited for.
///
/// # Panics
///
/// If `work` does, and in a `LocalSet` of a runtime with several threads, if it has to wait: say it in an `async fn` there.
///
/// # Examples
///
/// ```
/// larder_core::function::to_the_end_blocking(async { Ok(()) })?;
/// # larder_core::Result::Ok(())
/// ```
#[track_caller]
pub fn to_the_end_blocking(work: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
    let mut work: Pin<Box<dyn Future<Output = Result<()>> + Send>> = Box::pin(work);
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread => {
            if let Poll::Ready(done) = begin(pin!(unconstrained(work.as_mut()))) {
                return done;
            }
            // Who waits here would stop it.
            runtime.spawn(work);
            Ok(())
        }
        _ => block_on(None, work),
    }
}
