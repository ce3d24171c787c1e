//! What governs loads: time-outs, what is done about failures, what is stored under which tags, and what is
//! remembered.
//!
//! A level behind another one does not load, so these are said on the left side of `.chain` or after it.

use crate::ahead::Ahead;
use crate::load_lock::LoadLock;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(crate) struct LoadRules<K: ?Sized, V> {
    pub(crate) retry_after: Option<Duration>,
    pub(crate) soft_timeout: Option<Duration>,
    pub(crate) hard_timeout: Option<Duration>,
    pub(crate) max_load_time: Option<Duration>,
    pub(crate) ahead: Option<Ahead>,
    pub(crate) cache_if: Option<Arc<Predicate<V>>>,
    pub(crate) negative: Option<Negative<V>>,
    /// For each type of error, how long which errors are remembered.
    pub(crate) cache_errors: Vec<Arc<RememberError>>,
    pub(crate) fallback: Option<Arc<Fallback<K, V>>>,
    pub(crate) tags: Option<Arc<Tags<K, V>>>,
    /// Whether a value lives no longer than what it was made from.
    pub(crate) is_capped: bool,
    /// What has one process at a time load a key.
    pub(crate) lock: Option<Arc<LoadLock>>,
}

pub(crate) type Predicate<V> = dyn Fn(&V) -> bool + Send + Sync;
pub(crate) type Fallback<K, V> = dyn Fn(&K) -> V + Send + Sync;
/// Hands the tags of a value to its last argument.
pub(crate) type Tags<K, V> = dyn Fn(&K, &V, &mut dyn FnMut(&str)) + Send + Sync;
/// How long to remember an error; `None` where it is of another type, or not to be remembered.
pub(crate) type RememberError = dyn Fn(&(dyn Any + Send + Sync)) -> Option<Duration> + Send + Sync;

/// What is absent, and how long that is remembered.
pub(crate) struct Negative<V> {
    pub(crate) ttl: Duration,
    pub(crate) is_absent: fn(&V) -> bool,
}

impl<K: ?Sized, V> LoadRules<K, V> {
    /// Returns the method that said any of this.
    pub(crate) fn said(&self) -> Option<&'static str> {
        let ahead = match self.ahead {
            None => None,
            Some(Ahead::At(_)) => Some("refresh_ahead"),
            Some(Ahead::Early(_)) => Some("early_expiration"),
        };
        let rules = [
            (self.retry_after.is_some(), "retry_after"),
            (self.soft_timeout.is_some(), "soft_timeout"),
            (self.hard_timeout.is_some(), "hard_timeout"),
            (self.max_load_time.is_some(), "max_load_time"),
            (self.cache_if.is_some(), "cache_if"),
            (self.negative.is_some(), "negative"),
            (!self.cache_errors.is_empty(), "cache_errors"),
            (self.fallback.is_some(), "fallback"),
            (self.tags.is_some(), "tags"),
            (self.is_capped, "capped_by_dependencies"),
            (self.lock.is_some(), "lock"),
        ];
        ahead.or_else(|| rules.iter().find(|(said, _)| *said).map(|(_, method)| *method))
    }

    /// For how long to remember an error. If the user's code panics, it is not remembered: the callers are to get it.
    pub(crate) fn remember(&self, error: &(dyn Any + Send + Sync)) -> Option<Duration> {
        let remember = || self.cache_errors.iter().find_map(|remember| remember(error));
        catch_unwind(AssertUnwindSafe(remember)).ok().flatten()
    }

    /// Whether the value may be stored.
    pub(crate) fn admits(&self, value: &V) -> bool {
        self.cache_if.as_ref().is_none_or(|admits| admits(value))
    }

    /// Whether the value stands for absence, and for how long.
    pub(crate) fn absent(&self, value: &V) -> Option<Duration> {
        self.negative.as_ref().filter(|negative| (negative.is_absent)(value)).map(|negative| negative.ttl)
    }

    /// How long a load may take at all. A load that is ten times as slow as callers wait for is taken for hung: it
    /// would keep its key for ever.
    pub(crate) fn longest(&self) -> Option<Duration> {
        self.max_load_time.or_else(|| Some(self.hard_timeout?.saturating_mul(10)))
    }
}

impl<K: ?Sized, V> LoadRules<K, V> {
    /// The same rules for values of another type.
    #[track_caller]
    pub(crate) fn retyped<W>(&self) -> LoadRules<K, W> {
        let typed = [
            (self.cache_if.is_some(), "cache_if"),
            (self.negative.is_some(), "negative"),
            (self.fallback.is_some(), "fallback"),
            (self.tags.is_some(), "tags"),
        ];
        if let Some((_, method)) = typed.iter().find(|(said, _)| *said) {
            panic!("`.{method}` before `.codec` is of another type of value: say `.codec` first");
        }
        LoadRules {
            retry_after: self.retry_after,
            soft_timeout: self.soft_timeout,
            hard_timeout: self.hard_timeout,
            max_load_time: self.max_load_time,
            ahead: self.ahead,
            cache_errors: self.cache_errors.clone(),
            is_capped: self.is_capped,
            lock: self.lock.clone(),
            ..LoadRules::default()
        }
    }
}

impl<K: ?Sized, V> Default for LoadRules<K, V> {
    fn default() -> Self {
        LoadRules {
            retry_after: None,
            soft_timeout: None,
            hard_timeout: None,
            max_load_time: None,
            ahead: None,
            cache_if: None,
            negative: None,
            cache_errors: Vec::new(),
            fallback: None,
            tags: None,
            is_capped: false,
            lock: None,
        }
    }
}

// By hand: a derive would ask for `K: Clone` and `V: Clone`.
impl<K: ?Sized, V> Clone for LoadRules<K, V> {
    fn clone(&self) -> Self {
        LoadRules {
            cache_if: self.cache_if.clone(),
            negative: self.negative.as_ref().map(|negative| Negative { ..*negative }),
            cache_errors: self.cache_errors.clone(),
            fallback: self.fallback.clone(),
            tags: self.tags.clone(),
            lock: self.lock.clone(),
            ..*self
        }
    }
}
