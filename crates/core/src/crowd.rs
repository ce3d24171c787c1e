//! Many futures in one task: each is polled when it was woken, and not for the others.

use crate::sync::{AtomicBool, Mutex};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Wake, Waker};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// See the module.
pub(crate) struct Crowd<'a, T> {
    members: Vec<Option<Member<'a, T>>>,
    /// Places of those that have ended.
    free: Vec<usize>,
    woken: Arc<Woken>,
}

struct Member<'a, T> {
    future: BoxFuture<'a, T>,
    call: Arc<Call>,
    waker: Waker,
}

#[derive(Default)]
struct Woken {
    /// Held to note a number or to take them all; wakers are woken outside of it.
    state: Mutex<(Vec<usize>, Option<Waker>)>,
}

/// Wakes one member.
struct Call {
    number: usize,
    is_woken: AtomicBool,
    woken: Arc<Woken>,
}

impl<T> Default for Crowd<'_, T> {
    fn default() -> Self {
        Crowd { members: Vec::new(), free: Vec::new(), woken: Arc::default() }
    }
}

impl<'a, T> Crowd<'a, T> {
    /// Adds a future, to be polled with the others next time.
    pub(crate) fn add(&mut self, future: BoxFuture<'a, T>) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.members.push(None);
            self.members.len() - 1
        });
        let call = Arc::new(Call { number, is_woken: AtomicBool::new(true), woken: Arc::clone(&self.woken) });
        let waker = Waker::from(Arc::clone(&call));
        self.members[number] = Some(Member { future, call, waker });
        self.woken.state.lock().0.push(number);
    }

    /// Returns how many have not ended.
    pub(crate) fn len(&self) -> usize {
        self.members.len() - self.free.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether some would be polled now.
    pub(crate) fn has_woken(&self) -> bool {
        !self.woken.state.lock().0.is_empty()
    }

    /// Polls once each of those that were woken, and says which have ended. Whoever is woken from now on wakes the task.
    pub(crate) fn poll_woken(&mut self, cx: &mut Context<'_>, mut ended: impl FnMut(T)) {
        let numbers = {
            let mut state = self.woken.state.lock();
            state.1 = Some(cx.waker().clone());
            std::mem::take(&mut state.0)
        };
        for number in numbers {
            // One that has ended may be woken once more; another that has its place by then is polled in vain.
            let Some(member) = &mut self.members[number] else { continue };
            // Before the poll: who is woken in the middle of it is polled again.
            member.call.is_woken.store(false, SeqCst);
            if let Poll::Ready(end) = member.future.as_mut().poll(&mut Context::from_waker(&member.waker)) {
                self.members[number] = None;
                self.free.push(number);
                ended(end);
            }
        }
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_woken.swap(true, SeqCst) {
            return;
        }
        let task = {
            let mut state = self.woken.state.lock();
            state.0.push(self.number);
            state.1.clone()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// Does all of it, at most so many at a time, and returns what each came to, in their order.
pub(crate) async fn all_of<'a, T: Send>(
    most: usize,
    futures: impl IntoIterator<Item = BoxFuture<'a, T>, IntoIter: Send>,
) -> Vec<T> {
    let (mut futures, mut crowd) = (futures.into_iter().enumerate().fuse(), Crowd::default());
    let mut ends: Vec<Option<T>> = Vec::new();
    poll_fn(|cx| {
        loop {
            while crowd.len() < most
                && let Some((number, future)) = futures.next()
            {
                crowd.add(Box::pin(async move { (number, future.await) }));
                ends.push(None);
            }
            if crowd.is_empty() {
                return Poll::Ready(());
            }
            let left = crowd.len();
            crowd.poll_woken(cx, |(number, end): (usize, T)| ends[number] = Some(end));
            if crowd.len() == left {
                return Poll::Pending;
            }
        }
    })
    .await;
    // All have ended.
    ends.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::sync::Notify;

    #[tokio::test]
    async fn what_was_not_woken_is_not_polled_again() {
        let (polls, end) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let sleeper = |number: usize| -> BoxFuture<'static, usize> {
            let (polls, end) = (Arc::clone(&polls), Arc::clone(&end));
            Box::pin(async move {
                let mut end = Box::pin(async move { end.notified().await });
                poll_fn(move |cx| {
                    polls.fetch_add(1, SeqCst);
                    end.as_mut().poll(cx)
                })
                .await;
                number
            })
        };
        let all = tokio::spawn(all_of(usize::MAX, (0..100).map(sleeper).collect::<Vec<_>>()));
        while polls.load(SeqCst) < 100 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            end.notify_one();
            tokio::task::yield_now().await;
        }
        assert_eq!(all.await.unwrap(), (0..100).collect::<Vec<_>>());
        assert_eq!(polls.load(SeqCst), 200, "once to begin with, and once to end");
    }

    #[tokio::test]
    async fn no_more_are_begun_than_may_run() {
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let job = |_| -> BoxFuture<'_, ()> {
            Box::pin(async {
                most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, SeqCst);
            })
        };
        assert_eq!(all_of(3, (0..10).map(job).collect::<Vec<_>>()).await.len(), 10);
        assert_eq!(most.load(SeqCst), 3);
    }

    #[test]
    fn the_places_of_those_that_have_ended_are_taken_again() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut crowd = Crowd::default();
        let mut ended = Vec::new();
        for round in 0..3 {
            (0..3).for_each(|number| crowd.add(Box::pin(std::future::ready(3 * round + number))));
            assert_eq!(crowd.len(), 3);
            crowd.poll_woken(&mut cx, |number| ended.push(number));
            assert!(crowd.is_empty());
        }
        ended.sort_unstable();
        assert_eq!((ended, crowd.members.len()), ((0..9).collect(), 3));
    }
}
