//! Many keys in one call.
//!
//! One server gets a few commands of many keys each. The nodes of a cluster take only keys of one slot in a command, so
//! they get a command a key; what goes to one node goes together nevertheless, see `line`.

use crate::redis::Redis;
use crate::route::{Repeat, Servers};
use crate::{command, fault};
use bytes::Bytes;
use futures::future::join_all;
use larder_core::{Put, Result};
use redis::Value;
use std::collections::HashSet;
use std::future::Future;

/// Keys in one command. A server does nothing else while it is at it.
const KEYS: usize = 256;
/// Bytes that are put before what was put before them is answered.
const BYTES: usize = 4 << 20;

impl Redis {
    pub(crate) async fn get_each(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        if matches!(self.route().servers, Servers::Cluster(_)) || keys.len() == 1 {
            return in_windows(keys, |key| self.get_one(key)).await;
        }
        join_all(keys.chunks(KEYS).map(|keys| self.get_chunk(keys))).await.into_iter().flatten().collect()
    }

    pub(crate) async fn remove_each(&self, keys: &[&str]) -> Vec<Result<()>> {
        if matches!(self.route().servers, Servers::Cluster(_)) {
            return in_windows(keys, |key| self.remove_one(key)).await;
        }
        join_all(keys.chunks(KEYS).map(|keys| self.remove_chunk(keys))).await.into_iter().flatten().collect()
    }

    pub(crate) async fn put_each(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let mut done = Vec::with_capacity(puts.len());
        while done.len() < puts.len() {
            let window = window(&puts[done.len()..]);
            let puts = window.iter().map(|put| self.put_one(put.key, &put.bytes, put.expires_at));
            done.extend(join_all(puts).await);
        }
        done
    }

    async fn get_chunk(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        let bytes = keys.iter().map(|key| key.len()).sum();
        let found = match self.route().ask(keys[0], || command::mget(keys), bytes, Repeat::Harmless).await {
            Ok(Value::Array(found)) if found.len() == keys.len() => found,
            Ok(_) => return vec![Err(fault::unexpected(self.route().place())); keys.len()],
            Err(error) => return vec![Err(error); keys.len()],
        };
        found.into_iter().map(|reply| self.records().bytes_of(reply)).collect()
    }

    async fn remove_chunk(&self, keys: &[&str]) -> Vec<Result<()>> {
        let bytes = keys.iter().map(|key| key.len()).sum();
        let removed = self.route().ask(keys[0], || command::unlink(keys), bytes, Repeat::Harmless).await;
        vec![removed.map(drop); keys.len()]
    }
}

/// Asks for some keys at a time, in the order of the keys.
async fn in_windows<'k, T, F>(keys: &[&'k str], ask: impl Fn(&'k str) -> F) -> Vec<T>
where
    F: Future<Output = T>,
{
    let mut all = Vec::with_capacity(keys.len());
    for keys in keys.chunks(KEYS) {
        all.extend(join_all(keys.iter().map(|key| ask(key))).await);
    }
    all
}

/// The first puts that can be under way together: of no key two, so that the later one counts, and not all bytes of a
/// large batch at once.
fn window<'a, 'b>(puts: &'a [Put<'b>]) -> &'a [Put<'b>] {
    let (mut keys, mut bytes) = (HashSet::new(), 0);
    let fits = puts.iter().take_while(|put| {
        let is_first = keys.is_empty();
        let is_new = keys.len() < KEYS && keys.insert(put.key);
        bytes += put.bytes.len();
        is_new && (is_first || bytes <= BYTES)
    });
    &puts[..fits.count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_before_a_key_comes_again_and_before_it_is_too_much() {
        let put =
            |key: &'static str, bytes: usize| Put { key, bytes: vec![0; bytes].into(), expires_at: None };
        assert_eq!(window(&[put("a", 1), put("b", 1), put("a", 1), put("c", 1)]).len(), 2);
        assert_eq!(window(&[put("a", BYTES + 1), put("b", 1)]).len(), 1);
        assert_eq!(window(&[put("a", BYTES), put("b", 1)]).len(), 1);
        assert_eq!(window(&[put("a", 1), put("b", BYTES - 1)]).len(), 2);
        let keys: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        let many: Vec<_> =
            keys.iter().map(|key| Put { key, bytes: Bytes::new(), expires_at: None }).collect();
        assert_eq!(window(&many).len(), KEYS);
    }
}
