//! A level that keeps bytes: the key becomes text, the value an envelope by what its [`Wire`](crate::Wire) says.

use crate::behind::{Offered, Sealed, Seen};
use crate::codec::{Codec, Format};
use crate::event::Operation;
use crate::holds::{Cx, Description, Drain, Fetched, Gift, Holds, Look, Stamp, Step};
use crate::native::cleared;
use crate::{ByteStore, Entry, Freshness, Key, Level, Result, Time};
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

impl<K, V, B, C> Holds<B, K, V> for C
where
    K: ?Sized + Key,
    V: Clone + Send + Sync + 'static,
    B: ByteStore,
    C: Codec<V> + Format,
{
    #[inline]
    fn depth(_: &Level<B, Self>) -> usize {
        1
    }

    #[inline]
    fn look(_: &Level<B, Self>, _: &K, _: Time) -> Look<V> {
        Look::Ask(0, None)
    }

    async fn fetch(level: &Level<B, Self>, cx: Cx<'_>, key: &K, from: usize) -> Option<Fetched<V>> {
        if from > 0 || cx.skips_read() {
            return None;
        }
        match held(level, cx, &full_key(level, key)).await {
            Ok(held) => cx.judged(held?),
            Err(error) => {
                cx.failed(Operation::Read, error);
                None
            }
        }
    }

    async fn put(
        level: &Level<B, Self>,
        cx: Cx<'_>,
        key: &K,
        value: Gift<'_, V>,
        plan: &[Step],
    ) -> Result<()> {
        let stamp = match &plan[0] {
            _ if cx.skips_write() => return Ok(()),
            Step::Leave => return Ok(()),
            Step::Remove => return Self::remove(level, cx, key).await,
            Step::Write(stamp) => stamp,
        };
        let key = full_key(level, key);
        write(level, cx, &key, value.get(), stamp).await
    }

    async fn remove(level: &Level<B, Self>, cx: Cx<'_>, key: &K) -> Result<()> {
        if cx.skips_write() {
            return Ok(());
        }
        let key = full_key(level, key);
        remove(level, cx, &key).await.map_err(|error| cx.failed(Operation::Remove, error))
    }

    async fn expire(level: &Level<B, Self>, cx: Cx<'_>, key: &K, kept: &[Duration]) -> Result<()> {
        if cx.skips_write() {
            return Ok(());
        }
        if kept[0].is_zero() {
            return Self::remove(level, cx, key).await;
        }
        let text = full_key(level, key);
        let held = held(level, cx, &text).await.map_err(|error| cx.failed(Operation::Read, error));
        let now = cx.clock.now_exact();
        match held.map(|held| held.map(|entry: Entry<V>| entry.expired(now, kept[0]))) {
            Ok(Some(entry)) if entry.freshness(now) == Freshness::Kept => {
                let stamp = Stamp { life: entry.life(), extra: entry.extra().cloned() };
                write(level, cx, &text, entry.value(), &stamp).await
            }
            Ok(None) => Ok(()),
            // What cannot be read cannot be kept for failures either.
            Ok(Some(_)) | Err(_) => Self::remove(level, cx, key).await,
        }
    }

    async fn clear(level: &Level<B, Self>, cx: Cx<'_>) -> Result<()> {
        if cx.skips_write() {
            return Ok(());
        }
        // Until the store has answered: what flies would land behind the removal, and what waits is to go as well.
        let _withdrawn = match &level.behind {
            Some(queue) => Some(queue.withdraw_all().await),
            None => None,
        };
        let answer = guarded(level, cx, Operation::Clear, pin!(level.store.clear(&level.prefix))).await;
        cleared(answer).map_err(|error| cx.failed(Operation::Clear, error))
    }

    async fn drain(level: &Level<B, Self>, cx: Cx<'_>, how: Drain) -> Result<()> {
        match &level.behind {
            Some(queue) => queue.drain(how).await.map_err(|error| cx.at_level(error)),
            None => Ok(()),
        }
    }

    fn keeps(_: &Level<B, Self>, _: &[Step]) -> bool {
        false
    }

    fn waits(_: &Level<B, Self>, plan: &[Step]) -> bool {
        !matches!(plan[0], Step::Leave)
    }

    fn sweep(level: &Level<B, Self>, now: Time) {
        level.store.sweep(now);
    }

    fn describe(level: &Level<B, Self>, out: &mut Vec<Description>) {
        out.push(Description {
            store: level.store.name(),
            codec: Some(level.wire.describe()),
            namespace: Some(level.prefix.trim_end_matches(':').into()),
            usage: level.store.usage(),
            breaker: if level.store.capabilities().immediate { None } else { level.guard.state() },
            pending: level.behind.as_ref().map(|queue| queue.pending()),
        });
    }
}

