//! The store below the shared one: it neither compares nor keeps a log, as an object store, and what was written to it may land late.

use super::history::{Note, key_in};
use super::network::{Place, Reply, call};
use super::shared_store::spread;
use super::world::World;
use bytes::Bytes;
use larder_core::{
    ByteStore, Capabilities, Cleared, Put, PutIf, Record, Result, SharedLog, Time, Token, Usage,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What the lower store holds.
#[derive(Default)]
pub(crate) struct LowerServer {
    objects: BTreeMap<String, Bytes>,
}

/// A node's connection to the lower store, which all nodes share. Clones are the same connection.
///
/// A put whose call ended by a time-out may land later, over what was put or removed since.
#[derive(Clone)]
pub struct LowerStore {
    world: Arc<World>,
    node: usize,
}

impl LowerStore {
    pub(crate) fn new(world: &Arc<World>, node: usize) -> Self {
        LowerStore { world: Arc::clone(world), node }
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        key: Option<&str>,
        serve: impl FnOnce(&mut LowerServer) -> T + Send + 'static,
    ) -> Result<T> {
        let key = key.and_then(key_in);
        let _doing = self.world.doing(self.node, key);
        self.world.history.lock().count(Place::Lower, what);
        let serve = move |world: &Arc<World>, reply: Reply<T>| {
            world.note(Note::Served { place: Place::Lower, node: reply.node(), what, key });
            let answer = serve(&mut world.lower.lock());
            reply.send(world, Ok(answer));
        };
        call(&self.world, self.node, Place::Lower, serve).await
    }
}

impl std::fmt::Debug for LowerStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LowerStore").field("node", &self.node).finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for LowerStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let text = key.to_owned();
        self.ask("get", Some(key), move |server| server.objects.get(&text).cloned()).await
    }

    async fn put(&self, key: &str, bytes: Bytes, _expires_at: Option<SystemTime>) -> Result<()> {
        let text = key.to_owned();
        let put = move |server: &mut LowerServer| {
            server.objects.insert(text, bytes);
        };
        self.ask("put", Some(key), put).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        let text = key.to_owned();
        let remove = move |server: &mut LowerServer| {
            server.objects.remove(&text);
        };
        self.ask("remove", Some(key), remove).await
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        let asked: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        let get = move |server: &mut LowerServer| -> Vec<_> {
            asked.iter().map(|key| server.objects.get(key).cloned()).collect()
        };
        spread(keys.len(), self.ask("get many", keys.first().copied(), get).await)
    }

    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let todo: Vec<_> = puts.iter().map(|put| (put.key.to_owned(), put.bytes.clone())).collect();
        let put = move |server: &mut LowerServer| {
            let done = vec![(); todo.len()];
            server.objects.extend(todo);
            done
        };
        spread(puts.len(), self.ask("put many", puts.first().map(|put| put.key), put).await)
    }

    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        let asked: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        let remove = move |server: &mut LowerServer| {
            server.objects.retain(|key, _| !asked.contains(key));
            vec![(); asked.len()]
        };
        spread(keys.len(), self.ask("remove many", keys.first().copied(), remove).await)
    }

    async fn get_with_token(&self, key: &str, _guard_for: Duration) -> Result<Record> {
        self.get(key).await.map(Record::without_token)
    }

    async fn guard(&self, _key: &str, _guard_for: Duration) -> Result<Option<Token>> {
        Ok(None)
    }

    async fn put_if(
        &self,
        _key: &str,
        _token: &Token,
        _bytes: Bytes,
        _expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        Ok(PutIf::Unsupported)
    }

    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        None
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        let prefix = prefix.to_owned();
        let clear = move |server: &mut LowerServer| server.objects.retain(|key, _| !key.starts_with(&prefix));
        self.ask("clear", None, clear).await.map(|()| Cleared::Done)
    }

    fn sweep(&self, _now: Time) {}

    fn usage(&self) -> Option<Usage> {
        None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear()
    }

    fn name(&self) -> &'static str {
        "Lower"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::live::{fair, live, step, world};
    use crate::cluster::network::Weather;
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    #[tokio::test]
    async fn a_put_that_nobody_waits_for_any_more_may_land_after_a_removal() {
        let lands_after = |seed| async move {
            let world = world(seed, Weather { late: (500, 4_000), ..fair() });
            let store = LowerStore::new(&world, 0);
            {
                let mut put = pin!(store.put("pages:1", "late".into(), None));
                let waits = poll_fn(|cx| Poll::Ready(put.as_mut().poll(cx).is_pending())).await;
                assert!(waits);
            }
            live(&world, store.remove("pages:1")).await.unwrap().unwrap();
            while step(&world) {}
            live(&world, store.get("pages:1")).await.unwrap().unwrap().is_some()
        };
        let (mut late, mut early) = (0, 0);
        for seed in 0..50 {
            *if lands_after(seed).await { &mut late } else { &mut early } += 1;
        }
        assert!(late > 5 && early > 5, "{late} late, {early} early");
    }
}

#[cfg(test)]
mod conforms {
    use crate::cluster::LowerStore;
    use crate::cluster::live::{fair, live_on, world};
    use std::sync::Arc;

    crate::conformance!(bytes, || async {
        let world = world(1, fair());
        live_on(Arc::clone(&world));
        LowerStore::new(&world, 0)
    });
}
