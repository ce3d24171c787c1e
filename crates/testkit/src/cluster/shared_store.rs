//! The shared store and its log, as one node reaches them.

use super::history::{Note, key_in};
use super::network::{Place, Reply, call};
use super::shared_server::SharedServer;
use super::world::World;
use super::{agenda::Due, node_clock::true_wall};
use bytes::Bytes;
use larder_core::{
    Answer, ByteStore, Capabilities, Cleared, Error, ErrorKind, Invalidated, Invalidation, Name, News,
    Position, Put, PutIf, Record, Result, SharedLog, Time, Token, Usage,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A node's connection to the store that all nodes share: it compares and sets, and keeps a log of invalidations.
/// Clones are the same connection.
#[derive(Clone)]
pub struct SharedStore {
    log: Arc<NodeLog>,
}

struct NodeLog {
    world: Arc<World>,
    node: usize,
}

impl SharedStore {
    pub(crate) fn new(world: &Arc<World>, node: usize) -> Self {
        SharedStore { log: Arc::new(NodeLog { world: Arc::clone(world), node }) }
    }
}

impl std::fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedStore").field("node", &self.log.node).finish_non_exhaustive()
    }
}

impl NodeLog {
    /// Has the server do something in one step, counted as `what`.
    async fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        key: Option<&str>,
        serve: impl FnOnce(&mut SharedServer, Duration) -> T + Send + 'static,
    ) -> Result<T> {
        let _doing = self.world.doing(self.node, key.and_then(key_in));
        self.world.history.lock().count(Place::Shared, what);
        let key = key.map(str::to_owned);
        let serve = move |world: &Arc<World>, reply: Reply<T>| {
            let answer = step(world, reply.node(), what, key.as_deref(), serve);
            reply.send(world, Ok(answer));
        };
        call(&self.world, self.node, Place::Shared, serve).await
    }

    /// As [`ask`](Self::ask), in two steps where records and log are on several machines.
    async fn ask_both<A: Send + 'static, T: Send + 'static>(
        &self,
        what: (&'static str, &'static str),
        key: Option<&str>,
        first: impl FnOnce(&mut SharedServer, Duration) -> A + Send + 'static,
        second: impl FnOnce(&mut SharedServer, Duration, A) -> T + Send + 'static,
    ) -> Result<T> {
        let _doing = self.world.doing(self.node, key.and_then(key_in));
        self.world.history.lock().count(Place::Shared, what.1);
        let key = key.map(str::to_owned);
        let serve = move |world: &Arc<World>, reply: Reply<T>| {
            let node = reply.node();
            let done = step(world, node, what.0, key.as_deref(), first);
            let rest = move |world: &Arc<World>| {
                if world.is_down(Place::Shared) {
                    reply.send(
                        world,
                        Err(Error::new(ErrorKind::Store, "only half of it was done: connection refused")),
                    );
                    return;
                }
                let second = |server: &mut SharedServer, now| second(server, now, done);
                let answer = step(world, node, what.1, key.as_deref(), second);
                reply.send(world, Ok(answer));
            };
            if world.shared.lock().settings.split {
                let gap = world.network.lock().delay();
                world.agenda.after(gap, Due::Act(None, Box::new(rest)));
            } else {
                rest(world);
            }
        };
        call(&self.world, self.node, Place::Shared, serve).await
    }
}

fn step<T>(
    world: &Arc<World>,
    node: usize,
    what: &'static str,
    key: Option<&str>,
    serve: impl FnOnce(&mut SharedServer, Duration) -> T,
) -> T {
    world.note(Note::Served { place: Place::Shared, node, what, key: key.and_then(key_in) });
    let now = world.agenda.now();
    serve(&mut world.shared.lock(), now)
}

