//! The settings of one cache: [`CacheSettings`].

use super::setting::{Secret, Setting, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// The settings of one cache of [`Caches`](crate::Caches), as its code says them.
///
/// They are defaults: the settings of the [registry](crate::Settings), from TOML or the environment, come before them.
///
/// # Default
///
/// - capacity: 10,000 entries
/// - level time-out, of what [`url`](Self::url) names: 1 s
/// - namespace: the name of the cache
/// - all else: off
///
/// # Examples
///
/// ```
/// use larder::{Caches, CacheSettings, Settings, prelude::*};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let caches = Caches::new(Settings::from_vars([("LARDER_AGES_TTL", "5s")])?);
/// let said = CacheSettings::new().capacity(1_000).ttl(minutes(5));
/// let ages: Cache<str, u32> = caches.get_or_create("ages", said, Json).await?;
///
/// ages.insert("ada", 36).await?;
/// assert!(ages.lookup("ada").await?.unwrap().ttl_left() <= Some(secs(5)));
/// # larder::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "settings do nothing until a cache is made by them"]
pub struct CacheSettings {
    pub(crate) said: BTreeMap<Setting, Value>,
}

impl CacheSettings {
    /// Returns settings that say nothing.
    pub const fn new() -> Self {
        CacheSettings { said: BTreeMap::new() }
    }

    fn say(mut self, setting: Setting, value: Value) -> Self {
        self.said.insert(setting, value);
        self
    }

    /// Sets whether the cache is one: `false` makes it a pass-through, where each call loads and nothing is stored.
    pub fn enabled(self, enabled: bool) -> Self {
        self.say(Setting::Enabled, Value::Flag(enabled))
    }

    /// Sets the fresh life of entries: [`Cache::ttl`](crate::Cache::ttl).
    pub fn ttl(self, ttl: Duration) -> Self {
        self.say(Setting::Ttl, Value::Span(ttl))
    }

    /// Sets for how long a stale value answers while it is reloaded: [`Cache::stale`](crate::Cache::stale).
    pub fn stale(self, window: Duration) -> Self {
        self.say(Setting::Stale, Value::Span(window))
    }

    /// Sets for how long values are kept for loads that fail: [`Cache::stale_if_error`](crate::Cache::stale_if_error).
    pub fn stale_if_error(self, window: Duration) -> Self {
        self.say(Setting::StaleIfError, Value::Span(window))
    }

    /// Sets how long a failing loader is left alone: [`Cache::retry_after`](crate::Cache::retry_after).
    pub fn retry_after(self, delay: Duration) -> Self {
        self.say(Setting::RetryAfter, Value::Span(delay))
    }

    /// Sets by which random part each ttl differs: [`Cache::jitter`](crate::Cache::jitter).
    ///
    /// # Panics
    ///
    /// If `fraction` is not from 0 to below 1.
    #[track_caller]
    pub fn jitter(self, fraction: f64) -> Self {
        assert!((0.0..1.0).contains(&fraction), "jitter is from 0 to below 1, not {fraction}");
        self.say(Setting::Jitter, Value::Fraction(fraction))
    }

    /// Sets how long a load is waited for where something old is kept: [`Cache::soft_timeout`](crate::Cache::soft_timeout).
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    #[track_caller]
    pub fn soft_timeout(self, limit: Duration) -> Self {
        assert!(
            !limit.is_zero(),
            "a soft time-out of zero: to serve old values at once, say `.stale(window)`"
        );
        self.say(Setting::SoftTimeout, Value::Span(limit))
    }

    /// Sets how long a load is waited for at all: [`Cache::hard_timeout`](crate::Cache::hard_timeout).
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    #[track_caller]
    pub fn hard_timeout(self, limit: Duration) -> Self {
        assert!(!limit.is_zero(), "a hard time-out of zero: every load would be too late");
        self.say(Setting::HardTimeout, Value::Span(limit))
    }

    /// Sets after which part of its fresh life a value is reloaded: [`Cache::refresh_ahead`](crate::Cache::refresh_ahead).
    ///
    /// # Panics
    ///
    /// If `fraction` is not above 0 and below 1.
    #[track_caller]
    pub fn refresh_ahead(self, fraction: f64) -> Self {
        assert!(fraction > 0.0 && fraction < 1.0, "the fraction is above 0 and below 1, not {fraction}");
        self.say(Setting::RefreshAhead, Value::Fraction(fraction))
    }

    /// Sets how many entries the memory holds.
    ///
    /// # Panics
    ///
    /// If `entries` is 0.
    #[track_caller]
    pub fn capacity(self, entries: usize) -> Self {
        assert!(entries > 0, "a memory of 0 entries keeps nothing: to have no cache, say `.enabled(false)`");
        self.say(Setting::Capacity, Value::Entries(entries))
    }

    /// Sets the store behind the memory, as [`open`](crate::open) takes it. It is never shown, because it may hold a
    /// password.
    pub fn url(self, url: impl Into<String>) -> Self {
        self.say(Setting::Url, Value::Url(Secret(url.into())))
    }

    /// Sets the part of that store which is this cache's: [`Cache::namespace`](crate::Cache::namespace).
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        self.say(Setting::Namespace, Value::Text(namespace.into()))
    }

    /// Sets how long that store may take for a call: [`Cache::level_timeout`](crate::Cache::level_timeout).
    ///
    /// # Panics
    ///
    /// If `span` is zero.
    #[track_caller]
    pub fn level_timeout(self, span: Duration) -> Self {
        assert!(!span.is_zero(), "a level that is given no time never answers: leave the store out");
        self.say(Setting::LevelTimeout, Value::Span(span))
    }
}
