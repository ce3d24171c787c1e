//! A copy of the value under one key, which is read without looking anything up: what a [`Refreshed`](crate::Refreshed) and a
//! [`Mirror`](crate::Mirror) hold.

use crate::coherence::{Copy, Names, Verdict};
use crate::dependencies::note_use;
use crate::{Clock, Coherence, Entry, Time};
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::Notify;

/// See the module.
pub(crate) struct Follower<V> {
    current: ArcSwapOption<Entry<V>>,
    clock: Arc<dyn Clock>,
    coherence: Coherence,
    /// The key as other processes know it, where the group is one of several processes.
    address: Option<String>,
    /// Whether it holds what it has until there is another value, whatever was invalidated.
    is_mirror: bool,
    /// The copy is gone, and nobody has looked since.
    is_gone: AtomicBool,
    /// It is known that the store has another value.
    is_outdated: AtomicBool,
    /// Told when the copy is gone or outdated, or wanted again after a time in which nobody read it.
    pub(crate) wake: Notify,
    /// Told when there is another value, and of what else those wait for who wait for one.
    pub(crate) changed: Notify,
    was_read: AtomicBool,
    /// Nobody has read it for long, and it is not kept up to date until somebody does.
    sleeps: AtomicBool,
}

impl<V: Clone> Follower<V> {
    pub(crate) fn new(clock: &Arc<dyn Clock>, coherence: &Coherence, address: Option<String>) -> Self {
        Follower {
            current: ArcSwapOption::empty(),
            clock: Arc::clone(clock),
            coherence: coherence.clone(),
            address,
            is_mirror: false,
            is_gone: AtomicBool::new(false),
            is_outdated: AtomicBool::new(false),
            wake: Notify::new(),
            changed: Notify::new(),
            was_read: AtomicBool::new(false),
            sleeps: AtomicBool::new(false),
        }
    }

    /// One that holds what it has until there is another value.
    pub(crate) fn mirror(self) -> Self {
        Follower { is_mirror: true, ..self }
    }

    /// The value, if there is one that nobody has invalidated. It may be as old as it likes.
    #[inline]
    pub(crate) fn get(&self) -> Option<V> {
        if !self.was_read.load(Relaxed) {
            self.note_read();
        }
        let current = self.current.load();
        let entry = current.as_ref()?;
        // What has no names can only be replaced.
        if entry.watch().is_none() { Some(entry.value().clone()) } else { self.get_watched(entry) }
    }

    #[inline(never)]
    fn get_watched(&self, entry: &Arc<Entry<V>>) -> Option<V> {
        if !self.is_sound(entry) {
            return None;
        }
        note_use(entry, &self.coherence);
        Some(entry.value().clone())
    }

    /// Whether nothing of the entry was invalidated, as far as this process has heard. If something was, it goes.
    fn is_sound(&self, entry: &Arc<Entry<V>>) -> bool {
        let Some(watch) = entry.watch().filter(|_| !self.is_mirror) else { return true };
        let now = self.clock.now();
        if self.coherence.is_calm(watch, now) {
            return true;
        }
        let names = Names { key: self.address.as_deref(), tags: entry.tags() };
        match self.coherence.judge(watch, names, now) {
            // Whatever the log may say when it is asked: here the last value that is known of is what is wanted.
            Verdict::Sound | Verdict::Ask => true,
            Verdict::Void | Verdict::Expired(_) => {
                let gone = self.current.compare_and_swap(entry, None);
                if gone.as_ref().is_some_and(|gone| Arc::ptr_eq(gone, entry)) {
                    self.note_gone();
                }
                false
            }
        }
    }

    /// How long ago the load of what there is began.
    pub(crate) fn age(&self) -> Option<Duration> {
        let current = self.current.load();
        let entry = current.as_ref().filter(|entry| self.is_sound(entry))?;
        Some(entry.age(self.clock.now_exact()))
    }

    /// Whether there is nothing that could be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.age().is_none()
    }

    /// Whether the copy has gone since this was asked the last time, and there is no other.
    pub(crate) fn take_missed(&self) -> bool {
        // Looked at first: what was invalidated may be noticed by that.
        let is_empty = self.is_empty();
        self.is_gone.swap(false, SeqCst) && is_empty
    }

    fn note_gone(&self) {
        self.is_gone.store(true, SeqCst);
        self.wake.notify_one();
    }

    /// Whether it was said that the store has another value, since this was asked the last time.
    pub(crate) fn take_outdated(&self) -> bool {
        self.is_outdated.swap(false, SeqCst)
    }

    /// Puts what is there now in place of what was, and returns that: to be dropped when nothing is locked.
    #[must_use = "its value's destructor is code of the user"]
    pub(crate) fn replace(&self, entry: Option<Entry<V>>) -> Option<Arc<Entry<V>>> {
        let is_gone = entry.is_none();
        let before = self.current.swap(entry.map(Arc::new));
        if !is_gone {
            self.changed.notify_waiters();
        } else if before.is_some() && !self.is_mirror {
            // To a mirror that is the store's answer.
            self.note_gone();
        }
        before
    }

    /// As [`replace`](Self::replace), if it is not older than what is there. Of those who do this one has his turn after the
    /// other.
    #[must_use = "its value's destructor is code of the user"]
    pub(crate) fn renew(&self, entry: Entry<V>) -> Option<Arc<Entry<V>>> {
        let since = |entry: &Entry<V>| entry.loaded_at();
        let is_older = self.current.load().as_ref().is_some_and(|current| since(&entry) < since(current));
        if is_older { Some(Arc::new(entry)) } else { self.replace(Some(entry)) }
    }

    #[cold]
    fn note_read(&self) {
        self.was_read.store(true, SeqCst);
        if self.sleeps.load(SeqCst) {
            self.wake.notify_one();
        }
    }

    /// Whether it was read since this was asked the last time.
    pub(crate) fn take_read(&self) -> bool {
        self.was_read.swap(false, SeqCst)
    }

    /// Waits until somebody reads it, or until it is to `stop`.
    pub(crate) async fn sleep(&self, stop: impl Fn() -> bool + Send)
    where
        V: Send + Sync,
    {
        self.sleeps.store(true, SeqCst);
        while !self.was_read.load(SeqCst) && !stop() {
            self.wake.notified().await;
        }
        self.sleeps.store(false, SeqCst);
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now_exact()
    }
}

impl<V: Send + Sync> Copy for Follower<V> {
    fn is_outdated(&self) {
        self.is_outdated.store(true, SeqCst);
        self.wake.notify_one();
    }
}
