//! What caches of two processes over one log serve of what the other one has invalidated. Each test has the store twice; each of
//! the two gets a clock, a memory and a group of its own, as a process has them.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use crate::{Fake, Gate, MockClock};
use bytes::Bytes;
use larder_core::{ByteStore, Cache, Coherence, load};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Users = Cache<str, Bytes>;

struct Process<S> {
    users: Users,
    /// The same cache without its memory.
    behind: Users,
    clock: MockClock,
    store: Arc<S>,
}

fn process<S: ByteStore>(store: S) -> Process<S> {
    let (store, clock) = (Arc::new(store), MockClock::new());
    let far = Cache::new(Arc::clone(&store)).namespace("users");
    let users =
        Cache::new(Fake::<str, Bytes>::new()).chain(far).ttl(600 * SECOND).clock(clock.clone()).boxed();
    Process { behind: users.with(|call| call.skip_level(0)), users, clock, store }
}

fn processes<S: ByteStore, T: ByteStore>((one, two): (S, T)) -> (Process<S>, Process<T>) {
    (process(one), process(two))
}

fn text(number: u8) -> Bytes {
    Bytes::from(format!("state {number}"))
}

/// Loads what is tagged `team:7`, unless it is there.
async fn loaded(users: &Users, number: u8) -> Bytes {
    let load = async move || {
        load::depends_on("team:7");
        Ok::<_, ()>(text(number))
    };
    users.get_or_load("ada", load).await.unwrap()
}

async fn read(users: &Users) -> Option<Bytes> {
    users.get("ada").await.unwrap()
}

/// Whoever reads through the store does not get what another process invalidated, in whichever way.
///
/// # Panics
///
/// If it does.
pub async fn a_read_through_the_store_gives_nothing_that_was_invalidated<S: ByteStore, T: ByteStore>(
    stores: (S, T),
) {
    let (one, two) = processes(stores);
    for way in 0..5 {
        assert_eq!(loaded(&one.users, way).await, text(way));
        assert_eq!(read(&two.behind).await, Some(text(way)), "the other process has it too");
        match way {
            0 => one.users.remove("ada").await.unwrap(),
            1 => one.users.invalidate_tag("team:7").await.unwrap(),
            2 => one.users.clear().await.unwrap(),
            3 => one.users.expire("ada").await.unwrap(),
            _ => one.users.expire_tag("team:7").await.unwrap(),
        }
        assert_eq!((read(&two.behind).await, read(&one.users).await), (None, None), "way {way}");
    }
    one.users.insert("ada", text(7)).await.unwrap();
    assert_eq!((read(&two.behind).await, read(&one.users).await), (Some(text(7)), Some(text(7))));
}

/// A copy in the memory of another process is served for as long as the bound, and not longer.
///
/// # Panics
///
/// If it is served later, or if the process then does not recover.
pub async fn a_copy_in_memory_is_served_no_longer_than_the_bound<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, two) = processes(stores);
    loaded(&one.users, 36).await;
    assert_eq!(read(&two.users).await, Some(text(36)));
    one.users.invalidate_tag("team:7").await.unwrap();

    assert_eq!(two.users.get_now("ada"), Some(text(36)), "nobody has told it");
    two.clock.advance(SECOND);
    assert_eq!(two.users.get_now("ada"), None, "it would have to ask");
    assert_eq!(read(&two.users).await, None);
    assert_eq!(loaded(&two.users, 37).await, text(37));
    assert_eq!(two.users.get_now("ada"), Some(text(37)));
}

/// A copy that nobody invalidated is served on when the log was asked once, for all copies.
///
/// # Panics
///
/// If it is read anew, or the log is asked for each.
pub async fn a_copy_that_nobody_invalidated_is_served_on_after_one_question<S: ByteStore, T: ByteStore>(
    stores: (S, T),
) {
    let (one, _two) = processes(stores);
    loaded(&one.users, 36).await;
    one.users.get_or_load("bob", async || Ok::<_, ()>(text(40))).await.unwrap();
    one.clock.advance(SECOND);
    let asked = || one.users.group().stats().confirmations;
    let before = asked();
    assert_eq!(read(&one.users).await, Some(text(36)));
    assert_eq!(one.users.get("bob").await.unwrap(), Some(text(40)));
    assert_eq!(asked(), before + 1);
    assert_eq!(one.users.stats().levels[1].fresh_hits, 0, "both were in memory");
}

/// A load which was under way when another process invalidated its key goes to who waits for it, and is not stored.
///
/// # Panics
///
/// If anybody finds it afterwards.
pub async fn a_load_that_another_process_overtook_is_not_stored<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, two) = processes(stores);
    let gate = Gate::closed();
    let (users, opens) = (one.users.clone(), gate.clone());
    let early = tokio::spawn(async move {
        let load = async move || {
            opens.pass().await;
            Ok::<_, ()>(text(36))
        };
        users.get_or_load("ada", load).await.unwrap()
    });
    gate.reached(1).await;
    two.users.remove("ada").await.unwrap();
    gate.open();
    assert_eq!(early.await.unwrap(), text(36), "who waited for it gets it");
    assert_eq!(read(&two.behind).await, None);
    one.clock.advance(SECOND);
    assert_eq!(read(&one.users).await, None);
}

/// A cache of a group of its own leaves the log alone, and what it writes is not believed by those who go by the log.
///
/// # Panics
///
/// If it is.
pub async fn what_is_written_past_the_log_is_not_believed<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, two) = processes(stores);
    let apart = Cache::new(Arc::clone(&two.store))
        .namespace("users")
        .clock(two.clock.clone())
        .coherence(&Coherence::new())
        .boxed();
    loaded(&one.users, 36).await;
    assert_eq!(read(&apart).await, Some(text(36)));
    apart.insert("ada", text(37)).await.unwrap();
    assert_eq!(read(&two.users).await, None, "it says no position");
}
