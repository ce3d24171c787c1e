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
    pub(crate) fn clear_tags(&mut self) {
        self.terms.tags.clear();
        self.terms.others.clear();
    }
}
