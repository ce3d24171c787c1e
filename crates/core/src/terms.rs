//! What one call, or one load, says about the entry that comes of it.

use crate::coherence::{Other, Since, Watch};
use crate::{Coherence, Time};
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
    /// The end of the fresh life of what it was made from, where that bounds its own.
    pub(crate) most: Option<Time>,
    /// What it was made from in other groups.
    pub(crate) others: Vec<Other>,
}

impl Terms {
    /// What the entry is to know of invalidations, if it has names.
    pub(crate) fn watch(&self, since: Since) -> Option<Watch> {
        let is_watched = since.is_shared || !self.tags.is_empty() || !self.others.is_empty();
        is_watched.then(|| Watch::loaded(since, self.others.clone()))
    }

    /// What invalidates what is no entry: its own tags, and those of what it was made from in other groups.
    pub(crate) fn tagged(&self, coherence: &Coherence, since: Since) -> Vec<Other> {
        let own = (!self.tags.is_empty())
            .then(|| Other::new(coherence, &Watch::loaded(since, Vec::new()), &self.tags));
        own.into_iter().chain(self.others.iter().cloned()).collect()
    }

    pub(crate) fn tag(&mut self, tag: &str) {
        if !self.tags.iter().any(|known| **known == *tag) {
            self.tags.push(tag.into());
        }
    }

    /// As [`tag`](Self::tag), without another copy of the text.
    pub(crate) fn share_tag(&mut self, tag: &Arc<str>) {
        if !self.tags.contains(tag) {
            self.tags.push(Arc::clone(tag));
        }
    }

    /// These terms, and where they say nothing, `others`. The tags of both.
    pub(crate) fn or(mut self, others: &Terms) -> Self {
        others.tags.iter().for_each(|tag| self.share_tag(tag));
        self.others.extend(others.others.iter().cloned());
        Terms {
            ttl: self.ttl.or(others.ttl),
            stale: self.stale.or(others.stale),
            kept: self.kept.or(others.kept),
            tags: self.tags,
            etag: self.etag.or_else(|| others.etag.clone()),
            last_modified: self.last_modified.or(others.last_modified),
            others: self.others,
            took: self.took.or(others.took),
            most: self.most.into_iter().chain(others.most).min(),
        }
    }
}
