//! The contract of a store of values, without a cache around it.

use bytes::Bytes;
use larder_core::{Cleared, Entry, Freshness, Store, Time};
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn born() -> Time {
    Time::from_nanos(0).after(1_000_000 * SECOND)
}

fn entry(value: &'static str) -> Entry<Bytes> {
    Entry::new(Bytes::from_static(value.as_bytes()), born()).fresh_for(60 * SECOND).stale_for(30 * SECOND)
}

async fn read<S: Store<str, Value = Bytes>>(store: &S, key: &str) -> Option<Entry<Bytes>> {
    store.get(key).await.expect("a healthy store can be read")
}

async fn write<S: Store<str, Value = Bytes>>(store: &S, key: &str, entry: Entry<Bytes>) {
    store.insert(key, entry).await.expect("a healthy store can be written");
}

/// An entry comes back as it was, its times included.
///
/// # Panics
///
/// If it does not.
pub async fn an_entry_comes_back_with_its_times<S: Store<str, Value = Bytes>>(store: S) {
    assert!(read(&store, "ada").await.is_none(), "an empty store has nothing");
    write(&store, "ada", entry("countess")).await;

    let found = read(&store, "ada").await.expect("what was inserted is there");
    assert_eq!(found.value(), "countess");
    assert_eq!(found.loaded_at(), born());
    assert_eq!(found.fresh_until(), born().after(60 * SECOND));
    assert_eq!(found.stale_until(), born().after(90 * SECOND));

    write(&store, "eternal", Entry::new(Bytes::from_static(b"!"), born())).await;
    let eternal = read(&store, "eternal").await.expect("what was inserted is there");
    assert_eq!(eternal.freshness(born().after(1_000_000_000 * SECOND)), Freshness::Fresh);
}

/// The last insert counts; a removed entry is gone; removing what is not there is fine.
///
/// # Panics
///
/// If not.
pub async fn an_insert_replaces_and_a_remove_removes<S: Store<str, Value = Bytes>>(store: S) {
    write(&store, "ada", entry("old")).await;
    write(&store, "bob", entry("other")).await;
    write(&store, "ada", entry("new")).await;
    assert_eq!(read(&store, "ada").await.map(Entry::into_value), Some("new".into()));

    store.remove("ada").await.expect("a healthy store can be removed from");
    store.remove("ada").await.expect("removing what is not there is no error");
    assert!(read(&store, "ada").await.is_none());
    assert_eq!(read(&store, "bob").await.map(Entry::into_value), Some("other".into()));
}

/// Where all entries can be looked at, what is condemned goes, and the store may be asked meanwhile.
///
/// # Panics
///
/// If not.
pub async fn what_is_condemned_goes<S: Store<str, Value = Bytes>>(store: S) {
    write(&store, "ada", entry("countess")).await;
    write(&store, "bob", entry("carpenter")).await;
    let removed = store.remove_where(&|name, value| store.get_now(name).is_pending() || value == "carpenter");
    let Some(removed) = removed else { return };
    let was_asked = store.get_now("ada").is_ready();
    assert_eq!(removed, if was_asked { 1 } else { 2 });
    assert!(read(&store, "bob").await.is_none());
    assert_eq!(read(&store, "ada").await.is_some(), was_asked);
    assert_eq!(store.remove_where(&|_, value| value == "carpenter"), Some(0), "it is gone");
    assert_eq!(Arc::new(store).remove_where(&|_, _| false), Some(0), "an arc of the store is the store");
}

/// Where all entries can be looked at, each is handed out with its times until that is enough, and the store may be asked
/// meanwhile.
///
/// # Panics
///
/// If not.
pub async fn every_entry_is_handed_out<S: Store<str, Value = Bytes>>(store: S) {
    write(&store, "ada", entry("countess")).await;
    write(&store, "bob", entry("carpenter")).await;
    let mut seen = Vec::new();
    let looked = store.for_each(&mut |name, entry| {
        assert_eq!(entry.loaded_at(), born());
        let _ = store.get_now(name);
        seen.push((name.to_owned(), entry.into_value()));
        ControlFlow::Continue(())
    });
    if !looked {
        return;
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, [("ada".into(), "countess".into()), ("bob".into(), "carpenter".into())]);

    let mut handed = 0;
    let mut first = |_: &str, _: Entry<Bytes>| {
        handed += 1;
        ControlFlow::Break(())
    };
    assert!(Arc::new(store).for_each(&mut first), "an arc of the store is the store");
    assert_eq!(handed, 1, "that was enough");
}

/// `Arc<S>` forwards everything.
///
/// # Panics
///
/// If not.
pub async fn an_arc_of_the_store_is_the_store<S: Store<str, Value = Bytes>>(store: S) {
    let store = Arc::new(store);
    write(&store, "ada", entry("countess")).await;
    assert!(read(&*store, "ada").await.is_some());
    assert_eq!(Store::capabilities(&store), S::capabilities(&store));
    assert_eq!(Store::usage(&store), S::usage(&store));
}

/// What the capabilities say is so.
///
/// # Panics
///
/// If not.
pub async fn what_it_claims_is_true<S: Store<str, Value = Bytes>>(store: S) {
    let claims = store.capabilities();
    write(&store, "ada", entry("countess")).await;

    if claims.immediate {
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(matches!(store.get_now("ada"), Poll::Ready(Some(_))), "`immediate`: a hit is Ready");
        assert!(matches!(store.get_now("bob"), Poll::Ready(None)), "`immediate`: a miss is Ready");
        assert!(pin!(store.get("ada")).poll(cx).is_ready(), "`immediate`: get does not wait");
        assert!(
            pin!(store.insert("eve", entry("!"))).poll(cx).is_ready(),
            "`immediate`: insert does not wait"
        );
        assert!(pin!(store.remove("eve")).poll(cx).is_ready(), "`immediate`: remove does not wait");
    }
    if claims.sweep {
        let lives = Entry::new(Bytes::from_static(b"!"), born()).fresh_for(100 * SECOND);
        write(&store, "lives", lives).await;
        store.sweep(born().after(90 * SECOND));
        assert!(read(&store, "ada").await.is_none(), "`sweep`: what is dead is freed");
        assert!(read(&store, "lives").await.is_some(), "`sweep`: what lives stays");
        if let Some(usage) = store.usage() {
            assert_eq!(usage.entries, 1, "`sweep`: what was freed is no longer counted");
        }
    }
    write(&store, "ada", entry("countess")).await;
    let cleared = store.clear().await.expect("a healthy store can be cleared");
    assert_eq!(cleared == Cleared::Done, claims.clear, "`clear` does what the capability says");
    assert_eq!(
        read(&store, "ada").await.is_none(),
        claims.clear,
        "`clear` removes if and only if it says so"
    );
}
