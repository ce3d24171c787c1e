//! Work that is not to be done where it is asked for.

use crate::{Error, ErrorKind, Result, load};
use std::future::Future;
use std::panic::resume_unwind;
use tokio::runtime::Handle;

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
