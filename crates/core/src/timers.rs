//! The timers of the system clock: one thread, which needs no runtime.
//!
//! tokio's timers panic where a runtime has no time driver, and a future that `block_on` of another executor drives
//! has no runtime at all. A cache must bound a store's answer there too.
//!
//! Nearly all of these timers bound something that ends long before them, and are dropped. So a new one wakes the
//! thread only if it is due before the moment at which the thread looks again anyway: a thousand time-outs of one
//! second a second cost one wake-up, and a timer that was dropped none.

use crate::system_clock::exact_instant;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// A timer that ends `span` after it was made.
#[derive(Debug)]
pub(crate) struct Timer {
    /// `None` where the moment lies past what an `Instant` can say: it never comes.
    due: Option<Instant>,
    /// Distinguishes timers that are due together; `None` before the first wait.
    number: Option<u64>,
}

impl Timer {
    pub(crate) fn new(span: Duration) -> Self {
        Timer { due: exact_instant().checked_add(span), number: None }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.due else { return Poll::Pending };
        if exact_instant() >= due {
            return Poll::Ready(());
        }
        // Cloned before the lock and dropped after it: wakers are code of the executor.
        let waker = cx.waker().clone();
        let before = TIMERS.wait(due, &mut self.number, waker);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let (Some(due), Some(number)) = (self.due, self.number) {
            let waker = TIMERS.state.lock().waiting.remove(&(due, number));
            // After the lock: the last waker of a task may drop that task, and with it other timers.
            drop(waker);
        }
    }
}

/// See the module.
struct Timers {
    /// Held to add, to take out, or to find what is due; no waker is called or dropped under it.
    state: Mutex<State>,
    /// Wakes the thread for a timer that is due before it looks again.
    earlier: Condvar,
}

struct State {
    /// By due time, then by the order of making.
    waiting: BTreeMap<(Instant, u64), Waker>,
    next_number: u64,
    /// When the thread, if it waits, looks again by itself.
    looks_at: Option<Instant>,
    /// Whether the thread could be had. If not, the next timer tries again.
    has_thread: bool,
}

static TIMERS: Timers = Timers {
    state: Mutex::new(State { waiting: BTreeMap::new(), next_number: 0, looks_at: None, has_thread: false }),
    earlier: Condvar::new(),
};

/// How long the thread waits at most: it looks once an hour even if there is nothing to do.
const AT_LEAST_EVERY: Duration = Duration::from_secs(3600);

impl Timers {
    /// Has `waker` called when `due` comes. Returns the waker that the timer had before.
    fn wait(&'static self, due: Instant, number: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let mut state = self.state.lock();
        let state = &mut *state;
        if !state.has_thread {
            state.has_thread = Builder::new().name("larder-timers".into()).spawn(|| self.run()).is_ok();
        }
        let number = *number.get_or_insert_with(|| {
            state.next_number += 1;
            state.next_number
        });
        if state.looks_at.is_some_and(|looks_at| due < looks_at) {
            state.looks_at = Some(due);
            self.earlier.notify_one();
        }
        state.waiting.insert((due, number), waker)
    }

