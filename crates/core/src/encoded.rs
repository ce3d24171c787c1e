//! A level that keeps bytes: the key becomes text, the value an envelope by what its [`Wire`](crate::Wire) says. What
//! is asked of the store is in `calls`.

mod calls;

use crate::behind::{Offered, Sealed, Seen, Withdrawn};
use crate::codec::{Codec, Format};
use crate::coherence::{Names, Shared, Verdict};
use crate::event::Operation;
use crate::holds::{Cx, Description, Drain, Fetched, Gift, Holds, Look, Stamp, Step};
use crate::native::{blind, cleared};
use crate::planted::{self, Bug};
use crate::shared_log::{Name, SharedLog};
use crate::spawn::spawn;
use crate::store::{Condemned, EachEntry};
use crate::{ByteStore, Entry, Freshness, Key, Level, Result, Time};
use std::pin::pin;
use std::sync::Arc;
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
        let text = full_key(level, key);
        match held(level, cx, &text).await {
            Ok(held) => judged(cx, &text, held?).await,
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
            // Whoever replaces a value has invalidated it, and what was loaded replaces nothing that others have.
            Step::Remove => {
                let removed = remove(level, cx, &full_key(level, key)).await;
                return removed.map_err(|error| cx.failed(Operation::Remove, error));
            }
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
        let removed = match log_of(level, cx) {
            Some(_) if planted::is(Bug::RemovalBehind) && level.behind.is_some() => {
                // Told a second later, as a value is that waits.
                let (coherence, clock) = (cx.coherence.clone(), Arc::clone(cx.clock));
                let _withdrawn = withdraw(level, &key).await;
                drop(spawn(async move {
                    clock.sleep(Duration::from_secs(1)).await;
                    let names = vec![Name::key(&key)];
                    let _ = coherence.invalidate(names, clock.now()).await;
                }));
                Ok(())
            }
            Some(shared) => {
                let _withdrawn = withdraw(level, &key).await;
                calls::void(level, cx, shared, &key, Name::key(&key)).await.map(drop)
            }
            None => remove(level, cx, &key).await,
        };
        removed.map_err(|error| cx.failed(Operation::Remove, error))
    }

    async fn void(level: &Level<B, Self>, cx: Cx<'_>, key: &K) -> Result<()> {
        let Some(shared) = log_of(level, cx).filter(|_| !cx.skips_write()) else { return Ok(()) };
        let key = full_key(level, key);
        // What waits is older than what comes now.
        let _withdrawn = withdraw(level, &key).await;
        if planted::is(Bug::InsertWithoutMark) {
            let guard = pin!(level.store.guard(&key, Duration::from_secs(600)));
            cx.note_token(calls::guarded(level, cx.witness(), Operation::Remove, guard).await?);
            return Ok(());
        }
        let voided = calls::void(level, cx, shared, &key, Name::key(&key)).await;
        cx.note_token(voided.map_err(|error| cx.failed(Operation::Remove, error))?);
        Ok(())
    }

    fn log(level: &Level<B, Self>) -> Option<Arc<dyn SharedLog>> {
        level.store.log()
    }

    fn address(level: &Level<B, Self>, key: &K) -> Option<String> {
        Some(full_key(level, key))
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
        let expired = match held.map(|held| held.map(|held: Held<V>| held.entry.expired(now, kept[0]))) {
            Ok(Some(entry)) if entry.freshness(now) == Freshness::Kept => Some(entry),
            Ok(None) => None,
            // What cannot be read cannot be kept for failures either.
            Ok(Some(_)) | Err(_) => return Self::remove(level, cx, key).await,
        };
        if let Some(shared) = log_of(level, cx) {
            // What is being loaded for this key is not to take the place of what is kept.
            let voided = calls::void(level, cx, shared, &text, Name::key(&text).expiring()).await;
            cx.note_token(voided.map_err(|error| cx.failed(Operation::Remove, error))?);
        }
        let Some(entry) = expired else { return Ok(()) };
        // Over before any clock can say otherwise: those of other machines may be behind.
        let life = entry.life().without_fresh_life();
        let stamp = Stamp { life, extra: entry.extra().cloned() };
        write(level, cx, &text, entry.value(), &stamp).await
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
        if let Some(shared) = log_of(level, cx) {
            // From here on nothing of it is served, in any process; what follows only frees the room.
            let marked = calls::invalidate(level, cx, shared, &[], &Name::namespace(&level.prefix)).await;
            marked.map_err(|error| cx.failed(Operation::Clear, error))?;
        }
        let clear = pin!(level.store.clear(&level.prefix));
        let answer = calls::guarded(level, cx.witness(), Operation::Clear, clear).await;
        cleared(answer).map_err(|error| cx.failed(Operation::Clear, error))
    }

    fn remove_where(_: &Level<B, Self>, cx: Cx<'_>, _: &Condemned<'_, K, V>) -> Result<u64> {
        if cx.skips_write() { Ok(0) } else { Err(cx.failed(Operation::Remove, blind())) }
    }

    fn for_each(_: &Level<B, Self>, _: &mut EachEntry<'_, K, V>) -> bool {
        false
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

fn full_key<S, C, K: ?Sized + Key>(level: &Level<S, C>, key: &K) -> String {
    let text = key.text();
    let mut full = String::with_capacity(level.prefix.len() + text.len());
    full.push_str(&level.prefix);
    full.push_str(&text);
    full
}

/// The log of the group, if it is kept by this level.
fn log_of<'a, B: ByteStore, C>(level: &Level<B, C>, cx: Cx<'a>) -> Option<&'a Shared> {
    let shared = cx.coherence.shared()?;
    level.store.log().is_some_and(|log| shared.is_of(&log)).then_some(shared)
}

