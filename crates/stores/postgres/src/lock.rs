//! Leases, in a table, by the clock of the server.
//!
//! ```text
//! table_leases   id | token | ends_at | lasts      one row a lease; id is the XXH3-128 hash of its name
//! ```
//!
//! *Why no advisory locks?* One of those is held for as long as its connection is open. A process that hangs keeps its
//! connections, and with them what it has locked, and nobody can take a lock from it but by ending the connection. Each lock
//! would belong to one connection, so that all would hang on the one that can be lost; and behind a pooler that gives each
//! transaction another connection they belong to nobody. A row with a time has none of that. What it does not do is to end
//! the leases of a process that has crashed before their time.

mod statements;
mod waiting;

pub(crate) use statements::{LeaseStatements, table};

use crate::calls::{Calls, Twice, Values};
use crate::ear::Ear;
use crate::name;
use crate::row::{self, Raw, values};
use bytes::Bytes;
use larder_core::{Answer, Clock, Lock, Result, SystemClock, Token};
use std::collections::hash_map::RandomState;
use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;
use waiting::Waiting;

/// So long waits who cannot be told.
const UNTOLD: Duration = Duration::from_millis(100);
/// Longer leases are this one: the server's times end somewhere.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A [`Lock`] by a table of leases; from [`Postgres::lock`](crate::Postgres::lock).
///
/// A handle: clones are the same lock. A lease is a row, which ends when it is deleted or when the clock of the server has
/// passed its time, whatever has become of its process: one that hangs, with its connection open, loses it in time. (A
/// session-level advisory lock would stay.) A process that crashed keeps others waiting until its leases end, so they should
/// be short and renewed. The clocks of the processes do not matter; if the server's clock is set back, leases from
/// before are void.
///
/// Each call is one statement and one round trip. [`release`](Lock::release) tells those who [`wait`](Lock::wait) by
/// `NOTIFY`, which they hear on the connection of the [bus](crate::PostgresBus). `wait` asks once, when it begins, whether the
/// lease is still held, and for how long. In a store of a [given pool](crate::PostgresOptions::from_pool) nothing can be
/// heard: there it returns after 100 ms at the latest.
///
/// The table is not logged: a crash of the server ends all leases, as a failover does.
///
/// # Panics
///
/// Its calls need a Tokio runtime with I/O.
///
/// # Examples
///
/// ```no_run
/// use larder_core::Lock;
/// use larder_postgres::Postgres;
/// use std::time::Duration;
///
/// # async fn example() -> larder_core::Result<()> {
/// let lock = Postgres::connect("postgres://app:secret@db.test/shop").await?.lock();
/// let lease = Duration::from_secs(5);
/// let token = lock.acquire("users:ada", lease).await?.expect("nobody has it");
/// assert!(lock.acquire("users:ada", lease).await?.is_none());
/// assert!(lock.renew("users:ada", &token, lease).await?);
/// lock.release("users:ada", &token).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a lock does nothing until a cache is told of it"]
pub struct PostgresLock {
    calls: Calls,
    ear: Arc<Ear>,
    waiting: Arc<Waiting>,
    tokens: Arc<Tokens>,
}

impl PostgresLock {
    pub(crate) fn new(calls: Calls, ear: Arc<Ear>) -> Self {
        let waiting = Arc::new(Waiting::default());
        ear.tell(Arc::clone(&waiting) as _);
        PostgresLock { calls, ear, waiting, tokens: Arc::new(Tokens::new()) }
    }

    async fn wait_for_end(&self, name: &str, at_most: Duration) -> Result<()> {
        let id = name::hash(name);
        // Before it is asked for: what ends in between is heard.
        let mut waiter = self.waiting.for_end_of(u128::from_be_bytes(id));
        self.ear.listen();
        let rows = self.calls.run(|sql| &sql.leases.left, values![Raw::from(id)], Twice::Fine).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let left = Duration::try_from_secs_f64(row::column(row, 0)?).unwrap_or_default();
        let untold = if self.ear.can_listen() { Duration::MAX } else { UNTOLD };
        within(left.min(at_most).min(untold), waiter.end()).await;
        Ok(())
    }
}

impl Lock for PostgresLock {
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>> {
        Box::pin(async move {
            let token = self.tokens.next();
            let values = lease_values(name, &token, seconds(lease));
            let rows = self.calls.run(|sql| &sql.leases.acquire, values, Twice::Fine).await?;
            Ok((!rows.is_empty()).then_some(token))
        })
    }

    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let values = lease_values(name, token, seconds(lease));
            let rows = self.calls.run(|sql| &sql.leases.renew, values, Twice::Fine).await?;
            Ok(!rows.is_empty())
        })
    }

    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut values = lease_values(name, token, self.calls.options().channel.clone());
            let payload = Waiting::payload(u128::from_be_bytes(name::hash(name)));
            values.extend(values![payload]);
            self.calls.run(|sql| &sql.leases.release, values, Twice::Fine).await.map(drop)
        })
    }

    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()> {
        Box::pin(async move { within(at_most, self.wait_for_end(name, at_most)).await.unwrap_or(Ok(())) })
    }

    fn place(&self) -> String {
        format!("the leases in {}", self.calls.place())
    }
}

impl fmt::Debug for PostgresLock {
    /// Prints where the server is, and no credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLock").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// Tokens that nobody else has. Made here and not by the server, so that to ask twice for a lease takes it once.
struct Tokens {
    random: [u64; 2],
    last: AtomicU64,
}

impl Tokens {
    fn new() -> Self {
        // What hashes begin with is random, and of the operating system.
        let random = || RandomState::new().build_hasher().finish();
        Tokens { random: [random(), random()], last: AtomicU64::new(0) }
    }

    fn next(&self) -> Token {
        let number = self.last.fetch_add(1, Relaxed);
        Token::new([self.random[0], self.random[1], number].map(u64::to_be_bytes).concat())
    }
}

/// The parameters that all statements begin with.
fn lease_values(
    name: &str,
    token: &Token,
    third: impl tokio_postgres::types::ToSql + Send + Sync + 'static,
) -> Values {
    values![Raw::from(name::hash(name)), Raw(Bytes::copy_from_slice(token.as_bytes())), third]
}

fn seconds(lease: Duration) -> f64 {
    lease.min(LONGEST).as_secs_f64()
}

/// Waits for work, for no longer than this.
async fn within<T>(span: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut timer = SystemClock.sleep(span);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
        Poll::Ready(done) => Poll::Ready(Some(done)),
    })
    .await
}
