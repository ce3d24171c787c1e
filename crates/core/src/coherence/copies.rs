//! Copies in this process that are read anew when their key was published: what [`mirror`](crate::Cache::mirror) holds.

use super::Coherence;
use crate::sync::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// A copy that can be told that there is something newer in the store.
pub(crate) trait Copy: Send + Sync {
    fn is_outdated(&self);
}

/// See the module: by the address of their key.
#[derive(Default)]
pub(super) struct Copies(Mutex<HashMap<String, Vec<Weak<dyn Copy>>>>);

impl Copies {
    /// Tells `copy` from now on, for as long as it lives.
    pub(super) fn add(&self, address: &str, copy: Weak<dyn Copy>) {
        let mut copies = self.0.lock();
        copies.retain(|_, of_key| {
            of_key.retain(|copy| copy.strong_count() > 0);
            !of_key.is_empty()
        });
        copies.entry(address.into()).or_default().push(copy);
    }

    /// Tells the copies of a key.
    pub(super) fn written(&self, address: &str) {
        let told = self.0.lock().get(address).map(|copies| alive(copies)).unwrap_or_default();
        for copy in told {
            copy.is_outdated();
        }
    }

    /// Tells all copies: something may have been missed.
    pub(super) fn missed(&self) {
        let told: Vec<_> = self.0.lock().values().flat_map(|copies| alive(copies)).collect();
        for copy in told {
            copy.is_outdated();
        }
    }
}

/// Not told under the lock: the last owner of a copy drops a value of the user.
fn alive(copies: &[Weak<dyn Copy>]) -> Vec<Arc<dyn Copy>> {
    copies.iter().filter_map(Weak::upgrade).collect()
}

impl Coherence {
    /// Has `copy` told when somebody publishes the key, or a bus may have missed that.
    pub(crate) fn tell_of<C: Copy + 'static>(&self, address: &str, copy: &Arc<C>) {
        let copy: Weak<C> = Arc::downgrade(copy);
        self.0.copies.add(address, copy);
    }

    /// Tells who holds copies, here and elsewhere, that the record of the key was written.
    pub(crate) fn published(&self, address: &str) {
        self.0.copies.written(address);
        if let Some(shared) = self.shared() {
            shared.outbox.published(address);
        }
    }
}
