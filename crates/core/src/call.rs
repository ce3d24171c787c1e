//! What one call asks for beside its key: the options of [`Cache::with`](crate::Cache::with).

use crate::bulk::Bulk;
use crate::holds::Skip;
use crate::terms::Terms;
use crate::{Clock, Time};
use std::sync::Arc;
use std::time::Duration;

/// What the calls through one handle ask for. See [`Cache::with`](crate::Cache::with).
///
/// # Default
///
/// Nothing: as the cache was composed.
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until they are returned to `with`"]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct CallOptions {
    pub(crate) terms: Terms,
    pub(crate) skip: Skip,
    pub(crate) allow_stale: bool,
    pub(crate) max_wait: Option<Duration>,
    max_age: Option<Duration>,
    pub(crate) force_refresh: bool,
    /// It waits for the end of a load, whatever others do.
    pub(crate) is_patient: bool,
    /// It is one of many that are made together.
    pub(crate) bulk: Option<Arc<Bulk>>,
    /// It takes no old value for an answer while a load could give a new one, nor where that fails.
    pub(crate) is_thorough: bool,
}

impl CallOptions {
    /// Sets the fresh life of what is loaded or inserted, in place of what was said after `.chain` (or, without a
    /// chain, at all). The ttl of a level still bounds what that level keeps. A load that sets its own prevails.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.terms.ttl = Some(ttl);
        self
    }

    /// Sets the stale window of what is loaded or inserted.
    pub fn stale(mut self, window: Duration) -> Self {
        self.terms.stale = Some(window);
        self
    }

    /// Sets for how long what is loaded or inserted is kept for loads that fail, after its stale window.
    pub fn stale_if_error(mut self, window: Duration) -> Self {
        self.terms.kept = Some(window);
        self
    }

    /// Gives a tag to what is loaded or inserted.
    pub fn tag(mut self, tag: impl AsRef<str>) -> Self {
        self.terms.tag(tag.as_ref());
        self
    }

    /// Loads, whatever the levels have: the answer was loaded after the call. What is there stays until then, for other
    /// callers, and stays if the load fails; the caller gets the error.
    ///
    /// A load that began earlier is overtaken: it answers those who wait for it, and is not stored; so calls of this kind
    /// that come more often than a load takes store nothing until the last of them. Levels behind the first are asked
    /// before the load, for what others are served meanwhile and for what the load replaces. Reads without a loader are
    /// not affected.
    pub fn force_refresh(mut self) -> Self {
        self.force_refresh = true;
        self
    }

    /// Takes an entry whose load began longer ago than `age` for no answer. A call with a loader loads; one without
    /// misses.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Does not read from the level with this number; the first one is 0.
    ///
    /// # Panics
    ///
    /// If `level` is 64 or more.
    pub fn skip_read(mut self, level: usize) -> Self {
        self.skip.reads |= bit(level);
        self
    }

    /// Does not write to the level with this number, nor remove from it; the first one is 0.
    ///
    /// # Panics
    ///
    /// If `level` is 64 or more.
    pub fn skip_write(mut self, level: usize) -> Self {
        self.skip.writes |= bit(level);
        self
    }

    /// Leaves out the level with this number; the first one is 0.
    ///
    /// # Panics
    ///
    /// If `level` is 64 or more.
    pub fn skip_level(self, level: usize) -> Self {
        self.skip_read(level).skip_write(level)
    }

    /// Lets a read without a loader return what is only kept for failures.
    pub fn allow_stale(mut self) -> Self {
        self.allow_stale = true;
        self
    }

    /// Waits at most this long for a load that another caller began. Then something old is returned, if there is any,
    /// or else this caller loads for itself.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    pub(crate) fn patient(mut self) -> Self {
        self.is_patient = true;
        self
    }

    pub(crate) fn together(mut self, bulk: &Arc<Bulk>) -> Self {
        self.bulk = Some(Arc::clone(bulk));
        self
    }

    pub(crate) fn thorough(mut self) -> Self {
        self.is_thorough = true;
        self
    }

    /// The moment before which a load must not have begun to be of use.
    pub(crate) fn floor(&self, clock: &dyn Clock, has_loader: bool) -> Option<Time> {
        match self.max_age {
            // Not even what was loaded at this very moment, which may have been before the call.
            _ if self.force_refresh && has_loader => Some(clock.now_exact().after(Duration::from_nanos(1))),
            Some(age) => Some(clock.now_exact().before(age)),
            None => None,
        }
    }
}

#[track_caller]
fn bit(level: usize) -> u64 {
    assert!(level < 64, "no cache has a level {level}");
    1 << level
}
