//! A process's side of a shared log: what it asks it, and when.
//!
//! ```text
//! hit ── position confirmed within half the bound ── serve
//!  ├──── within the bound ───── serve, and confirm in the background
//!  └──── longer ago, or never ─ confirm first: one small question for all who wait
//! load ─ read the record and the position in one round trip ── load ── put, if the record is still that one
//! remove, insert, invalidate ── one script: void the record, count up, mark ── mark here ── tell the bus
//!  └──── the log cannot be reached: mark here at once, and number it with whatever is asked next
//! ```
//!
//! Records are read in `read`, what is told is in `tell`. A confirmation counts from when it was asked for. Nothing that a bus says is one.

mod read;
mod tell;

use super::pending::Pending;
use super::{Asked, Coherence, CoherenceStats, Names, Verdict, Watch, state::Applied};
use crate::breaker::Breaker;
use crate::bus::{Hearing, Outbox, hear};
use crate::counters::{Count, LevelCounters};
use crate::event::{Observers, Operation};
use crate::guard::{Guard, Witness};
use crate::planted::{self, Bug};
use crate::shared_log::{News, Position, SharedLog};
use crate::spawn::spawn;
use crate::sync::{AtomicBool, AtomicU64, Mutex};
use crate::{Bus, Clock, Error, ErrorKind, Result, Time};
use std::pin::pin;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Mutex as Turn;

/// For how long a guard stands where a record was, or is to be. One that is forgotten early costs a store, never a wrong
/// value.
pub(crate) const GUARD_FOR: Duration = Duration::from_secs(600);

/// See the module.
pub(crate) struct Shared {
    log: Arc<dyn SharedLog>,
    clock: Arc<dyn Clock>,
    bound: Duration,
    /// What stands before the log where no level of a cache does.
    guard: Guard,
    counters: LevelCounters,
    /// When the last confirmation was asked for, as [`Time::as_nanos`]; 0 before the first.
    confirmed_at: AtomicU64,
    /// Who has it asks for the position, for all that wait.
    turn: Turn<()>,
    /// How many confirmations have begun, and the last of them that failed.
    begun: AtomicU64,
    failed: AtomicU64,
    /// A confirmation is under way in the background.
    warming: AtomicBool,
    /// Invalidations that were not numbered because the log could not be reached.
    pending: Mutex<Pending>,
    retrying: AtomicBool,
    pub(crate) outbox: Outbox,
    pub(super) counts: Counts,
}

/// See [`CoherenceStats`].
#[derive(Default)]
pub(super) struct Counts {
    pub(super) confirmations: Count,
    pub(super) failures: Count,
    pub(super) eras: Count,
    pub(super) gaps: Count,
    pub(super) retried: Count,
}

impl Shared {
    pub(super) fn new(
        log: Arc<dyn SharedLog>,
        clock: Arc<dyn Clock>,
        bound: Duration,
        timeout: Duration,
    ) -> Self {
        Shared {
            log,
            clock,
            bound,
            guard: Guard::of(timeout, Breaker::default()),
            counters: LevelCounters::default(),
            confirmed_at: AtomicU64::new(0),
            turn: Turn::new(()),
            begun: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            warming: AtomicBool::new(false),
            pending: Mutex::default(),
            retrying: AtomicBool::new(false),
            outbox: Outbox::default(),
            counts: Counts::default(),
        }
    }

    pub(crate) fn is_of(&self, log: &Arc<dyn SharedLog>) -> bool {
        Arc::ptr_eq(&self.log, log)
    }

    pub(super) fn place(&self) -> String {
        self.log.place()
    }

    pub(super) fn stats(&self) -> CoherenceStats {
        let counts = &self.counts;
        CoherenceStats {
            confirmations: counts.confirmations.get(),
            failures: counts.failures.get(),
            eras: counts.eras.get(),
            gaps: counts.gaps.get(),
            retries: counts.retried.get(),
            pending: self.pending() as u64,
        }
    }

    fn pending(&self) -> usize {
        self.pending.lock().count()
    }

