//! A lock within one process.

use super::Lock;
use crate::in_time::in_time;
use crate::record::Token;
use crate::shared_log::Answer;
use crate::sync::Mutex;
use crate::{Clock, SystemClock, Time};
use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// A lock within one process: for caches of one process that stand for several, in tests most of all. Clones are the same
/// lock.
///
/// Leases end by the clock that it was made with. It needs no runtime. Dropping the future of a call leaves nothing behind
/// that has not been done already.
///
/// # Examples
///
/// ```
/// use larder_core::{Lock, LocalLock};
/// use larder_testkit::MockClock;
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = MockClock::new();
/// let lock = LocalLock::new(clock.clone());
/// let lease = Duration::from_secs(10);
///
/// let token = lock.acquire("users:ada", lease).await.unwrap().unwrap();
/// assert_eq!(lock.acquire("users:ada", lease).await.unwrap(), None);
///
/// clock.advance(lease);
/// assert!(!lock.renew("users:ada", &token, lease).await.unwrap()); // it has ended
/// assert!(lock.acquire("users:ada", lease).await.unwrap().is_some());
/// # });
/// ```
#[derive(Clone)]
#[must_use = "a lock does nothing until somebody asks for a lease"]
pub struct LocalLock(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    /// Held to look at a lease and to change it, never while something is waited for.
    leases: Mutex<Leases>,
}

#[derive(Default)]
struct Leases {
    by_name: HashMap<String, Lease>,
    /// How many leases there have been: the token of the last one.
    number: u64,
    /// With so many, those that have ended are looked for: nobody else might ask for their names.
    crowd: usize,
}

struct Lease {
    number: u64,
    ends_at: Time,
    released: Arc<Notify>,
}

impl LocalLock {
    /// Makes a lock whose leases end by `clock`.
    pub fn new(clock: impl Clock) -> Self {
        LocalLock(Arc::new(Inner { clock: Arc::new(clock), leases: Mutex::default() }))
    }
}

impl Default for LocalLock {
    /// Makes a lock whose leases end by the [`SystemClock`].
    fn default() -> Self {
        Self::new(SystemClock)
    }
}

impl Leases {
    /// The lease, if it lasts at `now`.
    fn lasting(&mut self, name: &str, now: Time) -> Option<&mut Lease> {
        self.by_name.get_mut(name).filter(|lease| now < lease.ends_at)
    }

    fn own(&mut self, name: &str, token: &Token, now: Time) -> Option<&mut Lease> {
        self.lasting(name, now).filter(|lease| lease.number.to_be_bytes()[..] == *token.as_bytes())
    }

    fn drop_ended(&mut self, now: Time) {
        const FEW: usize = 64;
        if self.by_name.len() >= self.crowd.max(FEW) {
            self.by_name.retain(|_, lease| now < lease.ends_at);
            self.crowd = 2 * self.by_name.len();
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Lock for LocalLock {
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>> {
        Box::pin(async move {
            let now = self.0.clock.now_exact();
            let mut leases = self.0.leases.lock();
            if leases.lasting(name, now).is_some() {
                return Ok(None);
            }
            leases.drop_ended(now);
            leases.number += 1;
            let number = leases.number;
            let new = Lease { number, ends_at: now.after(lease), released: Arc::default() };
            leases.by_name.insert(name.into(), new);
            Ok(Some(Token::new(number.to_be_bytes().to_vec())))
        })
    }

    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let now = self.0.clock.now_exact();
            let mut leases = self.0.leases.lock();
            let Some(own) = leases.own(name, token, now) else { return Ok(false) };
            own.ends_at = now.after(lease);
            Ok(true)
        })
    }

    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move {
            let now = self.0.clock.now_exact();
            let mut leases = self.0.leases.lock();
            if leases.own(name, token, now).is_some()
                && let Some(ended) = leases.by_name.remove(name)
            {
                drop(leases);
                ended.released.notify_waiters();
            }
            Ok(())
        })
    }

    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()> {
        Box::pin(async move {
            let now = self.0.clock.now_exact();
            let (released, left) = {
                let mut leases = self.0.leases.lock();
                let Some(lease) = leases.lasting(name, now) else { return Ok(()) };
                // From here on a release is not missed, although nobody waits for it yet.
                (Arc::clone(&lease.released).notified_owned(), lease.ends_at.since(now))
            };
            in_time(&*self.0.clock, left.min(at_most), pin!(released)).await;
            Ok(())
        })
    }

    fn place(&self) -> String {
        "the lock of this process".into()
    }
}

impl fmt::Debug for LocalLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalLock")
            .field("leases", &self.0.leases.lock().by_name.len())
            .finish_non_exhaustive()
    }
}
