//! One load across processes: who has the lease of a key loads it, the others wait and look again.
//!
//! ```text
//! acquire ──── ours ── look again ── found: release, answer
//!    ▲  │                    └────── load, store, release; the lease is renewed meanwhile
//!    │  └─── another's ── wait ── look again ── found: answer
//!    └──────────────────────────────────┘
//! ```
//!
//! The second look is what makes it one load: between the first one and the lease somebody else may have come and gone.
//! A lock that fails, or that others have again and again without leaving a value, keeps nobody from loading.

use crate::event::Event;
use crate::flights::Lead;
use crate::fly::{Trip, Waited};
use crate::holds::{Cx, Fetched, Holds};
use crate::in_time::in_time;
use crate::record::Token;
use crate::spawn::spawn;
use crate::sync::AtomicU64;
use crate::{Cache, Clock, Error, ErrorKind, Lock, Lookup, Result, Time};
use std::borrow::Borrow;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;

/// A lock, and how a cache uses it.
pub(crate) struct LoadLock {
    lock: Arc<dyn Lock>,
    lease: Duration,
    /// It failed, and loads do without it until then.
    left_alone_until: AtomicU64,
}

/// How long a lock may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a lock that failed is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(5);
/// Whoever waits looks again after this time, in case that nothing wakes it.
const POLL: Duration = Duration::from_secs(1);
/// So many loads of others that left no value (they failed, or what they loaded is not to be stored) are waited for.
const IN_VAIN: u32 = 8;

/// What is to be done by who would load.
pub(crate) enum Claim<V> {
    /// Load; the lease is ours, where there is one.
    Load(Option<Lease>),
    /// Another process has loaded it meanwhile.
    Elsewhere(Fetched<V>),
}

impl LoadLock {
    /// Leases last for 10 s unless they are renewed.
    pub(crate) fn new(lock: Arc<dyn Lock>) -> Self {
        LoadLock::lasting(lock, Duration::from_secs(10))
    }

    /// The same lock, with leases of another length.
    pub(crate) fn with_lease(&self, lease: Duration) -> Self {
        LoadLock::lasting(Arc::clone(&self.lock), lease)
    }

    fn lasting(lock: Arc<dyn Lock>, lease: Duration) -> Self {
        LoadLock { lock, lease, left_alone_until: AtomicU64::new(0) }
    }

    /// Waits for what the lock answers, `longer` than a lock has to answer.
    async fn ask<T>(
        &self,
        clock: &dyn Clock,
        longer: Duration,
        answer: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let limit = PATIENCE.saturating_add(longer);
        let answer = in_time(clock, limit, pin!(answer)).await;
        let answer = answer.unwrap_or_else(|| {
            let late = format!("{} has not answered within {limit:?}", self.lock.place());
            Err(Error::new(ErrorKind::Timeout, late))
        });
        if answer.is_err() {
            self.left_alone_until.store(clock.now_exact().after(LEFT_ALONE).as_nanos(), Relaxed);
        }
        answer
    }

    fn is_left_alone(&self, now: Time) -> bool {
        now.as_nanos() < self.left_alone_until.load(Relaxed)
    }

    async fn acquire(self: &Arc<Self>, clock: &Arc<dyn Clock>, name: &str) -> Result<Option<Lease>> {
        let token = self.ask(&**clock, Duration::ZERO, self.lock.acquire(name, self.lease)).await?;
        Ok(token.map(|token| Lease {
            of: Arc::clone(self),
            clock: Arc::clone(clock),
            name: name.into(),
            token: Some(token),
        }))
    }

