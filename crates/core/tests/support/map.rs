// The smallest store of values, for the examples of this crate.

use larder_core::{Capabilities, Cleared, Entry, Lookup, Result, Store};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Mutex;
use std::task::Poll;

pub struct Map<K: ?Sized + Lookup, V>(Mutex<HashMap<K::Owned, Entry<V>>>);

impl<K: ?Sized + Lookup, V> Default for Map<K, V> {
    fn default() -> Self {
        Map(Mutex::default())
    }
}

impl<K: ?Sized + Lookup, V: Clone + Send + Sync + 'static> Store<K> for Map<K, V>
where
    K::Owned: Borrow<K>,
{
    type Value = V;

    async fn get(&self, key: &K) -> Result<Option<Entry<V>>> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }
    async fn insert(&self, key: &K, entry: Entry<V>) -> Result<()> {
        self.0.lock().unwrap().insert(key.to_owned(), entry);
        Ok(())
    }
    async fn remove(&self, key: &K) -> Result<()> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
    fn get_now(&self, key: &K) -> Poll<Option<Entry<V>>> {
        Poll::Ready(self.0.lock().unwrap().get(key).cloned())
    }
    async fn clear(&self) -> Result<Cleared> {
        self.0.lock().unwrap().clear();
        Ok(Cleared::Done)
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.immediate().clear()
    }
}
