//! What one handle of a cache decides: how long entries live, what it is called, who is told.

use crate::Time;
use crate::backoff::Delay;
use crate::combinator::Promotion;
use crate::entry::Entry;
use crate::event::Observers;
use crate::holds::Step;
use crate::life::{Life, Override, Scopes};
use crate::random::Random;
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
    pub(crate) retry_after: Option<Duration>,
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
            retry_after: None,
            random: Arc::new(Random::unpredictable()),
        }
    }

    /// The wall of `.chain`: what either side said about life becomes that of its levels, the rest of the left
    /// side is the whole's.
    #[track_caller]
    pub(crate) fn chained(&self, back: &Policy<K, V>) -> Self {
        assert!(
            back.retry_after.is_none(),
            "`.retry_after` governs loads, and a level behind another one does not load: say it after `.chain`"
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
            retry_after: self.retry_after,
            random: Arc::clone(&self.random),
        }
    }

    /// How long to leave a failing loader alone: while a kept value is served, or a stale one.
    pub(crate) fn delay(&self, kept: bool) -> Delay {
        let most = self.retry_after.unwrap_or(Duration::from_secs(30));
        if kept {
            Delay { first: most, most: most.saturating_mul(8) }
        } else {
            Delay { first: most.min(Duration::from_secs(1)), most }
        }
    }

    fn scopes(&self, level: usize) -> Scopes<'_, K, V> {
        Scopes { own: &self.levels[level].lives, whole: &self.whole }
    }

    fn random(&self) -> f64 {
        let any = (0..self.levels.len()).any(|level| self.scopes(level).has_jitter());
        if any { self.random.signed_unit() } else { 0.0 }
    }

    /// What to write where, of a new value. A level that is not to keep it drops what it has.
    pub(crate) fn plan(&self, key: &K, value: &V, call: Override, loaded_at: Time, now: Time) -> Plan {
        let random = self.random();
        let step = |level| match self.scopes(level).stamp(key, value, call, random, loaded_at, now) {
            Some(stamp) => Step::Write(stamp),
            None => Step::Remove,
        };
        (0..self.levels.len()).map(step).collect()
    }

    /// What to write where, of a value that somebody inserts: as [`plan`](Self::plan), past the levels that are
    /// written around.
    pub(crate) fn insertion(&self, key: &K, value: &V, call: Override, now: Time) -> Plan {
        let mut plan = self.plan(key, value, call, now, now);
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
        let step = |level: usize| match self.scopes(level).copy(key, source, random, now) {
            Some(stamp) if self.levels[level].promotion.is_due() => Step::Write(stamp),
            _ => Step::Leave,
        };
        let ahead = (0..found_at).map(step);
        ahead.chain((found_at..self.levels.len()).map(|_| Step::Leave)).collect()
    }
}

impl<K: ?Sized, V> Clone for Policy<K, V> {
    fn clone(&self) -> Self {
        Policy {
            levels: self.levels.clone(),
            whole: self.whole.clone(),
            name: self.name.clone(),
            observers: self.observers.clone(),
            retry_after: self.retry_after,
            random: Arc::clone(&self.random),
        }
    }
}
