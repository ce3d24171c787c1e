//! Making connections.
//!
//! A connection may take longer to make than a call may last. Were it given up with the call that wanted it, there
//! would never be one. So the attempt is a task of its own, and one whose caller has gone is taken up by the next.

use crate::connection::Connection;
use crate::failure;
use deadpool::managed::{self, Metrics, Pool, PoolConfig, QueueMode, RecycleResult};
use larder_core::{Clock, Error, Result, SystemClock};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A connection, an error, or nothing in time.
type Made = Option<Result<Connection>>;

/// Makes the connections to one server.
pub(crate) struct Connector {
    address: Arc<str>,
    timeout: Duration,
    /// What the server said last; 0 before it said anything.
    pub(crate) item_size_max: AtomicU64,
    /// Attempts whose callers have gone. Held only to put one in or to take one out. There are never more than
    /// connections in the pool, because each caller takes one of these first.
    left: Mutex<Vec<JoinHandle<Made>>>,
}

/// Makes the pool of connections to one server; no connection yet.
pub(crate) fn pool(address: Arc<str>, size: usize, timeout: Duration) -> Result<Pool<Connector>> {
    let connector = Connector { address, timeout, item_size_max: AtomicU64::new(0), left: Mutex::default() };
    let mut config = PoolConfig::new(size);
    // A connection that was just used is one that works.
    config.queue_mode = QueueMode::Lifo;
    let pool = Pool::builder(connector).config(config).build();
    pool.map_err(|error| failure::config("the pool cannot be made").caused_by(error))
}

impl managed::Manager for Connector {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection> {
        loop {
            let left = self.lock().pop();
            let was_left = left.is_some();
            let task = left.unwrap_or_else(|| tokio::spawn(attempt(Arc::clone(&self.address), self.timeout)));
            match (Attempt { task: Some(task), connector: self }).made().await {
                Some(Ok(connection)) => {
                    self.item_size_max.store(connection.item_size_max, Relaxed);
                    return Ok(connection);
                }
                // How it was then says little about now.
                Some(Err(_)) if was_left => {}
                Some(Err(error)) => return Err(error),
                // It took too long, or its runtime has ended. The call ends by its own deadline.
                None => {}
            }
        }
    }

    async fn recycle(&self, _: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        // One that broke was not given back, and one that breaks while it lies idle is noticed when it is used.
        Ok(())
    }
}

impl Connector {
    fn lock(&self) -> MutexGuard<'_, Vec<JoinHandle<Made>>> {
        // What panicked elsewhere has not left the list by half.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one connection, unless that takes too long.
async fn attempt(address: Arc<str>, timeout: Duration) -> Made {
    let mut made = pin!(Connection::open(&address));
    let mut timer = SystemClock.sleep(timeout);
    poll_fn(|cx| match made.as_mut().poll(cx) {
        Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
        Poll::Ready(made) => Poll::Ready(Some(made)),
    })
    .await
}

/// An attempt that is waited for. Whoever ceases to wait leaves it to the next.
struct Attempt<'a> {
    /// `None` once it has ended.
    task: Option<JoinHandle<Made>>,
    connector: &'a Connector,
}

impl Attempt<'_> {
    async fn made(mut self) -> Made {
        let task = self.task.as_mut()?;
        let made = task.await;
        self.task = None;
        made.ok().flatten()
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            self.connector.lock().push(task);
        }
    }
}
