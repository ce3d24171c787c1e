//! Some futures at a time, in one: [`warm`](crate::Cache::warm) needs no tasks, and stops when it is dropped.

use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Futures that are under way, each of which is polled when it was woken and not for the others.
pub(crate) struct Several<T> {
    places: Vec<Option<Work<T>>>,
    free: Vec<usize>,
    woken: Arc<Woken>,
}

/// Which places to poll, and who polls them. Held for a push or a swap.
#[derive(Default)]
struct Woken(Mutex<(Vec<usize>, Option<Waker>)>);

struct Place {
    number: usize,
    woken: Arc<Woken>,
}

impl<T> Several<T> {
    pub(crate) fn new() -> Self {
        Several { places: Vec::new(), free: Vec::new(), woken: Arc::default() }
    }

    /// Returns how many are under way.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Begins with the next poll.
    pub(crate) fn push(&mut self, work: Work<T>) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[number] = Some(work);
        self.woken.0.lock().0.push(number);
    }

    /// Returns what the next one gives that ends.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        let mut woken = {
            let mut state = self.woken.0.lock();
            state.1 = Some(cx.waker().clone());
            std::mem::take(&mut state.0)
        };
        while let Some(number) = woken.pop() {
            // One that has ended may be woken once more, and one that was woken twice is there twice.
            let Some(work) = &mut self.places[number] else { continue };
            let waker = Waker::from(Arc::new(Place { number, woken: Arc::clone(&self.woken) }));
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.places[number] = None;
                self.free.push(number);
                self.woken.0.lock().0.append(&mut woken);
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waker = {
            let mut state = self.woken.0.lock();
            state.0.push(self.number);
            state.1.take()
        };
        // Not under the lock: a waker is code of a runtime.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::Waker;
    use tokio::sync::oneshot;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn each_is_polled_when_it_was_woken_and_not_for_the_others() {
        let wakes = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&wakes));
        let mut cx = Context::from_waker(&waker);
        let polls = Arc::new(AtomicUsize::new(0));
        let mut several = Several::new();
        let senders: Vec<_> = (0..3)
            .map(|number| {
                let (sender, mut receiver) = oneshot::channel::<()>();
                let polls = Arc::clone(&polls);
                several.push(Box::pin(poll_fn(move |cx| {
                    polls.fetch_add(1, SeqCst);
                    Pin::new(&mut receiver).poll(cx).map(|_| number)
                })));
                sender
            })
            .collect();

        assert!(several.poll_next(&mut cx).is_pending());
        assert_eq!((polls.load(SeqCst), several.len()), (3, 3));
        assert!(several.poll_next(&mut cx).is_pending());
        assert_eq!(polls.load(SeqCst), 3);
        for (number, sender) in senders.into_iter().enumerate().rev() {
            sender.send(()).unwrap();
            assert_eq!(several.poll_next(&mut cx), Poll::Ready(number));
            assert!(several.poll_next(&mut cx).is_pending());
        }
        assert_eq!((polls.load(SeqCst), wakes.0.load(SeqCst), several.len()), (6, 3, 0));
    }

    #[test]
    fn none_is_forgotten_when_several_end_at_once() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut several = Several::new();
        (0..3).for_each(|number| several.push(Box::pin(std::future::ready(number))));
        let mut ended: Vec<i32> = std::iter::from_fn(|| match several.poll_next(&mut cx) {
            Poll::Ready(number) => Some(number),
            Poll::Pending => None,
        })
        .collect();
        ended.sort_unstable();
        assert_eq!(ended, [0, 1, 2]);
        several.push(Box::pin(std::future::ready(3)));
        assert_eq!(several.poll_next(&mut cx), Poll::Ready(3), "in the place of one that ended");
    }
}
