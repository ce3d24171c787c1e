// Every method of the store is done at its first poll, so tests need no runtime.

use larder_core::{Entry, Store, Time, Usage};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Returns what the future resolves to when it is first polled.
pub(crate) fn at_once<T>(future: impl Future<Output = larder_core::Result<T>>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.expect("nothing in memory can fail"),
        Poll::Pending => panic!("the future waits"),
    }
}

pub(crate) fn at(seconds: u64) -> Time {
    Time::from_nanos(0).after(Duration::from_secs(seconds))
}

/// Inserts a value without a deadline.
pub(crate) fn keep<K: ?Sized, V>(store: &impl Store<K, Value = V>, key: &K, value: V) {
    at_once(store.insert(key, Entry::new(value, at(0))));
}

/// Inserts a value that is dead after so many seconds.
pub(crate) fn keep_until<K: ?Sized, V>(store: &impl Store<K, Value = V>, key: &K, value: V, seconds: u64) {
    let life = Duration::from_secs(seconds);
    at_once(store.insert(key, Entry::new(value, at(0)).fresh_for(life)));
}

pub(crate) fn value<K: ?Sized, V>(store: &impl Store<K, Value = V>, key: &K) -> Option<V> {
    at_once(store.get(key)).map(Entry::into_value)
}

pub(crate) fn usage<K: ?Sized>(store: &impl Store<K>) -> Usage {
    store.usage().expect("memory knows its usage")
}
