//! What one handle of a cache decides: how long entries live, how they are loaded, what it is called, who is told.

use crate::coherence::Since;
use crate::combinator::Promotion;
use crate::entry::Entry;
use crate::event::Observers;
use crate::failures::Delay;
use crate::holds::{Keeping, Stamp, Step};
use crate::life::{Life, Scopes};
use crate::load_rules::LoadRules;
use crate::random::Random;
use crate::terms::Terms;
use crate::{OnStoreError, Time};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

/// One step a level; few caches have more than two.
pub(crate) type Plan = SmallVec<[Step; 2]>;

/// The decisions of a handle. Clones of a cache share it until one of them decides anew.
pub(crate) struct Policy<K: ?Sized, V> {
    /// For each level, what was said about it alone.
    pub(crate) levels: Vec<LevelPolicy<K, V>>,
    /// What was said about all levels; about the only one, in a cache of one level.
    pub(crate) whole: Life<K, V>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) observers: Observers,
    pub(crate) loads: LoadRules<K, V>,
    pub(crate) on_store_error: Option<OnStoreError>,
    pub(crate) random: Arc<Random>,
}

/// What was said about one level alone; it moves with its level into a chain.
pub(crate) struct LevelPolicy<K: ?Sized, V> {
    /// From the inside out.
    pub(crate) lives: Vec<Arc<Life<K, V>>>,
    /// Shared by the handles, because it counts.
    pub(crate) promotion: Arc<Promotion>,
    /// Whether inserts remove what is there, instead of writing.
    pub(crate) around: bool,
}

impl<K: ?Sized, V> LevelPolicy<K, V> {
    /// The same with other lives, of other types perhaps.
    pub(crate) fn with_lives<K2: ?Sized, V2>(&self, lives: Vec<Arc<Life<K2, V2>>>) -> LevelPolicy<K2, V2> {
        LevelPolicy { lives, promotion: Arc::clone(&self.promotion), around: self.around }
    }
}

impl<K: ?Sized, V> Default for LevelPolicy<K, V> {
    fn default() -> Self {
        LevelPolicy { lives: Vec::new(), promotion: Arc::default(), around: false }
    }
}

impl<K: ?Sized, V> Clone for LevelPolicy<K, V> {
    fn clone(&self) -> Self {
        self.with_lives(self.lives.clone())
    }
}

impl<K: ?Sized, V> Policy<K, V> {
    pub(crate) fn of_one_level() -> Self {
        Policy {
            levels: vec![LevelPolicy::default()],
            whole: Life::default(),
            name: None,
            observers: Observers::default(),
            loads: LoadRules::default(),
            on_store_error: None,
            random: Arc::new(Random::unpredictable()),
        }
    }

    /// The wall of `.chain`: what either side said about life becomes that of its levels, the rest of the left
    /// side is the whole's.
    #[track_caller]
    pub(crate) fn chained(&self, back: &Policy<K, V>) -> Self {
        if let Some(method) = back.loads.said() {
            panic!(
                "`.{method}` governs loads, and a level behind another one does not load: say it after `.chain`"
            );
        }
        assert!(
            back.on_store_error.is_none(),
            "`.on_store_error` governs whole calls, and a level behind another one does not answer them: say it after `.chain`"
        );
        let inside = |side: &Policy<K, V>| {
            let whole = Arc::new(side.whole.clone());
            let inside = |own: &LevelPolicy<K, V>| {
                own.with_lives(own.lives.iter().chain([&whole]).map(Arc::clone).collect())
            };
            side.levels.iter().map(inside).collect::<Vec<_>>()
        };
        let mut observers = self.observers.clone();
        observers.extend(&back.observers);
        Policy {
            levels: inside(self).into_iter().chain(inside(back)).collect(),
            whole: Life::default(),
            name: self.name.as_ref().or(back.name.as_ref()).map(Arc::clone),
            observers,
            loads: self.loads.clone(),
            on_store_error: self.on_store_error,
            random: Arc::clone(&self.random),
        }
    }

    /// How long to leave a failing loader alone: while a kept value is served, or a stale one.
    pub(crate) fn delay(&self, kept: bool) -> Delay {
        let most = self.loads.retry_after.unwrap_or(Duration::from_secs(30));
        if kept {
            Delay { first: most, most: most.saturating_mul(8) }
        } else {
            Delay { first: most.min(Duration::from_secs(1)), most }
        }
    }

