//! Where the keys to be warmed come from, one at a time.

use futures_core::Stream;
use std::task::{Context, Poll};

type Next<'a, K> = dyn FnMut(&mut Context<'_>) -> Poll<Option<K>> + Send + 'a;

/// Keys of an iterator or a stream, numbered.
pub(crate) struct Keys<'a, K> {
    next: Box<Next<'a, K>>,
    total: Option<usize>,
    given: usize,
    is_over: bool,
}

impl<'a, K> Keys<'a, K> {
    pub(crate) fn of<I>(keys: I) -> Self
    where
        I: IntoIterator<Item: Into<K> + 'a, IntoIter: Send + 'a>,
    {
        let mut keys = keys.into_iter();
        let total = exactly(keys.size_hint());
        Self::new(total, Box::new(move |_| Poll::Ready(keys.next().map(Into::into))))
    }

    pub(crate) fn of_stream(keys: impl Stream<Item: Into<K>> + Send + 'a) -> Self {
        let mut keys = Box::pin(keys);
        let total = exactly(keys.size_hint());
        Self::new(total, Box::new(move |cx| keys.as_mut().poll_next(cx).map(|key| key.map(Into::into))))
    }

    fn new(total: Option<usize>, next: Box<Next<'a, K>>) -> Self {
        Keys { next, total, given: 0, is_over: false }
    }

    /// Returns how many there are, if that is known.
    pub(crate) fn total(&self) -> Option<usize> {
        self.total
    }

    /// Whether all were given.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns the next one with its number. Nothing is asked after its end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, K)>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        (self.next)(cx).map(|key| {
            let number = self.given;
            self.given += 1;
            self.is_over = key.is_none();
            key.map(|key| (number, key))
        })
    }
}

fn exactly(hint: (usize, Option<usize>)) -> Option<usize> {
    hint.1.filter(|most| *most == hint.0)
}