    pub(super) fn add_bus(&self, coherence: &Coherence, bus: &Arc<dyn Bus>) {
        let inner: Weak<super::Inner> = Arc::downgrade(&coherence.0);
        let hear_of = move |message: Option<&[u8]>| {
            if let Some(inner) = inner.upgrade() {
                Coherence(inner).hear(message);
            }
        };
        self.outbox.add(bus, hear_of);
    }

    fn witness(&self) -> Witness<'_> {
        static NOBODY: std::sync::LazyLock<Observers> = std::sync::LazyLock::new(Observers::default);
        Witness { clock: &*self.clock, level: &self.counters, observers: &NOBODY }
    }

    /// Whether a copy that is known to have been valid at `valid_at` may be served at `now` without asking.
    pub(super) fn is_confirmed(&self, coherence: &Coherence, valid_at: Time, now: Time) -> bool {
        let confirmed_at = Time::from_nanos(self.confirmed_at.load(SeqCst));
        let is_confirmed = now < confirmed_at.max(valid_at).after(self.bound) || planted::is(Bug::NoBound);
        if is_confirmed && now >= confirmed_at.after(self.bound / 2) {
            self.warm(coherence);
        }
        is_confirmed
    }

    /// Confirms in the background, unless somebody does.
    fn warm(&self, coherence: &Coherence) {
        if self.warming.swap(true, SeqCst) {
            return;
        }
        let warming = Warming(coherence.clone());
        // Without a runtime the next one who needs it asks.
        drop(spawn(async move {
            let _ = warming.0.confirm().await;
        }));
    }

    fn confirmed(&self, coherence: &Coherence, at: Time) {
        self.counts.confirmations.add();
        let at = at.max(Time::from_nanos(self.confirmed_at.fetch_max(at.as_nanos(), SeqCst)));
        coherence.0.calm_until.fetch_max(at.after(self.bound / 2).as_nanos(), SeqCst);
    }

    /// What was known, and when: before something is asked.
    fn asked(&self, coherence: &Coherence) -> Asked {
        let at = self.clock.now_exact();
        Asked { known: coherence.0.state.lock().known, at }
    }

    fn apply(&self, coherence: &Coherence, asked: Asked, news: &News) -> Applied {
        let applied = {
            let mut state = coherence.0.state.lock();
            let applied = state.apply(asked, news, self.clock.now());
            coherence.publish_tick(&state);
            applied
        };
        match applied {
            Applied::Ignored => return applied,
            Applied::NewEra => self.counts.eras.add(),
            Applied::Gap => self.counts.gaps.add(),
            Applied::Confirmed => {}
        }
        self.confirmed(coherence, asked.at);
        applied
    }

    /// Asks for the position, with what waits to be numbered.
    async fn exchange(&self, coherence: &Coherence) -> Result<()> {
        for _ in 0..3 {
            let asked = self.asked(coherence);
            let pending = self.pending.lock().clone();
            let answer = if pending.is_empty() {
                let news = pin!(self.log.news(asked.known));
                self.guard.run(self.witness(), Operation::Read, news).await
            } else {
                self.number_pending(asked, &pending).await
            };
            let news = answer.inspect_err(|_| self.counts.failures.add())?;
            let applied = self.apply(coherence, asked, &news);
            let numbered = self.told(&pending);
            coherence.0.state.lock().number(&numbered, news.position.number);
            if applied != Applied::Ignored {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Store, "the log of invalidations changed while it was asked"))
    }

    /// Asks whatever is needed to judge a copy in memory: for the position, for the marks of its names.
    pub(super) async fn settle(
        &self,
        coherence: &Coherence,
        watch: &Watch,
        names: Names<'_>,
        now: Time,
    ) -> Verdict {
        if !self.is_confirmed(coherence, watch.valid_at, now) && coherence.confirm().await.is_err() {
            return Verdict::Ask;
        }
        let tick = coherence.tick();
        let verdict = coherence.0.state.lock().judge(watch.tick(), names);
        if verdict != Verdict::Ask {
            return verdict;
        }
        let verdict = self.ask(coherence, watch.position, names, false).await;
        if verdict == Verdict::Sound {
            watch.advance(tick);
        }
        verdict
    }

    /// Asks the log what became of these names since `position`; a key whose record the log voids needs no mark.
    /// [`Verdict::Ask`] if it cannot be asked.
    pub(crate) async fn ask(
        &self,
        coherence: &Coherence,
        position: Option<Position>,
        names: Names<'_>,
        is_voided: bool,
    ) -> Verdict {
        let names = names.to_ask_for();
        let asked = self.asked(coherence);
        let call = pin!(self.log.marks(asked.known, &names));
        let Ok((numbers, news)) = self.guard.run(self.witness(), Operation::Read, call).await else {
            return Verdict::Ask;
        };
        if self.apply(coherence, asked, &news) == Applied::Ignored {
            return Verdict::Ask;
        }
        let now = self.clock.now();
        coherence.0.state.lock().judge_told(position, (&names, is_voided), &numbers, now)
    }
}

