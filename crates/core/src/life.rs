//! How long entries live: what `.ttl`, `.ttl_with`, `.stale`, `.jitter` and the like say, and the times that follow.

use crate::ahead::Ahead;
use crate::coherence::Since;
use crate::entry::Lifetime;
use crate::extra::{Extra, Idle};
use crate::holds::Stamp;
use crate::terms::Terms;
use crate::{Entry, Time};
use std::sync::Arc;
use std::time::Duration;

/// What was said in one scope: a level, or the whole of a chain.
pub(crate) struct Life<K: ?Sized, V> {
    pub(crate) ttl: Option<Ttl<K, V>>,
    pub(crate) jitter: Option<f64>,
    pub(crate) stale: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) idle: Option<Duration>,
}

/// The fresh life: the same for all entries, or computed.
pub(crate) enum Ttl<K: ?Sized, V> {
    Fixed(Duration),
    With(Arc<TtlWith<K, V>>),
}

pub(crate) type TtlWith<K, V> = dyn Fn(&K, &V) -> Duration + Send + Sync;

impl<K: ?Sized, V> Life<K, V> {
    fn ttl(&self, key: &K, value: &V) -> Option<Duration> {
        match self.ttl.as_ref()? {
            Ttl::Fixed(ttl) => Some(*ttl),
            Ttl::With(compute) => Some(compute(key, value)),
        }
    }
}

impl<K: ?Sized, V> Default for Life<K, V> {
    fn default() -> Self {
        Life { ttl: None, jitter: None, stale: None, stale_if_error: None, idle: None }
    }
}

impl<K: ?Sized, V> Clone for Life<K, V> {
    fn clone(&self) -> Self {
        let ttl = self.ttl.as_ref().map(|ttl| match ttl {
            Ttl::Fixed(ttl) => Ttl::Fixed(*ttl),
            Ttl::With(compute) => Ttl::With(Arc::clone(compute)),
        });
        Life { ttl, ..*self }
    }
}

/// All scopes that a level is in, from its own to the whole.
///
/// The smallest ttl applies, and the smallest idle limit; for the windows and the jitter, the innermost scope that
/// says anything. What a call says stands in place of what the whole says.
pub(crate) struct Scopes<'a, K: ?Sized, V> {
    pub(crate) own: &'a [Arc<Life<K, V>>],
    pub(crate) whole: &'a Life<K, V>,
    pub(crate) ahead: Option<Ahead>,
}

impl<K: ?Sized, V> Scopes<'_, K, V> {
    fn all(&self) -> impl Iterator<Item = &Life<K, V>> {
        self.own.iter().map(|life| &**life).chain([self.whole])
    }

    /// The level's ttl for this entry; `None` without end. `random` is from -1 to 1.
    fn ttl(&self, key: &K, value: &V, call: &Terms, random: f64) -> Option<Duration> {
        let whole = call.ttl.or_else(|| self.whole.ttl(key, value));
        let ttl = self.own.iter().filter_map(|life| life.ttl(key, value)).chain(whole).min()?;
        let jitter = self.all().find_map(|life| life.jitter).unwrap_or(0.0);
        Some(if jitter == 0.0 { ttl } else { scale(ttl, 1.0 + random * jitter) })
    }

    fn window(&self, call: &Terms) -> Duration {
        call.stale.or_else(|| self.all().find_map(|life| life.stale)).unwrap_or(Duration::ZERO)
    }

    /// For how long after the stale window an entry is kept for loads that fail.
    pub(crate) fn kept(&self, call: &Terms) -> Duration {
        call.kept.or_else(|| self.all().find_map(|life| life.stale_if_error)).unwrap_or(Duration::ZERO)
    }

    fn idle(&self) -> Option<Duration> {
        self.all().filter_map(|life| life.idle).min()
    }

    pub(crate) fn has_jitter(&self) -> bool {
        self.all().any(|life| life.jitter.is_some())
    }

    /// The times of a value whose load began at `since`; `None` when its life is over at `now`.
    pub(crate) fn stamp(
        &self,
        key: &K,
        value: &V,
        call: &Terms,
        random: f64,
        since: Since,
        now: Time,
    ) -> Option<Stamp> {
        let loaded_at = since.at;
        let own = match self.ttl(key, value, call, random) {
            None => Time::NEVER,
            Some(ttl) if ttl.is_zero() => return None,
            Some(ttl) => loaded_at.after(ttl),
        };
        let fresh_until = call.most.map_or(own, |most| own.min(most));
        let life = Lifetime::ending(loaded_at, fresh_until, self.window(call), self.kept(call));
        let watch = call.watch(since);
        let Terms { tags, etag, last_modified, took, .. } = call.clone();
        let extra = Extra { tags, etag, last_modified, took, watch, ..Extra::default() };
        (now < life.dead_at).then(|| self.finished(life, extra, loaded_at, now))
    }

    /// The times of a copy of `source`, made `now`: what is left at the source, or this level's ttl if that is
    /// less. `None` when such a copy would be dead.
    pub(crate) fn copy(
        &self,
        key: &K,
        source: &Entry<V>,
        call: &Terms,
        random: f64,
        now: Time,
    ) -> Option<Stamp> {
        let own = match self.ttl(key, source.value(), call, random) {
            None => Time::NEVER,
            Some(ttl) if ttl.is_zero() => return None,
            Some(ttl) => now.after(ttl),
        };
        let fresh_until = own.min(source.fresh_until());
        let life = Lifetime::ending(source.loaded_at(), fresh_until, self.window(call), self.kept(call));
        let extra = source.extra().map_or_else(Extra::default, |extra| extra.copied());
        (now < life.stale_until).then(|| self.finished(life, extra, now, now))
    }

    /// The stamp of a life that begins, in this level, at `begin`.
    fn finished(&self, mut life: Lifetime, mut extra: Extra, begin: Time, now: Time) -> Stamp {
        let refresh_at = self
            .ahead
            .map_or(life.fresh_until, |ahead| ahead.refresh_at(begin, life.fresh_until, extra.took));
        life.settled_until = refresh_at;
        if let Some(limit) = self.idle() {
            extra.idle = Some(Idle::new(limit, now));
            extra.refresh_at = Some(refresh_at);
            // Each read is to be noted.
            life.settled_until = Time::from_nanos(0);
        }
        Stamp { life, extra: extra.shared() }
    }
}