/// Reads what is under the key, of whatever age; what is on its way there comes first.
async fn held<V, B: ByteStore, C: Codec<V>>(
    level: &Level<B, C>,
    cx: Cx<'_>,
    key: &str,
) -> Result<Option<Held<V>>> {
    let queued = level.behind.as_ref().and_then(|queue| queue.see(key));
    let stored = match log_of(level, cx) {
        // What is queued answers, and what is stored is what a load may replace.
        Some(shared) if queued.is_none() || cx.loads => match calls::read(level, cx, shared, key).await {
            Ok(record) => {
                cx.note_token(record.token);
                record.bytes
            }
            Err(error) if queued.is_none() => return Err(error),
            Err(_) => None,
        },
        None if queued.is_none() => calls::get(level, cx, key).await?,
        _ => None,
    };
    let is_voided = queued.is_none() && log_of(level, cx).is_some();
    let held = match queued {
        Some(Seen::Bytes(bytes)) => Some(bytes),
        Some(Seen::Nothing) => None,
        None => stored,
    };
    let Some(bytes) = held else { return Ok(None) };
    let entry = level.wire.open_at(key, &bytes, cx.moment())?;
    Ok(Some(Held { entry, is_voided }))
}

/// What is under a key.
struct Held<V> {
    entry: Entry<V>,
    /// Whether it was read together with the log's position, from where whoever removes the key voids it.
    is_voided: bool,
}

/// What the marks, and the time, leave of an entry that was read.
async fn judged<V: Send + Sync>(
    cx: Cx<'_>,
    key: &str,
    Held { entry, is_voided }: Held<V>,
) -> Option<Fetched<V>> {
    let position = entry.watch().and_then(|watch| watch.position);
    // Nothing here was read together with the position. Behind a level that did not answer, no older one will do.
    let is_known = is_voided
        || if cx.has_failed() {
            cx.coherence.confirm().await.is_ok()
        } else {
            cx.coherence.is_confirmed().await
        };
    let names = Names { key: cx.address.or(Some(key)), tags: entry.tags() };
    let (mut verdict, watch) = cx.coherence.judge_read(position, cx.tick, names, is_voided);
    if let (Verdict::Ask, Some(shared)) = (verdict, cx.coherence.shared()) {
        verdict = shared.ask(cx.coherence, position, names, is_voided).await;
    }
    if !is_known {
        // The log cannot be asked: what may have been removed is not served, not even where a load fails.
        verdict = verdict.and(Verdict::Ask);
    }
    cx.left(entry.watched(watch), verdict)
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
    let mut value = value;
    if log_of(level, cx).is_some() {
        // What was not seen cannot be compared, and may not be overwritten.
        let Some(token) = cx.token() else { return Ok(()) };
        value.token = Some(token);
    }
    let (value, _withdrawn) = match &level.behind {
        None => (value, None),
        Some(queue) => match queue.offer(cx, &level.guard, key, value).await {
            Offered::Queued => return Ok(()),
            Offered::Refused(value, withdrawn) => (value, Some(withdrawn)),
        },
    };
    cx.counters.level(cx.base).writes.add();
    calls::put(level, cx, key, value).await
}

/// Removes what is there or on its way there.
async fn remove<B: ByteStore, C: Format>(level: &Level<B, C>, cx: Cx<'_>, key: &str) -> Result<()> {
    let _withdrawn = withdraw(level, key).await;
    calls::remove(level, cx, key).await
}

/// Drops what is on its way there, if anything can be.
async fn withdraw<'a, B: ByteStore, C: Send + Sync>(
    level: &'a Level<B, C>,
    key: &str,
) -> Option<Withdrawn<'a>> {
    match &level.behind {
        Some(queue) => Some(queue.withdraw(key).await),
        None => None,
    }
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
    Ok(Sealed { bytes, expires_at, dead_at: stamp.life.dead_at, token: None })
}