/// Asks the store through the level's guard, unless it never waits.
async fn guarded<B: ByteStore, C: Sync + Send, T: Send>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    operation: Operation,
    call: Pin<&mut (impl Future<Output = Result<T>> + Send)>,
) -> Result<T> {
    if level.store.capabilities().immediate {
        return call.await;
    }
    level.guard.run(cx.witness(), operation, call).await
}

fn full_key<S, C, K: ?Sized + Key>(level: &Level<S, C>, key: &K) -> String {
    let text = key.text();
    let mut full = String::with_capacity(level.prefix.len() + text.len());
    full.push_str(&level.prefix);
    full.push_str(&text);
    full
}

/// Reads what is under the key, of whatever age; what is on its way there comes first.
async fn held<V, B: ByteStore, C: Codec<V>>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    key: &str,
) -> Result<Option<Entry<V>>> {
    let held = match level.behind.as_ref().and_then(|queue| queue.see(key)) {
        Some(Seen::Bytes(bytes)) => Some(bytes),
        Some(Seen::Nothing) => None,
        None => guarded(level, cx, Operation::Read, pin!(level.store.get(key))).await?,
    };
    let Some(bytes) = held else { return Ok(None) };
    let entry = level.wire.open_at(key, &bytes, cx.moment())?;
    Ok(Some(entry.watched(|position| cx.coherence.watch_read(position, cx.tick))))
}

/// Writes a value, or has it written; or else removes what is there: what cannot be written must not leave the older value
/// in its place.
async fn write<V: Sync, B: ByteStore, C: Codec<V>>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    key: &str,
    value: &V,
    stamp: &Stamp,
) -> Result<()> {
    let written = match sealed(level, cx, key, value, stamp) {
        Ok(value) => put(level, cx, key, value).await,
        Err(error) => {
            cx.counters.level(cx.base).writes.add();
            remove(level, cx, key).await.and(Err(error))
        }
    };
    written.map_err(|error| cx.failed(Operation::Write, error))
}

async fn put<B: ByteStore, C: Format>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    key: &str,
    value: Sealed,
) -> Result<()> {
    let (value, _withdrawn) = match &level.behind {
        None => (value, None),
        Some(queue) => match queue.offer(cx, &level.guard, key, value).await {
            Offered::Queued => return Ok(()),
            Offered::Refused(value, withdrawn) => (value, Some(withdrawn)),
        },
    };
    cx.counters.level(cx.base).writes.add();
    guarded(level, cx, Operation::Write, pin!(level.store.put(key, value.bytes, value.expires_at))).await
}

/// Removes what is there or on its way there.
async fn remove<B: ByteStore, C: Format>(level: &Level<B, C>, cx: Cx<'_>, key: &str) -> Result<()> {
    let _withdrawn = match &level.behind {
        Some(queue) => Some(queue.withdraw(key).await),
        None => None,
    };
    guarded(level, cx, Operation::Remove, pin!(level.store.remove(key))).await
}

fn sealed<S, V, C: Codec<V>>(
    level: &Level<S, C>,
    cx: Cx<'_>,
    key: &str,
    value: &V,
    stamp: &Stamp,
) -> Result<Sealed> {
    let at = cx.moment();
    let bytes = level.wire.seal_at(key, value, stamp, at)?;
    let expires_at = at.now.until(stamp.life.dead_at).and_then(|left| at.wall.checked_add(left));
    Ok(Sealed { bytes, expires_at, dead_at: stamp.life.dead_at })
}