pub(crate) fn scale(ttl: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(ttl.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn life(ttl: Option<u64>, stale: Option<u64>) -> Life<str, u8> {
        Life { ttl: ttl.map(|ttl| Ttl::Fixed(secs(ttl))), stale: stale.map(secs), ..Life::default() }
    }

    const NOW: Time = Time::from_nanos(1_000_000_000_000);
    const SINCE: Since = Since { at: NOW, tick: 0, position: None, is_shared: false };

    fn stamped(own: &[Arc<Life<str, u8>>], whole: &Life<str, u8>, call: &Terms) -> (Duration, Duration) {
        let Stamp { life, .. } =
            Scopes { own, whole, ahead: None }.stamp("k", &0, call, 0.0, SINCE, NOW).unwrap();
        (life.fresh_until.since(NOW), life.stale_until.since(life.fresh_until))
    }

    #[test]
    fn the_smallest_ttl_applies_and_the_innermost_window() {
        let own = [Arc::new(life(Some(60), None)), Arc::new(life(Some(90), Some(5)))];

        assert_eq!(stamped(&own, &life(Some(300), Some(9)), &Terms::default()), (secs(60), secs(5)));
        assert_eq!(stamped(&own, &life(Some(10), None), &Terms::default()), (secs(10), secs(5)));
        assert_eq!(stamped(&[], &life(Some(10), Some(9)), &Terms::default()), (secs(10), secs(9)));
    }

    #[test]
    fn a_call_replaces_what_the_whole_says_and_not_what_a_level_says() {
        let call = &Terms { ttl: Some(secs(500)), stale: Some(secs(1)), ..Terms::default() };
        assert_eq!(stamped(&[], &life(Some(60), Some(9)), call), (secs(500), secs(1)));
        assert_eq!(stamped(&[Arc::new(life(Some(60), None))], &life(Some(10), None), call).0, secs(60));
    }

    #[test]
    fn a_copy_lives_no_longer_than_its_source_and_no_longer_than_its_level() {
        let whole = Life::default();
        let own = [Arc::new(life(Some(60), None))];
        let scopes = Scopes { own: &own, whole: &whole, ahead: None };
        let source = |ttl| Entry::new(0, Time::from_nanos(0)).fresh_for(NOW.since(Time::from_nanos(0)) + ttl);

        let copy = |ttl| {
            let stamp = scopes.copy("k", &source(secs(ttl)), &Terms::default(), 0.0, NOW);
            stamp.map(|stamp| stamp.life.fresh_until)
        };
        assert_eq!(copy(20), Some(NOW.after(secs(20))));
        assert_eq!(copy(200), Some(NOW.after(secs(60))));
        assert_eq!(copy(0), None);
    }

    #[test]
    fn jitter_scales_the_ttl_by_its_fraction_at_most() {
        let whole = Life { jitter: Some(0.1), ..life(Some(100), None) };
        let ttl = |random| {
            let Stamp { life, .. } = Scopes { own: &[], whole: &whole, ahead: None }
                .stamp("k", &0, &Terms::default(), random, SINCE, NOW)
                .unwrap();
            life.fresh_until.since(NOW)
        };
        assert_eq!((ttl(-1.0), ttl(0.0), ttl(1.0)), (secs(90), secs(100), secs(110)));
    }
}
