//! Making connections.
//!
//! A connection may take longer to make than a call may last. Were it given up with the call that wanted it, there
//! would never be one. So the attempt is a task of its own, and one whose caller has gone is taken up by the next.

use crate::failure;
use deadpool_postgres::{Connect, Manager, Pool, PoolConfig, QueueMode};
use larder_core::{Clock, Result, SystemClock};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error as DriverError, Socket};

/// A connection, and the task that drives it.
type Made = std::result::Result<(Client, JoinHandle<()>), DriverError>;

/// Makes the pool of connections; no connection yet.
pub(crate) fn pool<T>(mut config: Config, tls: T, size: usize, timeout: Duration) -> Result<Pool>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + Sync,
    T::TlsConnect: Send + Sync,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    if config.get_application_name().is_none() {
        config.application_name("larder");
    }
    let connector = Connector { tls, timeout, left: Left::default() };
    let manager = Manager::from_connect(config, connector, deadpool_postgres::ManagerConfig::default());
    let mut pool = PoolConfig::new(size);
    // A connection that was just used is one that works.
    pool.queue_mode = QueueMode::Lifo;
    Pool::builder(manager)
        .config(pool)
        .build()
        .map_err(|error| failure::config("the pool cannot be made").caused_by(error))
}

struct Connector<T> {
    tls: T,
    timeout: Duration,
    /// Attempts whose callers have gone. Held only to put one in or to take one out. There are never more than
    /// connections in the pool, because each caller takes one of these first.
    left: Left,
}

type Left = Mutex<Vec<JoinHandle<Option<Made>>>>;

impl<T> Connect for Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + Sync,
    T::TlsConnect: Send + Sync,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Made> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            loop {
                let left = lock(&self.left).pop();
                let was_left = left.is_some();
                let start = || tokio::spawn(attempt(config.clone(), self.tls.clone(), self.timeout));
                let mut attempt = Attempt { task: Some(left.unwrap_or_else(start)), left: &self.left };
                match attempt.made().await {
                    // How it was then says little about now.
                    Some(Ok((client, _))) if was_left && client.is_closed() => {}
                    Some(Err(_)) if was_left => {}
                    Some(made) => return made,
                    // It took too long, or its runtime has ended. The call ends by its own deadline.
                    None => {}
                }
            }
        })
    }
}

/// Makes one connection, unless that takes too long.
async fn attempt<T>(config: Config, tls: T, timeout: Duration) -> Option<Made>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let mut made = pin!(config.connect(tls));
    let mut timer = SystemClock.sleep(timeout);
    let made = poll_fn(|cx| match made.as_mut().poll(cx) {
        Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
        Poll::Ready(made) => Poll::Ready(Some(made)),
    });
    Some(made.await?.map(|(client, connection)| {
        // What it ends with, the statements that wait for it are told as well.
        (client, tokio::spawn(async { drop(connection.await) }))
    }))
}

/// An attempt that is waited for. Whoever ceases to wait leaves it to the next.
struct Attempt<'a> {
    /// `None` once it has ended.
    task: Option<JoinHandle<Option<Made>>>,
    left: &'a Left,
}

impl Attempt<'_> {
    async fn made(&mut self) -> Option<Made> {
        let task = self.task.as_mut()?;
        let made = task.await;
        self.task = None;
        made.ok().flatten()
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            lock(self.left).push(task);
        }
    }
}

fn lock(left: &Left) -> MutexGuard<'_, Vec<JoinHandle<Option<Made>>>> {
    // What panicked elsewhere has not left the list by half.
    left.lock().unwrap_or_else(PoisonError::into_inner)
}