impl SharedLog for NodeLog {
    fn news(&self, known: Option<Position>) -> Answer<'_, News> {
        Box::pin(self.ask("news", None, move |server, _| server.news(known)))
    }

    fn read<'a>(
        &'a self,
        known: Option<Position>,
        key: &'a str,
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Record, News)> {
        let text = key.to_owned();
        // The record is read no earlier than the news.
        let news = move |server: &mut SharedServer, _| server.news(known);
        let read = move |server: &mut SharedServer, now, news| {
            let record = match guard_for {
                Some(guard_for) => server.get_with_token(now, &text, guard_for),
                None => Record::without_token(server.get(now, &text)),
            };
            (record, news)
        };
        Box::pin(self.ask_both(("news of a read", "read"), Some(key), news, read))
    }

    fn invalidate<'a>(
        &'a self,
        known: Option<Position>,
        invalidation: Invalidation<'a>,
    ) -> Answer<'a, Invalidated> {
        let voids: Vec<_> = invalidation.voids.iter().map(|key| (*key).to_owned()).collect();
        let (names, guard_for) = (invalidation.names.to_vec(), invalidation.guard_for);
        let void = move |server: &mut SharedServer, now| {
            voids.iter().map(|key| server.guard(now, key, guard_for)).collect::<Vec<_>>()
        };
        let mark =
            move |server: &mut SharedServer, _, tokens| Invalidated { tokens, ..server.mark(known, &names) };
        Box::pin(self.ask_both(("void", "invalidate"), invalidation.voids.first().copied(), void, mark))
    }

    fn marks<'a>(
        &'a self,
        known: Option<Position>,
        names: &'a [Name],
    ) -> Answer<'a, (Vec<Option<u64>>, News)> {
        let names = names.to_vec();
        Box::pin(self.ask("marks", None, move |server, _| server.marks(known, &names)))
    }

    fn place(&self) -> String {
        "the shared store of the cluster".into()
    }
}

/// When the server forgets what is of no use from `expires_at` on, by its own clock, which is right.
fn ends(expires_at: Option<SystemTime>) -> Option<Duration> {
    let left = expires_at?.duration_since(true_wall(Duration::ZERO));
    // A node whose clock is behind may give a time before the beginning.
    Some(left.unwrap_or_default())
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for SharedStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let text = key.to_owned();
        self.log.ask("get", Some(key), move |server, now| server.get(now, &text)).await
    }

    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        let text = key.to_owned();
        self.log.ask("put", Some(key), move |server, _| server.put(&text, bytes, ends(expires_at))).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        let text = key.to_owned();
        self.log.ask("remove", Some(key), move |server, _| server.remove(&text)).await
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        let asked: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        let get = move |server: &mut SharedServer, now| -> Vec<_> {
            asked.iter().map(|key| server.get(now, key)).collect()
        };
        spread(keys.len(), self.log.ask("get many", keys.first().copied(), get).await)
    }

    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let todo: Vec<_> =
            puts.iter().map(|put| (put.key.to_owned(), put.bytes.clone(), ends(put.expires_at))).collect();
        let put = move |server: &mut SharedServer, _| -> Vec<_> {
            todo.into_iter().map(|(key, bytes, ends)| server.put(&key, bytes, ends)).collect()
        };
        spread(puts.len(), self.log.ask("put many", puts.first().map(|put| put.key), put).await)
    }

    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        let asked: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        let remove = move |server: &mut SharedServer, _| -> Vec<_> {
            asked.iter().map(|key| server.remove(key)).collect()
        };
        spread(keys.len(), self.log.ask("remove many", keys.first().copied(), remove).await)
    }

    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        let text = key.to_owned();
        let get = move |server: &mut SharedServer, now| server.get_with_token(now, &text, guard_for);
        self.log.ask("get with token", Some(key), get).await
    }

    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        let text = key.to_owned();
        let guard = move |server: &mut SharedServer, now| Some(server.guard(now, &text, guard_for));
        self.log.ask("guard", Some(key), guard).await
    }

    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        let (text, token) = (key.to_owned(), token.clone());
        let put =
            move |server: &mut SharedServer, now| server.put_if(now, &text, &token, bytes, ends(expires_at));
        self.log.ask("put if", Some(key), put).await
    }

    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        let log = Arc::clone(&self.log);
        Some(log)
    }

    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        let prefix = prefix.to_owned();
        self.log.ask("clear", None, move |server, _| server.clear(&prefix)).await.map(|()| Cleared::Done)
    }

    fn sweep(&self, _now: Time) {}

    fn usage(&self) -> Option<Usage> {
        None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear().put_if().expires()
    }

    fn name(&self) -> &'static str {
        "Shared"
    }
}

/// The answers to a call about several keys.
pub(crate) fn spread<T>(keys: usize, answer: Result<Vec<T>>) -> Vec<Result<T>> {
    match answer {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) => (0..keys).map(|_| Err(error.clone())).collect(),
    }
}

#[cfg(test)]
mod tests;
