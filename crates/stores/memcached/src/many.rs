//! Many keys in one round trip to each server.

use crate::Memcached;
use crate::command::{Command, Mode};
use crate::item::Generation;
use crate::name::Name;
use crate::reply::Reply;
use crate::server::{Server, Twice};
use crate::value::{get, set};
use bytes::Bytes;
use larder_core::{Error, ErrorKind, Put, Result};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

/// The keys that one server has, and at which places of the call they are.
type Share<T> = Vec<(usize, T)>;

struct Value {
    name: Name,
    bytes: Bytes,
    expires_at: Option<SystemTime>,
}

impl Memcached {
    pub(crate) async fn read_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        let names = keys.iter().map(|key| Name::of(key));
        self.spread(names, Name::clone, |store, server, share| async move {
            let names: Vec<Name> = share;
            store.run(async move { server.get_many(&names).await }).await
        })
        .await
    }

    pub(crate) async fn write_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let values = puts.iter().map(|put| Value {
            name: Name::of(put.key),
            bytes: put.bytes.clone(),
            expires_at: put.expires_at,
        });
        self.spread(
            values,
            |value| value.name.clone(),
            |store, server, share| async move {
                let keys: Vec<_> = share.iter().map(|value: &Value| value.name.hash).collect();
                store.write(keys, async move { server.put_many(&share).await }).await
            },
        )
        .await
    }

    pub(crate) async fn delete_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        let names = keys.iter().map(|key| Name::of(key));
        self.spread(names, Name::clone, |store, server, share| async move {
            let names: Vec<Name> = share;
            let keys: Vec<_> = names.iter().map(|name| name.hash).collect();
            store.write(keys, async move { server.delete_many(&names).await }).await
        })
        .await
    }

    /// Has each server do its share, at the same time, and puts the answers in the order of what was asked.
    async fn spread<T, A, W>(
        &self,
        asked: impl Iterator<Item = T>,
        name: impl Fn(&T) -> Name,
        work: impl Fn(Memcached, Arc<Server>, Vec<T>) -> W,
    ) -> Vec<Result<A>>
    where
        A: Send + 'static,
        W: Future<Output = Result<Vec<Result<A>>>> + Send + 'static,
    {
        let mut shares: BTreeMap<usize, Share<T>> = BTreeMap::new();
        let mut count = 0;
        for (place, part) in asked.enumerate() {
            shares.entry(self.place(&name(&part))).or_default().push((place, part));
            count = place + 1;
        }
        let mut tasks = Vec::with_capacity(shares.len());
        let is_alone = shares.len() == 1;
        let mut answers: Vec<Option<Result<A>>> = (0..count).map(|_| None).collect();
        for (server, share) in shares {
            let (places, parts): (Vec<usize>, Vec<T>) = share.into_iter().unzip();
            let work = work(self.clone(), Arc::clone(&self.servers()[server]), parts);
            if is_alone {
                fill(&mut answers, &places, work.await);
            } else {
                tasks.push((places, tokio::spawn(work)));
            }
        }
        for (places, task) in tasks {
            let cut_off = |_| Err(Error::new(ErrorKind::Closed, "the runtime ended"));
            fill(&mut answers, &places, task.await.unwrap_or_else(cut_off));
        }
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(missing()))).collect()
    }
}

fn fill<A>(answers: &mut [Option<Result<A>>], places: &[usize], share: Result<Vec<Result<A>>>) {
    match share {
        Ok(share) => {
            for (place, answer) in places.iter().zip(share) {
                answers[*place] = Some(answer);
            }
        }
        Err(error) => {
            for place in places {
                answers[*place] = Some(Err(error.clone()));
            }
        }
    }
}

fn missing() -> Error {
    Error::new(ErrorKind::Store, "memcached did not answer for this key")
}

impl Server {
    async fn get_many(&self, names: &[Name]) -> Result<Vec<Result<Option<Bytes>>>> {
        let namespaces = namespaces(names.iter());
        let commands: Vec<_> =
            namespaces.iter().copied().chain(names.iter().map(|name| &name.item)).map(get).collect();
        let mut replies = self.ask(&commands, Twice::Fine).await?.into_iter();
        let generations = self.note_all(&namespaces, &mut replies);
        let found =
            names.iter().zip(replies).map(|(name, reply)| match (reply, generations.get(&name.generation)) {
                (Reply::Found(found), Some(generation)) => self.value(found, *generation),
                (Reply::Found(_) | Reply::Absent, _) => Ok(None),
                (Reply::Failed(said), _) => Err(crate::failure::of_command(&said, &self.address)),
                _ => Err(self.unexpected()),
            });
        Ok(found.collect())
    }

    async fn put_many(&self, values: &[Value]) -> Result<Vec<Result<()>>> {
        let names = || values.iter().map(|value| &value.name);
        let namespaces = namespaces(names());
        let mut generations: BTreeMap<&Bytes, Generation> = BTreeMap::new();
        for namespace in &namespaces {
            generations.insert(namespace, self.guess(namespace).await?);
        }
        // What is too large takes what was there with it, in its place among the others.
        let commands: Vec<_> = values
            .iter()
            .map(|Value { name, bytes, expires_at }| match self.check_size(name, bytes.len() as u64) {
                Ok(()) => set(name, generations[&name.generation], bytes.clone(), *expires_at, Mode::Always),
                Err(_) => Command::Delete { item: name.item.clone(), cas: None },
            })
            .chain(namespaces.iter().copied().map(get))
            .collect();
        let mut replies = self.ask(&commands, Twice::Fine).await?.into_iter();
        let first: Vec<Reply> = replies.by_ref().take(values.len()).collect();
        let current = self.note_all(&namespaces, &mut replies);
        let mut done = Vec::with_capacity(values.len());
        for (place, (Value { name, bytes, expires_at }, reply)) in values.iter().zip(first).enumerate() {
            let fits = self.check_size(name, bytes.len() as u64);
            let stored = fits.and_then(|()| self.stored(Some(&reply), bytes.len()));
            let is_alive = current.get(&name.generation) == generations.get(&name.generation);
            let is_last = || values[place + 1..].iter().all(|later| later.name != *name);
            done.push(match stored {
                // Written under a generation that has ended. There are not many of these, and not often.
                Ok(()) if !is_alive => self.put(name, bytes.clone(), *expires_at).await,
                // By the server itself.
                Err(error) if matches!(reply, Reply::Failed(_)) && is_last() => {
                    Err(self.refuse(name, None, error).await)
                }
                stored => stored,
            });
        }
        Ok(done)
    }

    async fn delete_many(&self, names: &[Name]) -> Result<Vec<Result<()>>> {
        let commands: Vec<_> =
            names.iter().map(|name| Command::Delete { item: name.item.clone(), cas: None }).collect();
        let replies = self.ask(&commands, Twice::Fine).await?;
        Ok(replies.iter().map(|reply| self.deleted(Some(reply))).collect())
    }

    fn note_all<'a>(
        &self,
        namespaces: &[&'a Bytes],
        replies: &mut impl Iterator<Item = Reply>,
    ) -> BTreeMap<&'a Bytes, Generation> {
        let noted = namespaces.iter().map(|item| Some((*item, self.note(item, replies.next().as_ref())?)));
        noted.collect::<Vec<_>>().into_iter().flatten().collect()
    }
}

/// Returns the generations that count for `names`, each once.
fn namespaces<'a>(names: impl Iterator<Item = &'a Name>) -> Vec<&'a Bytes> {
    let mut namespaces: Vec<&Bytes> = names.map(|name| &name.generation).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    namespaces
}
