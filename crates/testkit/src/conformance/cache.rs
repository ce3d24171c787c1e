//! What a cache over the store must do, in whichever form it is put to use.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use super::form::Tested;
use crate::{Loader, MockClock};
use bytes::Bytes;
use larder_core::{Freshness, Holds};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

macro_rules! behaviours {
    ($($(#[$doc:meta])* async fn $name:ident($cache:ident, $clock:ident) $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        ///
        /// If it is not so.
        pub async fn $name<S, C>($cache: Tested<S, C>, $clock: MockClock)
        where
            S: Send + Sync + 'static,
            C: Holds<S, str, Bytes>,
        $body
    )*};
}

behaviours! {
    /// A key that nobody inserted is absent.
    async fn an_absent_key_is_none(cache, _clock) {
        assert_eq!(cache.get("ada").await.unwrap(), None);
        assert!(!cache.contains("ada").await.unwrap());
        assert!(cache.lookup("ada").await.unwrap().is_none());
    }

    /// A value comes back, as often as it is asked for, until it is removed.
    async fn a_value_comes_back_until_it_is_removed(cache, _clock) {
        cache.insert("ada", "countess".into()).await.unwrap();
        for _ in 0..3 {
            assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
        }
        assert!(cache.contains("ada").await.unwrap());
        cache.remove("ada").await.unwrap();
        cache.remove("ada").await.unwrap();
        assert_eq!(cache.get("ada").await.unwrap(), None);
    }

    /// An insert replaces what was there, longer or shorter.
    async fn an_insert_replaces(cache, _clock) {
        for value in ["first", "a longer second value", "3"] {
            cache.insert("ada", value.into()).await.unwrap();
            assert_eq!(cache.get("ada").await.unwrap(), Some(value.into()));
        }
    }

    /// Keys are kept apart by every character, whatever characters and however many they have.
    async fn keys_that_differ_do_not_meet(cache, _clock) {
        let keys = awkward_keys();
        for (number, key) in keys.iter().enumerate() {
            cache.insert(key, number.to_string().into()).await.unwrap();
        }
        for (number, key) in keys.iter().enumerate() {
            let found = cache.get(key).await.unwrap();
            assert_eq!(found, Some(number.to_string().into()), "key {number}: {key:.40?}");
        }
        cache.remove(&keys[0]).await.unwrap();
        assert!(cache.get(&keys[1]).await.unwrap().is_some(), "removing one key removed another");
    }

    /// Values of no byte and of 10 MiB come back whole.
    async fn empty_and_large_values_come_back(cache, _clock) {
        empty_and_of(10 << 20, &cache).await;
    }

    /// Values of no byte and of 1 MiB come back whole: where a codec writes out each byte, that is large.
    async fn empty_and_mebibyte_values_come_back(cache, _clock) {
        empty_and_of(1 << 20, &cache).await;
    }

    /// An entry is there until its ttl ends, and not afterwards.
    async fn entries_expire_on_time(cache, clock) {
        let cache = cache.ttl(60 * SECOND);
        cache.insert("ada", "countess".into()).await.unwrap();
        clock.advance(60 * SECOND - Duration::from_millis(1));
        assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
        clock.advance(Duration::from_millis(1));
        assert_eq!(cache.get("ada").await.unwrap(), None);

        cache.insert("ada", "again".into()).await.unwrap();
        assert_eq!(cache.get("ada").await.unwrap(), Some("again".into()));
    }

    /// A life of 50 ms is one of 50 ms: not of none, of a second, or without end.
    async fn sub_second_lives_are_kept(cache, clock) {
        let cache = cache.ttl(Duration::from_millis(50));
        cache.insert("ada", "countess".into()).await.unwrap();
        clock.advance(Duration::from_millis(49));
        assert!(cache.contains("ada").await.unwrap());
        clock.advance(Duration::from_millis(1));
        assert!(!cache.contains("ada").await.unwrap());
    }

    /// What has no ttl is there after fifty years.
    async fn a_life_without_end_has_none(cache, clock) {
        cache.insert("ada", "countess".into()).await.unwrap();
        clock.advance(50 * 365 * 24 * 3600 * SECOND);
        assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    }

    /// In its stale window an entry is served as stale, and not afterwards.
    async fn a_stale_entry_is_served(cache, clock) {
        let cache = cache.ttl(60 * SECOND).stale(30 * SECOND);
        cache.insert("ada", "countess".into()).await.unwrap();
        clock.advance(60 * SECOND);
        let found = cache.lookup("ada").await.unwrap().expect("stale entries are served");
        assert_eq!((found.freshness(), found.age()), (Freshness::Stale, 60 * SECOND));
        clock.advance(30 * SECOND);
        assert_eq!(cache.get("ada").await.unwrap(), None);
    }

    /// Many tasks that write and read many keys find their own values.
    async fn concurrent_keys_keep_their_values(cache, _clock) {
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let cache = cache.clone();
                tokio::spawn(async move {
                    for key in 0..20 {
                        let key = format!("{task}/{key}");
                        cache.insert(&key, key.clone().into()).await.unwrap();
                        assert_eq!(cache.get(&key).await.unwrap(), Some(key.into()));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }

    /// Whatever many writers do to one key, a reader sees one of the values, whole.
    async fn concurrent_writers_of_one_key_leave_one_whole_value(cache, _clock) {
        let write = |writer: u8| {
            let cache = cache.clone();
            async move {
                for round in 0..10 {
                    // Lengths differ, so that a mixture would show.
                    let value = vec![writer; 1_000 * usize::from(writer) + 100 * round];
                    cache.insert("ada", value.into()).await.unwrap();
                }
            }
        };
        let read = || {
            let cache = cache.clone();
            async move {
                for _ in 0..50 {
                    let Some(value) = cache.get("ada").await.unwrap() else { continue };
                    let writer = value[0];
                    assert!(value.iter().all(|byte| *byte == writer), "the value is a mixture");
                    assert!((0..10).any(|round| value.len() == 1_000 * usize::from(writer) + 100 * round));
                }
            }
        };
        let mut tasks: Vec<_> = (1..=6).map(|writer| tokio::spawn(write(writer))).collect();
        tasks.extend((0..4).map(|_| tokio::spawn(read())));
        for task in tasks {
            task.await.unwrap();
        }
        assert!(cache.get("ada").await.unwrap().is_some(), "the last write is there");
    }

    /// An insert that is dropped at any of its awaits leaves the old value, the new one, or none; and never
    /// overwrites what is inserted after it.
    async fn a_cancelled_insert_leaves_old_new_or_nothing(cache, _clock) {
        for polls in 0..6 {
            cache.insert("ada", "old".into()).await.unwrap();
            {
                let mut insert = pin!(cache.insert("ada", "new".into()));
                for _ in 0..polls {
                    if poll_fn(|cx| Poll::Ready(insert.as_mut().poll(cx))).await.is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let seen = cache.get("ada").await.unwrap();
            assert!(seen.is_none() || seen == Some("old".into()) || seen == Some("new".into()), "{seen:?}");

            cache.insert("ada", "newest".into()).await.unwrap();
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            assert_eq!(cache.get("ada").await.unwrap(), Some("newest".into()));
        }
    }

    /// A hundred callers of one missing key cost one load.
    async fn a_hundred_callers_load_once(cache, _clock) {
        let loader: Loader<Bytes> = Loader::value("countess".into()).gated();
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let (cache, load) = (cache.clone(), loader.load());
                tokio::spawn(async move { cache.get_or_load("ada", load).await })
            })
            .collect();
        loader.gate().reached(1).await;
        loader.gate().open();
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap(), "countess");
        }
        assert_eq!(loader.loads(), 1);
        assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
    }

    /// A value whose load began before a remove is not there after it.
    async fn a_remove_during_a_load_wins(cache, _clock) {
        let loader: Loader<Bytes> = Loader::value("old".into()).gated();
        let caller = tokio::spawn({
            let (cache, load) = (cache.clone(), loader.load());
            async move { cache.get_or_load("ada", load).await }
        });
        loader.gate().reached(1).await;
        cache.remove("ada").await.unwrap();
        loader.gate().open();
        assert_eq!(caller.await.unwrap().unwrap(), "old");
        assert_eq!(cache.get("ada").await.unwrap(), None);
    }

    /// A value whose load began before an insert does not replace it.
    async fn an_insert_during_a_load_wins(cache, _clock) {
        let loader: Loader<Bytes> = Loader::value("old".into()).gated();
        let caller = tokio::spawn({
            let (cache, load) = (cache.clone(), loader.load());
            async move { cache.get_or_load("ada", load).await }
        });
        loader.gate().reached(1).await;
        cache.insert("ada", "new".into()).await.unwrap();
        loader.gate().open();
        assert_eq!(caller.await.unwrap().unwrap(), "old");
        assert_eq!(cache.get("ada").await.unwrap(), Some("new".into()));
    }

    /// `clear` removes every entry, or says that it cannot and removes none from that level.
    async fn clear_removes_everything(cache, _clock) {
        for key in ["ada", "bob", "7", ""] {
            cache.insert(key, key.into()).await.unwrap();
        }
        match cache.clear().await {
            Ok(()) => {
                for key in ["ada", "bob", "7", ""] {
                    assert_eq!(cache.get(key).await.unwrap(), None, "{key}");
                }
                cache.insert("ada", "again".into()).await.unwrap();
                assert_eq!(cache.get("ada").await.unwrap(), Some("again".into()));
            }
            Err(error) => assert_eq!(error.kind(), larder_core::ErrorKind::Unsupported),
        }
    }
}

async fn empty_and_of<S, C>(length: u32, cache: &Tested<S, C>)
where
    S: Send + Sync + 'static,
    C: Holds<S, str, Bytes>,
{
    let large: Bytes = (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    cache.insert("empty", Bytes::new()).await.unwrap();
    cache.insert("large", large.clone()).await.unwrap();
    assert_eq!(cache.get("empty").await.unwrap(), Some(Bytes::new()));
    assert!(cache.get("large").await.unwrap() == Some(large), "{length} bytes did not come back");
}

/// Keys that careless stores confuse, lose or choke on.
fn awkward_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a",
        "A",
        "b",
        "",
        " ",
        "  ",
        "a ",
        " a",
        "a b",
        "a:b",
        ":",
        "::",
        "a/b",
        "a//b",
        "/a",
        "a/",
        ".",
        "..",
        "../a",
        "a/../b",
        "./a",
        "a\\b",
        "C:",
        "CON",
        "nul",
        "a.json",
        "a#1",
        "#",
        "?",
        "a?b",
        "*",
        "a*",
        "[a]",
        "{a}",
        "{}",
        "%",
        "%2F",
        "%2f",
        "%252F",
        "a%b",
        "'",
        "\"",
        "a'b",
        "`",
        "$(a)",
        ";",
        "a;b",
        "|",
        "&",
        "<a>",
        "-",
        "--",
        "-1",
        "1",
        "01",
        "1.0",
        "true",
        "null",
        "~",
        "~t",
        "(a,b)",
        "\0",
        "a\0b",
        "a\0",
        "\n",
        "a\nb",
        "\r\n",
        "\t",
        "\u{1}",
        "\u{7f}",
        "é",
        "e\u{301}",
        "ß",
        "ss",
        "İ",
        "i",
        "日本",
        "\u{feff}",
        "\u{202e}a",
        "🦀",
    ]
    .map(String::from)
    .into();
    let long = "k".repeat(9_999);
    keys.extend([
        format!("{long}a"),
        format!("{long}b"),
        long,
        "é".repeat(300),
        "/".repeat(300),
        "a".repeat(250),
    ]);
    keys
}
