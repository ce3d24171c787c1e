//! How a cache is made of its settings.

use super::setting::{Setting, Value};
use super::settings::Resolved;
use crate::{BoxedBytes, Cache, Clock, Codec, Format, Holds, Key, Lookup, Memory, Native};
use std::sync::Arc;
use std::time::Duration;

/// How many entries a memory holds unless somebody says otherwise.
pub(super) const CAPACITY: usize = 10_000;

type Time = Option<Arc<dyn Clock>>;

/// Makes the memory in front, or alone.
pub(super) fn memory<K, V>(name: &str, settings: &Resolved) -> Cache<K, V, Memory<K, V>, Native>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
{
    let capacity = match settings.get(Setting::Capacity) {
        Some(Value::Entries(entries)) => *entries,
        _ => CAPACITY,
    };
    Cache::new(Memory::new(capacity)).name(name)
}

/// Makes a cache of memory alone.
pub(super) fn alone<K, V>(name: &str, settings: &Resolved, time: &Time) -> Cache<K, V, Memory<K, V>, Native>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
{
    governed(memory(name, settings), settings, time)
}

/// Makes a cache of memory with a store behind it.
pub(super) fn over<K, V, C>(
    name: &str,
    settings: &Resolved,
    time: &Time,
    store: BoxedBytes,
    codec: C,
) -> Cache<K, V>
where
    K: ?Sized + Key,
    V: Clone + Send + Sync + 'static,
    C: Codec<V> + Format,
{
    let namespace = match settings.get(Setting::Namespace) {
        Some(Value::Text(namespace)) => namespace,
        _ => name,
    };
    let mut back = Cache::new(store).codec(codec).namespace(namespace);
    if let Some(span) = span(settings, Setting::LevelTimeout) {
        back = back.level_timeout(span);
    }
    governed(memory(name, settings).chain(back), settings, time).boxed()
}

/// Says of the whole what governs it.
fn governed<K, V, S, C>(cache: Cache<K, V, S, C>, settings: &Resolved, time: &Time) -> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    let mut cache = match time {
        Some(clock) => cache.clock(Arc::clone(clock)),
        None => cache,
    };
    for setting in Setting::ALL {
        cache = match (setting, settings.get(setting)) {
            (Setting::Ttl, Some(Value::Span(ttl))) => cache.ttl(*ttl),
            (Setting::Stale, Some(Value::Span(window))) => cache.stale(*window),
            (Setting::StaleIfError, Some(Value::Span(window))) => cache.stale_if_error(*window),
            (Setting::RetryAfter, Some(Value::Span(delay))) => cache.retry_after(*delay),
            (Setting::Jitter, Some(Value::Fraction(fraction))) => cache.jitter(*fraction),
            (Setting::SoftTimeout, Some(Value::Span(limit))) => cache.soft_timeout(*limit),
            (Setting::HardTimeout, Some(Value::Span(limit))) => cache.hard_timeout(*limit),
            (Setting::RefreshAhead, Some(Value::Fraction(fraction))) => cache.refresh_ahead(*fraction),
            _ => cache,
        };
    }
    cache
}

fn span(settings: &Resolved, setting: Setting) -> Option<Duration> {
    match settings.get(setting) {
        Some(Value::Span(span)) => Some(*span),
        _ => None,
    }
}