/// A confirmation in the background; dropped, however that comes, another may begin.
struct Warming(Coherence);

impl Drop for Warming {
    fn drop(&mut self) {
        if let Some(shared) = self.0.shared() {
            shared.warming.store(false, SeqCst);
        }
    }
}

impl Coherence {
    /// Asks the shared log for its position, if there is one, unless somebody has asked since this was called. Who did so in
    /// vain did so for all.
    pub(crate) async fn confirm(&self) -> Result<()> {
        let Some(shared) = self.shared() else { return Ok(()) };
        let came_at = shared.clock.now_exact();
        let before = shared.confirmed_at.load(Relaxed);
        let begun = shared.begun.load(SeqCst);
        let _turn = shared.turn.lock().await;
        if shared.failed.load(SeqCst) > begun {
            // Else each of many would wait for a time-out of its own.
            return Err(Error::new(ErrorKind::Store, "the log of invalidations could not be asked"));
        }
        let confirmed_at = shared.confirmed_at.load(SeqCst);
        if confirmed_at > before && Time::from_nanos(confirmed_at) >= came_at && shared.pending() == 0 {
            return Ok(());
        }
        let this = shared.begun.fetch_add(1, SeqCst) + 1;
        let exchanged = shared.exchange(self).await;
        if exchanged.is_err() {
            shared.failed.store(this, SeqCst);
        }
        exchanged
    }

    /// Asks the shared log for its position, if there is one, unless it was asked later than `since`.
    pub(crate) async fn confirm_since(&self, since: Time) -> Result<()> {
        match self.shared() {
            Some(shared) if Time::from_nanos(shared.confirmed_at.load(SeqCst)) <= since => {
                self.confirm().await
            }
            _ => Ok(()),
        }
    }

    /// Whether the position of the shared log was confirmed lately, or is now; without a shared log it always is.
    pub(crate) async fn is_confirmed(&self) -> bool {
        let Some(shared) = self.shared() else { return true };
        let now = shared.clock.now_exact();
        shared.is_confirmed(self, Time::from_nanos(0), now) || self.confirm().await.is_ok()
    }

    /// Sees to it that something is known of the shared log, before a load begins, whose position is that, and before it is
    /// asked for anything else: what it tells is what happened since.
    pub(crate) async fn begin(&self) {
        let is_unknown = || self.0.state.lock().known.is_none();
        if self.shared().is_some() && is_unknown() {
            // A load is not kept from its source by a log that cannot be reached.
            let _ = self.confirm().await;
        }
    }

    /// Takes what came on a bus; `None` where something may have been missed.
    fn hear(&self, message: Option<&[u8]>) {
        let Some(shared) = self.shared() else { return };
        let is_behind = match message.map(|message| hear(message, shared.outbox.sender())) {
            Some(Hearing::Own) => false,
            Some(Hearing::Heard(heard)) => {
                heard.published.iter().for_each(|address| self.0.copies.written(address));
                let now = shared.clock.now();
                let mut state = self.0.state.lock();
                let missing = heard.marks.iter().fold(false, |missing, (number, names)| {
                    state.hear(heard.era, *number, names, now) | missing
                });
                self.publish_tick(&state);
                missing
            }
            Some(Hearing::Unreadable) => true,
            None => {
                self.0.copies.missed();
                true
            }
        };
        if is_behind {
            shared.warm(self);
        }
    }
}
