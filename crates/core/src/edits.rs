//! What a load says about its own result, while it runs.

use crate::terms::Terms;
use std::time::Duration;

/// See the module. It belongs to one load: nothing of it reaches the policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits {
    pub(crate) terms: Terms,
    /// The value goes to its callers and is not stored.
    pub(crate) no_store: bool,
    /// The value is the previous one: what came with that is kept.
    pub(crate) not_modified: bool,
    /// Should the load fail, nothing old is to be served in its place.
    pub(crate) no_fallback: bool,
    /// Should the load fail, it is not to be tried again sooner.
    pub(crate) retry_after: Option<Duration>,
}

impl Edits {
    /// Adds what the load of many keys said, of which this is one.
    pub(crate) fn join(&mut self, of_all: &Edits) {
        self.terms = std::mem::take(&mut self.terms).or(&of_all.terms);
        self.no_store |= of_all.no_store;
        self.no_fallback |= of_all.no_fallback;
        self.retry_after = self.retry_after.or(of_all.retry_after);
    }

    pub(crate) fn clear_tags(&mut self) {
        self.terms.tags.clear();
        self.terms.others.clear();
    }
}
