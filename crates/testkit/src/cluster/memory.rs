//! The first level of a node: values in memory, and room for a few.

use super::page::Page;
use super::random::Random;
use larder_core::{Capabilities, Cleared, Condemned, EachEntry, Entry, Result, Store, Time, Usage};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

/// A store in the memory of one node, which is lost when the node crashes. When it is full it evicts what the seed says.
/// Clones are the same store.
#[derive(Clone)]
pub struct NodeMemory(Arc<Mutex<State>>);

struct State {
    entries: BTreeMap<u64, Entry<Page>>,
    room: usize,
    random: Random,
}

impl NodeMemory {
    pub(crate) fn new(room: usize, random: Random) -> Self {
        NodeMemory(Arc::new(Mutex::new(State { entries: BTreeMap::new(), room, random })))
    }

    pub(crate) fn holds(&self, key: u64) -> bool {
        self.0.lock().entries.contains_key(&key)
    }
}

impl std::fmt::Debug for NodeMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeMemory").field("entries", &self.0.lock().entries.len()).finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl Store<u64> for NodeMemory {
    type Value = Page;

    async fn get(&self, key: &u64) -> Result<Option<Entry<Page>>> {
        Ok(self.0.lock().entries.get(key).cloned())
    }

    async fn insert(&self, key: &u64, entry: Entry<Page>) -> Result<()> {
        let mut state = self.0.lock();
        let State { entries, room, random } = &mut *state;
        if !entries.contains_key(key) && entries.len() >= *room {
            let place = random.place(entries.len());
            let evicted = *entries.keys().nth(place).expect("the place is one of them");
            entries.remove(&evicted);
        }
        entries.insert(*key, entry);
        Ok(())
    }

    async fn remove(&self, key: &u64) -> Result<()> {
        self.0.lock().entries.remove(key);
        Ok(())
    }

    fn get_now(&self, key: &u64) -> Poll<Option<Entry<Page>>> {
        Poll::Ready(self.0.lock().entries.get(key).cloned())
    }

    async fn clear(&self) -> Result<Cleared> {
        self.0.lock().entries.clear();
        Ok(Cleared::Done)
    }

    fn remove_where(&self, condemned: &Condemned<'_, u64, Page>) -> Option<u64> {
        let held = self.0.lock().entries.clone();
        let gone = held.iter().filter(|(key, entry)| condemned(key, entry.value()));
        Some(gone.filter(|(key, _)| self.0.lock().entries.remove(key).is_some()).count() as u64)
    }

    fn for_each(&self, each: &mut EachEntry<'_, u64, Page>) -> bool {
        let held = self.0.lock().entries.clone();
        let _ = held.into_iter().try_for_each(|(key, entry)| each(&key, entry));
        true
    }

    fn sweep(&self, now: Time) {
        self.0.lock().entries.retain(|_, entry| entry.dead_at() > now);
    }

    fn usage(&self) -> Option<Usage> {
        let entries = self.0.lock().entries.len() as u64;
        Some(Usage::new(entries, entries))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear().sweep().immediate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_has_room_for_so_many_and_loses_one_for_another() {
        let memory = NodeMemory::new(2, Random::of(1, "memory"));
        let entry = |key| Entry::new(Page::new(key, 0, Vec::new()), Time::from_nanos(0));
        for key in [1, 2, 2, 3] {
            memory.insert(&key, entry(key)).await.unwrap();
        }
        assert!(memory.holds(3));
        assert_eq!(memory.usage().unwrap().entries, 2);
        memory.remove(&3).await.unwrap();
        assert!(!memory.holds(3));
    }
}
