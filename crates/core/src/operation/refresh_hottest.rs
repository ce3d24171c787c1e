//! A schedule that keeps the most read keys fresh: [`refresh_hottest`](Loading::refresh_hottest).

use crate::holds::Holds;
use crate::hottest::{Heat, Hottest};
use crate::{Loading, Lookup, RefreshKeysOptions, Start};
use std::sync::Arc;
use std::time::Duration;

impl<K, V, E, S, C> Loading<K, V, E, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Loads every `interval` the `many` keys that are read most, so that who reads them finds them fresh: as
    /// [`refresh_keys`](Self::refresh_keys) does with keys that are known.
    ///
    /// What is read is counted by [`Hottest::get`], of late more than earlier, with some eight counters for each of the keys; a
    /// read that finds them taken is not counted. A count costs some tens of nanoseconds, so it is for caches in front of
    /// something expensive, and [`refresh_ahead`](crate::Cache::refresh_ahead) is for the others.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, and if `interval` or `many` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{LoadContext, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let users = Cache::new(Memory::<u64, String>::new(1_000))
    ///     .ttl(minutes(5))
    ///     .loader(async |cx: LoadContext<u64, String>| Ok::<_, std::io::Error>(format!("user {}", cx.key())))
    ///     .refresh_hottest(minutes(1), 100);
    ///
    /// assert_eq!(users.get(&7).await?, "user 7");
    /// assert_eq!(users.hottest(), [7]); // and will be loaded anew before its time is over
    /// # Ok::<_, larder::LoadError<std::io::Error>>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn refresh_hottest(self, interval: Duration, many: usize) -> Hottest<K, V, E, S, C> {
        self.refresh_hottest_with(interval, many, |options| options)
    }

    /// As [`refresh_hottest`](Self::refresh_hottest), in the way that `options` says. It begins an interval later, because at
    /// first nothing is hot.
    ///
    /// # Panics
    ///
    /// As of [`refresh_hottest`](Self::refresh_hottest).
    #[track_caller]
    pub fn refresh_hottest_with(
        self,
        interval: Duration,
        many: usize,
        options: impl FnOnce(RefreshKeysOptions<K::Owned, E>) -> RefreshKeysOptions<K::Owned, E>,
    ) -> Hottest<K, V, E, S, C> {
        assert!(many > 0, "of 0 keys none is the hottest: say at least 1");
        let heat = Arc::new(Heat::new(many));
        let counted = Arc::clone(&heat);
        let later = |how: RefreshKeysOptions<K::Owned, E>| options(how.start(Start::Later));
        let keys = self.refresh_keys_with(interval, move || counted.take(), later);
        Hottest::new(self, heat, keys)
    }
}
