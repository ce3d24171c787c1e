//! Who is to be woken when a key is marked.

use crate::shared_log::Name;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use tokio::sync::Notify;

/// See the module.
#[derive(Default)]
pub(super) struct Ears {
    /// By key, as logs name it.
    by_key: HashMap<String, Vec<Weak<Notify>>>,
    /// Who is to be woken once what was marked can be seen.
    called: Vec<Arc<Notify>>,
}

impl Ears {
    /// Has `wake` told when the key is marked, for as long as it lives.
    pub(super) fn add(&mut self, key: &str, wake: &Arc<Notify>) {
        // Now and then, so that keys of which nobody hears any more do not pile up.
        if self.by_key.len().is_power_of_two() {
            self.by_key.retain(|_, ears| ears.iter().any(|ear| ear.strong_count() > 0));
        }
        let ears = self.by_key.entry(key.into()).or_default();
        ears.retain(|ear| ear.strong_count() > 0);
        ears.push(Arc::downgrade(wake));
    }

    /// Calls those who listen for a key that has this name; they are woken by [`wake`](Self::wake).
    pub(super) fn call(&mut self, name: &Name) {
        if self.by_key.is_empty() {
            return;
        }
        let (_, text) = name.parts();
        let called = &mut self.called;
        let mut call = |ears: &Vec<Weak<Notify>>| called.extend(ears.iter().filter_map(Weak::upgrade));
        if name.is_key() {
            self.by_key.get(text).into_iter().for_each(call);
        } else if name.is_namespace() {
            self.by_key.iter().filter(|(key, _)| key.starts_with(text)).for_each(|(_, ears)| call(ears));
        }
    }

    pub(super) fn wake(&mut self) {
        self.called.drain(..).for_each(|wake| wake.notify_one());
    }
}