    /// Whether a store that fails makes a read fail.
    pub(crate) fn minds_store_errors(&self) -> bool {
        self.on_store_error == Some(OnStoreError::Fail)
    }

    fn scopes(&self, level: usize) -> Scopes<'_, K, V> {
        Scopes { own: &self.levels[level].lives, whole: &self.whole, ahead: self.loads.ahead }
    }

    fn random(&self) -> f64 {
        let any = (0..self.levels.len()).any(|level| self.scopes(level).has_jitter());
        if any { self.random.signed_unit() } else { 0.0 }
    }

    /// What is said about absence, where the value is that: it has no windows, unless the call wants them.
    fn negative(&self, value: &V) -> Option<Terms> {
        let ttl = self.loads.absent(value)?;
        let none = Some(Duration::ZERO);
        Some(Terms { ttl: Some(ttl), stale: none, kept: none, ..Terms::default() })
    }

    /// What to write where, of a new value whose load began at `since`. A level that is not to keep it drops what it has.
    pub(crate) fn plan(&self, key: &K, value: &V, call: &Terms, since: Since, now: Time) -> Plan {
        let random = self.random();
        let absent = self.negative(value).map(|absent| call.clone().or(&absent));
        let call = absent.as_ref().unwrap_or(call);
        let step = |level| match self.scopes(level).stamp(key, value, call, random, since, now) {
            Some(stamp) => Step::Write(stamp),
            None => Step::Remove,
        };
        (0..self.levels.len()).map(step).collect()
    }

    /// For how long each level keeps entries for failures.
    pub(crate) fn kept(&self) -> SmallVec<[Duration; 2]> {
        (0..self.levels.len()).map(|level| self.kept_at(level)).collect()
    }

    /// The terms with the tags that the cache gives to this value.
    pub(crate) fn tagged(&self, key: &K, value: &V, mut terms: Terms) -> Terms {
        if let Some(tags) = &self.loads.tags {
            tags(key, value, &mut |tag| terms.tag(tag));
        }
        terms
    }

    /// Drops what every level has.
    pub(crate) fn removal(&self) -> Plan {
        self.levels.iter().map(|_| Step::Remove).collect()
    }

    /// What to write where, of a value that somebody inserts: as [`plan`](Self::plan), past the levels that are
    /// written around.
    pub(crate) fn insertion(&self, key: &K, value: &V, call: &Terms, since: Since) -> Plan {
        let mut plan = self.plan(key, value, call, since, since.at);
        for (step, level) in plan.iter_mut().zip(&self.levels) {
            if level.around {
                *step = Step::Remove;
            }
        }
        plan
    }

    /// What to write where, when `source` was found at level `found_at`: the levels before it get a copy.
    pub(crate) fn promotion(&self, key: &K, source: &Entry<V>, found_at: usize, now: Time) -> Plan {
        let random = self.random();
        let call = self.negative(source.value()).unwrap_or_default();
        let step = |level: usize| match self.scopes(level).copy(key, source, &call, random, now) {
            Some(stamp) if self.levels[level].promotion.is_due() => Step::Write(stamp),
            _ => Step::Leave,
        };
        let ahead = (0..found_at).map(step);
        ahead.chain((found_at..self.levels.len()).map(|_| Step::Leave)).collect()
    }

    /// What goes with a copy of `source`, which another process had, at the first level; `None` when it would be dead.
    pub(crate) fn restored(&self, key: &K, source: &Entry<V>, now: Time) -> Option<Stamp> {
        let call = self.negative(source.value()).unwrap_or_default();
        self.scopes(0).copy(key, source, &call, self.random(), now)
    }

    /// Whether to reload the entry, which is fresh, at `now`.
    pub(crate) fn is_due(&self, entry: &Entry<V>, now: Time) -> bool {
        let Some(ahead) = self.loads.ahead else { return false };
        now >= entry.refresh_at()
            && ahead.is_due(now, entry.fresh_until(), entry.took(), || self.random.unit())
    }
}

impl<K: ?Sized, V> Keeping for Policy<K, V> {
    fn kept_at(&self, level: usize) -> Duration {
        self.scopes(level).kept(&Terms::default())
    }
}

impl<K: ?Sized, V> Clone for Policy<K, V> {
    fn clone(&self) -> Self {
        Policy {
            levels: self.levels.clone(),
            whole: self.whole.clone(),
            name: self.name.clone(),
            observers: self.observers.clone(),
            loads: self.loads.clone(),
            on_store_error: self.on_store_error,
            random: Arc::clone(&self.random),
        }
    }
}