    /// Waits until the lease of another process may have ended. Returns whether it did so before its time.
    async fn wait(&self, clock: &dyn Clock, name: &str) -> Result<bool> {
        // Shorter than what is left of a lease that is being renewed: if the wait ends before, the lease has ended.
        let poll = POLL.min(self.lease / 3);
        let began = clock.now_exact();
        self.ask(clock, poll, self.lock.wait(name, poll)).await?;
        Ok(clock.now_exact().since(began) < poll)
    }
}

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Gets the right to load, or what another process has loaded meanwhile.
    pub(crate) async fn claim(&self, lead: &Lead<K, V>, trip: Trip) -> Claim<V> {
        let Some(lock) = &self.policy.loads.lock else { return Claim::Load(None) };
        // Boxed, so that loads without a lock have no room for it in their futures.
        let claim = Box::pin(self.claim_by(lock, lead, trip)).await.unwrap_or_else(|error| {
            self.observers().tell(&Event::LockFailed { error: &error });
            Claim::Load(None)
        });
        if matches!(claim, Claim::Load(None)) {
            self.inner.counters.unlocked.add();
        }
        claim
    }

    async fn claim_by(&self, lock: &Arc<LoadLock>, lead: &Lead<K, V>, trip: Trip) -> Result<Claim<V>> {
        let clock = &self.inner.clock;
        let Some(name) = C::address(&self.level, lead.flight.key.borrow()) else {
            return Ok(Claim::Load(None));
        };
        let mut in_vain = 0;
        while in_vain < IN_VAIN && !lock.is_left_alone(clock.now_exact()) {
            let lease = lock.acquire(clock, &name).await?;
            if lease.is_none() && lock.wait(&**clock, &name).await? {
                in_vain += 1;
            }
            match (self.look_again(lead, trip).await, lease) {
                (Some(found), lease) => {
                    if let Some(lease) = lease {
                        lease.release().await;
                    }
                    self.inner.counters.elsewhere.add();
                    return Ok(Claim::Elsewhere(found));
                }
                (None, Some(lease)) => return Ok(Claim::Load(Some(lease))),
                (None, None) => {}
            }
        }
        Ok(Claim::Load(None))
    }

    /// What the lower levels have by now, if that spares the load.
    async fn look_again(&self, lead: &Lead<K, V>, trip: Trip) -> Option<Fetched<V>> {
        let cx = Cx { loads: true, ..self.cx_of(&lead.visit) };
        let key = lead.flight.key.borrow();
        let (found, _) = self.fetch(key, trip.from, Waited::Not, trip.floor, cx).await;
        found.filter(|found| self.will_do(&lead.flight, found, trip.floor, true))
    }
}

/// The right to load a key. It ends with its value, however that is dropped; if the process dies, by itself.
pub(crate) struct Lease {
    of: Arc<LoadLock>,
    clock: Arc<dyn Clock>,
    name: String,
    /// `None` once it was given back.
    token: Option<Token>,
}

impl Lease {
    /// Runs the load, and renews the lease as long as that takes.
    pub(crate) async fn hold<T>(
        &self,
        tell: impl Fn(&Event<'_>) + Send + Sync,
        mut load: Pin<&mut (impl Future<Output = T> + Send)>,
    ) -> T {
        let mut renewals = pin!(self.renew(tell));
        let mut is_ours = true;
        poll_fn(|cx| {
            if let Poll::Ready(loaded) = load.as_mut().poll(cx) {
                return Poll::Ready(loaded);
            }
            is_ours = is_ours && renewals.as_mut().poll(cx).is_pending();
            Poll::Pending
        })
        .await
    }

    /// Renews the lease three times in its length, until it is another's.
    async fn renew(&self, tell: impl Fn(&Event<'_>) + Send + Sync) {
        let (clock, of) = (&*self.clock, &*self.of);
        let Some(token) = &self.token else { return };
        loop {
            clock.sleep(of.lease / 3).await;
            match of.ask(clock, Duration::ZERO, of.lock.renew(&self.name, token, of.lease)).await {
                Ok(true) => {}
                Ok(false) => return tell(&Event::LeaseLost),
                // What is left of it may outlast the trouble.
                Err(error) => tell(&Event::LockFailed { error: &error }),
            }
        }
    }

    /// Gives the lease back. Where there is a runtime nobody waits for that.
    pub(crate) async fn release(mut self) {
        if let Some(release) = self.releasing()
            && let Err(release) = spawn(release)
        {
            release.await;
        }
    }

    fn releasing(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        let token = self.token.take()?;
        let (of, clock, name) =
            (Arc::clone(&self.of), Arc::clone(&self.clock), std::mem::take(&mut self.name));
        Some(async move {
            // If it fails the lease ends by itself.
            let _ = of.ask(&*clock, Duration::ZERO, of.lock.release(&name, &token)).await;
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(release) = self.releasing() {
            // Without a runtime it ends by itself.
            let _ = spawn(release);
        }
    }
}
