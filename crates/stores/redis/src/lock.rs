//! A lock in Redis.

mod waiting;

use crate::ear::Ear;
use crate::records::Records;
use crate::route::Repeat;
use crate::within::within;
use crate::{expiry, fault, record, scripts};
use larder_core::{Answer, Listener, Lock, Result, Token};
use redis::{Cmd, Value};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;
use waiting::Waiting;

/// Leases in Redis: [`Redis::lock`](crate::Redis::lock). Clones are the same lock.
///
/// A lease is a key of its own, with a token that no other lease has, which the server forgets when it is over; in a
/// cluster each is at the node of its slot. A release is published, and heard over a connection that is made when somebody waits
/// first; while there is none, who waits is woken by its making, or when the lease ends, or the time is over. A server that
/// is lost takes the leases with it, and one that takes over may not know the last of them: what a lock decides is who
/// loads, never what is right.
///
/// All of it may be repeated after a connection broke: a lease is taken, prolonged and ended by its token.
///
/// # Cancel safety
///
/// A call whose future is dropped once it was polled is carried out nevertheless; so a lease may be taken that nobody
/// releases, until it ends by itself. A dropped [`wait`](Lock::wait) leaves nothing behind.
///
/// # Examples
///
/// ```no_run
/// use larder_core::Lock;
/// use larder_redis::Redis;
/// use std::time::Duration;
///
/// # async fn example() -> larder_core::Result<()> {
/// let lock = Redis::connect("redis://cache.internal").await?.lock();
/// if let Some(token) = lock.acquire("users:ada", Duration::from_secs(10)).await? {
///     // Nobody else loads it now.
///     lock.release("users:ada", &token).await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a lock does nothing until somebody asks for a lease"]
pub struct RedisLock(Arc<Inner>);

struct Inner {
    records: Arc<Records>,
    prefix: String,
    ear: Ear,
    waiting: Arc<Waiting>,
    /// Whether those who wait are told what is heard.
    is_heard: AtomicBool,
}

impl RedisLock {
    pub(crate) fn new(records: Arc<Records>, channel: &str) -> Self {
        let ear = Ear::new(Arc::clone(&records), format!("{channel}.released"));
        let (prefix, waiting) = (format!("{channel}.lock:"), Arc::default());
        RedisLock(Arc::new(Inner { records, prefix, ear, waiting, is_heard: AtomicBool::new(false) }))
    }
}

impl Inner {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn run(
        &self,
        script: &scripts::Script,
        name: &str,
        add: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<bool> {
        let key = self.key(name);
        let keys = [&*key];
        match self.records.route.run(script, &keys, add, 2 * key.len(), Repeat::Harmless).await? {
            Value::Int(done) => Ok(done == 1),
            _ => Err(fault::unexpected(self.records.route.place())),
        }
    }

    /// How long the lease lasts at most, if there is one; who cannot know that does not wait less for it.
    async fn left(&self, name: &str) -> Option<Duration> {
        let key = self.key(name);
        let ask = || redis::cmd("PTTL").arg(&key).take();
        match self.records.route.ask(&key, ask, key.len(), Repeat::Harmless).await {
            Ok(Value::Int(-2)) => None,
            Ok(Value::Int(millis)) => {
                Some(u64::try_from(millis).map_or(Duration::MAX, Duration::from_millis))
            }
            _ => Some(Duration::MAX),
        }
    }

    fn listen(&self) {
        if !self.is_heard.swap(true, Relaxed) {
            let waiting: Weak<Waiting> = Arc::downgrade(&self.waiting);
            let listener: Weak<dyn Listener> = waiting;
            self.ear.add(listener);
        }
        self.ear.listen();
    }
}

#[deny(clippy::missing_trait_methods)]
impl Lock for RedisLock {
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>> {
        Box::pin(async move {
            let (token, millis) = (record::token(), expiry::millis(lease));
            let add = |cmd: &mut Cmd| _ = cmd.arg(&token[..]).arg(millis);
            let is_taken = self.0.run(&scripts::ACQUIRE, name, add).await?;
            Ok(is_taken.then(|| Token::new(token.to_vec())))
        })
    }

    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let millis = expiry::millis(lease);
            let add = |cmd: &mut Cmd| _ = cmd.arg(token.as_bytes()).arg(millis);
            self.0.run(&scripts::RENEW, name, add).await
        })
    }

    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move {
            let add = |cmd: &mut Cmd| _ = cmd.arg(token.as_bytes()).arg(self.0.ear.channel()).arg(name);
            self.0.run(&scripts::RELEASE, name, add).await.map(drop)
        })
    }

    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()> {
        Box::pin(async move {
            // First, so that a release is heard which comes while the server is asked.
            let seat = self.0.waiting.sit(name);
            self.0.listen();
            let waiting = async {
                if let Some(left) = self.0.left(name).await {
                    within(left.min(at_most), seat.called()).await;
                }
            };
            within(at_most, waiting).await;
            Ok(())
        })
    }

    fn place(&self) -> String {
        format!("the leases `{}` of Redis at {}", self.0.prefix, self.0.records.route.place())
    }
}

impl fmt::Debug for RedisLock {
    /// Prints where the leases are, and neither user nor password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLock").field("place", &self.place()).finish_non_exhaustive()
    }
}
