//! What this process tells the shared log, and what it does where that cannot be told.

use super::{GUARD_FOR, Shared};
use crate::coherence::Coherence;
use crate::coherence::pending::Pending;
use crate::coherence::state::{Applied, Asked};
use crate::event::Operation;
use crate::guard::{Guard, Witness};
use crate::planted::{self, Bug};
use crate::record::Token;
use crate::shared_log::{Invalidation, Name, News, Position};
use crate::spawn::{in_turn, spawn};
use crate::{Error, Result, Time};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

impl Shared {
    /// The names that were told and are not pending again.
    pub(super) fn told(&self, told: &Pending) -> Vec<Name> {
        let pending = self.pending.lock().names();
        told.names().into_iter().filter(|name| !pending.contains(name)).collect()
    }

    pub(super) async fn number_pending(&self, asked: Asked, pending: &Pending) -> Result<News> {
        self.counts.retried.add();
        let news = if pending.is_everything() {
            // Who knows more than the log has makes it begin a new era, in which nothing of the older is valid.
            let beyond = |known: Position| Position { number: known.number + (1 << 32), ..known };
            let news = pin!(self.log.news(asked.known.map(beyond)));
            self.guard.run(self.witness(), Operation::Remove, news).await?
        } else {
            let (voids, names) = (pending.voids().collect::<Vec<_>>(), pending.names());
            let invalidation = Invalidation { voids: &voids, guard_for: GUARD_FOR, names: &names };
            let call = pin!(self.log.invalidate(asked.known, invalidation));
            self.guard.run(self.witness(), Operation::Remove, call).await?.news
        };
        // Where no position is known yet, nothing of the older era was given up.
        if asked.known.is_some() || !pending.is_everything() {
            self.pending.lock().done(pending);
        }
        Ok(news)
    }

    /// Numbers what waits to be, if anything does: before a record is read.
    pub(super) async fn flush(&self, coherence: &Coherence) -> Result<()> {
        if self.pending.lock().is_empty() { Ok(()) } else { self.exchange(coherence).await }
    }

    /// Invalidates names, in a task: once begun it goes on to the end.
    pub(in crate::coherence) async fn invalidate_names(
        &self,
        coherence: &Coherence,
        names: &[Name],
        now: Time,
    ) -> Result<()> {
        let (coherence, names) = (coherence.clone(), names.to_vec());
        let work = async move |()| match coherence.shared() {
            Some(shared) => shared.invalidate(&coherence, &[], &names, now, None).await.map(drop),
            None => Ok(()),
        };
        in_turn(std::future::ready(()), work).await
    }

    /// Voids records and numbers names, through the guard of a level or that of the log; then marks them here, and tells
    /// the bus. Returns the tokens of the voided records. If the log cannot be reached, the names are marked here at once,
    /// and numbered with what is asked next.
    pub(crate) async fn invalidate(
        &self,
        coherence: &Coherence,
        voids: &[&str],
        names: &[Name],
        now: Time,
        through: Option<(&Guard, Witness<'_>)>,
    ) -> Result<Vec<Token>> {
        coherence.begin().await;
        if planted::is(Bug::MarkBeforeAnswer) {
            coherence.mark(names, now);
        }
        let asked = self.asked(coherence);
        let pending = self.pending.lock().clone();
        let all_voids: Vec<&str> = voids.iter().copied().chain(pending.voids()).collect();
        let all_names: Vec<Name> = names.iter().cloned().chain(pending.names()).collect();
        let invalidation = Invalidation { voids: &all_voids, guard_for: GUARD_FOR, names: &all_names };
        let call = pin!(self.log.invalidate(asked.known, invalidation));
        let answer = match through {
            Some((guard, witness)) => guard.run(witness, Operation::Remove, call).await,
            None => self.guard.run(self.witness(), Operation::Remove, call).await,
        };
        match answer {
            Ok(mut done) => {
                if !pending.is_everything() {
                    self.pending.lock().done(&pending);
                }
                if planted::is(Bug::MarkBeforeAnswer)
                    && let Some(since) = &mut done.news.since
                {
                    since.retain(|(name, _)| !names.contains(name));
                    self.apply(coherence, asked, &done.news);
                    coherence.0.state.lock().number(names, done.number);
                    done.tokens.truncate(voids.len());
                    return Ok(done.tokens);
                }
                if self.apply(coherence, asked, &done.news) == Applied::Ignored {
                    // What is put next begins at this number or later.
                    let _ = coherence.confirm().await;
                }
                let numbered = Position { era: done.news.position.era, number: done.number };
                coherence.number(names, &self.told(&pending), numbered, now);
                self.outbox.send(done.news.position.era, done.number, all_names.clone());
                done.tokens.truncate(voids.len());
                Ok(done.tokens)
            }
            Err(error) => {
                if !planted::is(Bug::FailureForgotten) {
                    coherence.mark(names, now);
                    self.pending.lock().add(voids, names);
                    self.retry(coherence);
                }
                let cure = "it holds in this process, and will be told to the others as soon as the log can be reached";
                Err(Error::new(error.kind(), format!("the invalidation is pending: {cure}"))
                    .caused_by(Arc::new(error)))
            }
        }
    }

    /// Tries, with growing pauses, until nothing is pending.
    fn retry(&self, coherence: &Coherence) {
        if self.retrying.swap(true, SeqCst) {
            return;
        }
        let (group, clock) = (Arc::downgrade(&coherence.0), Arc::clone(&self.clock));
        let task = async move {
            let mut pause = Duration::from_millis(100);
            loop {
                clock.sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(30));
                let Some(coherence) = group.upgrade().map(Coherence) else { return };
                let Some(shared) = coherence.shared() else { return };
                let _ = coherence.confirm().await;
                if shared.pending.lock().is_empty() {
                    shared.retrying.store(false, SeqCst);
                    // What came in between found somebody at work.
                    if shared.pending.lock().is_empty() || shared.retrying.swap(true, SeqCst) {
                        return;
                    }
                }
            }
        };
        if spawn(task).is_err() {
            // Whoever asks the log next flushes it.
            self.retrying.store(false, SeqCst);
        }
    }
}

impl Coherence {
    /// Marks names that were numbered, whether the answer told so or not; and what was pending has a number now.
    fn number(&self, names: &[Name], pending: &[Name], numbered: Position, now: Time) {
        let mut state = self.0.state.lock();
        state.number(pending, numbered.number);
        state.mark_numbered(names, numbered, now);
        self.publish_tick(&state);
    }
}
