//! What one call, or one load, says about the entry that comes of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// See the module. What is not said is decided by the policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) ttl: Option<Duration>,
    pub(crate) stale: Option<Duration>,
    /// For how long it is kept for loads that fail, after the stale window.
    pub(crate) kept: Option<Duration>,
    pub(crate) tags: Vec<Arc<str>>,
    pub(crate) etag: Option<Arc<str>>,
    pub(crate) last_modified: Option<SystemTime>,
    /// How long the load took.
    pub(crate) took: Option<Duration>,
}

impl Terms {
    pub(crate) fn tag(&mut self, tag: &str) {
        if !self.tags.iter().any(|known| **known == *tag) {
            self.tags.push(tag.into());
        }
    }

    /// These terms, and where they say nothing, `others`. The tags of both.
    pub(crate) fn or(mut self, others: &Terms) -> Self {
        others.tags.iter().for_each(|tag| self.tag(tag));
        Terms {
            ttl: self.ttl.or(others.ttl),
            stale: self.stale.or(others.stale),
            kept: self.kept.or(others.kept),
            tags: self.tags,
            etag: self.etag.or_else(|| others.etag.clone()),
            last_modified: self.last_modified.or(others.last_modified),
            took: self.took.or(others.took),
        }
    }
}