    fn run(&self) {
        loop {
            for waker in self.wait_for_due() {
                // A panic of one executor must not take the timers from all others.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            }
        }
    }

    /// Waits until some timers are due, and takes them out.
    fn wait_for_due(&self) -> Vec<Waker> {
        let mut state = self.state.lock();
        loop {
            let now = exact_instant();
            let mut due = Vec::new();
            while let Some(first) = state.waiting.first_entry()
                && first.key().0 <= now
            {
                due.push(first.remove());
            }
            if !due.is_empty() {
                // At work, it looks again by itself.
                state.looks_at = None;
                return due;
            }
            let next = state.waiting.first_key_value().map(|(key, _)| key.0);
            let looks_at = next.unwrap_or(now + AT_LEAST_EVERY).min(now + AT_LEAST_EVERY);
            state.looks_at = Some(looks_at);
            self.earlier.wait_until(&mut state, looks_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::task::Wake;

    const MILLI: Duration = Duration::from_millis(1);
    const HOUR: Duration = Duration::from_secs(3600);

    fn is_pending(timer: Pin<&mut Timer>, waker: &Waker) -> bool {
        timer.poll(&mut Context::from_waker(waker)).is_pending()
    }

    /// Whether the timer is in the table.
    fn is_held(timer: &Timer) -> bool {
        let key = timer.due.zip(timer.number);
        key.is_some_and(|key| TIMERS.state.lock().waiting.contains_key(&key))
    }

    #[test]
    fn a_timer_ends_without_any_runtime_and_not_before_its_time() {
        let begun = exact_instant();
        block_on(Timer::new(5 * MILLI));
        assert!(begun.elapsed() >= 5 * MILLI);
    }

    #[test]
    fn a_timer_ends_in_a_runtime_without_a_time_driver() {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(Timer::new(MILLI));
    }

    #[test]
    fn a_short_timer_does_not_wait_for_a_long_one_that_was_there_before() {
        let mut long = pin!(Timer::new(HOUR / 2));
        assert!(is_pending(long.as_mut(), Waker::noop()));
        // So that the thread waits for the long one, if it waits for nothing shorter.
        block_on(Timer::new(MILLI));
        block_on(Timer::new(MILLI));
    }

    #[test]
    fn timers_that_are_due_together_all_end() {
        block_on(futures::future::join_all((0..1_000).map(|_| Timer::new(2 * MILLI))));
    }

    #[test]
    fn a_dropped_timer_is_forgotten_and_one_for_ever_never_held() {
        let mut timer = Box::pin(Timer::new(HOUR));
        assert!(is_pending(timer.as_mut(), Waker::noop()));
        let key = (timer.due.unwrap(), timer.number.unwrap());
        assert!(is_held(&timer));
        drop(timer);
        assert!(!TIMERS.state.lock().waiting.contains_key(&key));

        let mut endless = pin!(Timer::new(Duration::MAX));
        assert!(is_pending(endless.as_mut(), Waker::noop()));
        assert!(!is_held(&endless));
    }

    #[test]
    fn timers_that_are_not_the_earliest_do_not_disturb_the_thread() {
        let mut first = pin!(Timer::new(HOUR / 4));
        assert!(is_pending(first.as_mut(), Waker::noop()));
        let looks_at = || TIMERS.state.lock().looks_at;
        for _ in 0..1_000 {
            let mut later = pin!(Timer::new(HOUR / 2));
            assert!(is_pending(later.as_mut(), Waker::noop()));
            // Other tests have shorter timers; none of ours is what the thread waits for.
            assert_ne!(looks_at(), later.due);
        }
    }

    #[test]
    fn a_waker_that_panics_does_not_end_the_others_timers() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("a waker that panics");
            }
        }
        let mut timer = pin!(Timer::new(MILLI));
        assert!(is_pending(timer.as_mut(), &Waker::from(Arc::new(Panics))));
        block_on(Timer::new(5 * MILLI));
        block_on(Timer::new(MILLI));
    }

    #[test]
    fn a_waker_may_set_and_drop_timers_when_it_is_called_and_when_it_is_dropped() {
        struct Meddles(Sender<()>);
        impl Meddles {
            fn meddle(&self) {
                let mut timer = Box::pin(Timer::new(HOUR));
                let _ = is_pending(timer.as_mut(), Waker::noop());
                drop(timer);
                let _ = self.0.send(());
            }
        }
        impl Wake for Meddles {
            fn wake(self: Arc<Self>) {
                self.meddle();
            }
        }
        impl Drop for Meddles {
            fn drop(&mut self) {
                self.meddle();
            }
        }
        let (tell, told) = channel();
        let meddling = || Waker::from(Arc::new(Meddles(tell.clone())));

        let mut called = pin!(Timer::new(MILLI));
        assert!(is_pending(called.as_mut(), &meddling()));
        told.recv().unwrap();

        let mut replaced = pin!(Timer::new(HOUR));
        assert!(is_pending(replaced.as_mut(), &meddling()));
        assert!(is_pending(replaced.as_mut(), Waker::noop()));
        told.recv().unwrap();

        let mut dropped = Box::pin(Timer::new(HOUR));
        assert!(is_pending(dropped.as_mut(), &meddling()));
        drop(dropped);
        told.recv().unwrap();
    }
}
