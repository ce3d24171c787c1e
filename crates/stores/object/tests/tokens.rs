//! Tokens and guards where others are at work on the same object.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod spy;
}

use larder_core::{ByteStore, ErrorKind, PutIf, Token};
use larder_object::Object;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use support::clock::HandClock;
use support::spy::Spy;

const KEY: &str = "users:ada";
const MINUTE: Duration = Duration::from_secs(60);

fn store() -> (Spy, Object, HandClock) {
    let (spy, clock) = (Spy::new(), HandClock::default());
    let store = Object::from_store(Arc::new(spy.clone())).compare_and_set(true).clock(clock.clone());
    (spy, store, clock)
}

async fn token(store: &Object) -> Token {
    let record = store.get_with_token(KEY, MINUTE).await.unwrap();
    assert_eq!(record.bytes, None);
    record.token.unwrap()
}

#[tokio::test]
async fn of_many_who_find_nothing_one_plants_and_all_share_it() {
    let (spy, store, _) = store();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { token(&store).await })
        })
        .collect();
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await.unwrap());
    }
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    let created = spy.take().iter().filter(|request| request.starts_with("PUT Create")).count();
    assert!(created > 1, "they did not race");
    assert_eq!(store.put_if(KEY, &tokens[7], "1815".into(), None).await.unwrap(), PutIf::Done);
}

/// Whoever has the guard's token keeps it: its number stays, though its version changes.
#[tokio::test]
async fn a_guard_that_is_prolonged_is_still_the_one_that_was_given_out() {
    let (spy, store, clock) = store();
    let early = token(&store).await;
    clock.advance(MINUTE + Duration::from_millis(1));
    spy.take();
    let late = token(&store).await;
    assert_eq!(spy.take(), ["GET", "PUT Update 28"]);
    assert_ne!(early, late);

    assert_eq!(store.put_if(KEY, &early, "by the first".into(), None).await.unwrap(), PutIf::Done);
    assert_eq!(store.put_if(KEY, &late, "by the second".into(), None).await.unwrap(), PutIf::Refused);
    assert_eq!(store.get(KEY).await.unwrap(), Some("by the first".into()));
}

#[tokio::test]
async fn a_guard_lasts_from_each_read_on_for_as_long_as_was_asked() {
    let (_, store, clock) = store();
    for _ in 0..10 {
        let token = token(&store).await;
        clock.advance(MINUTE - Duration::from_millis(1));
        assert_eq!(store.purge_expired(&clock).await.unwrap().guards, 0);
        assert_eq!(self::token(&store).await.as_bytes()[..20], token.as_bytes()[..20], "the same guard");
    }
}

#[tokio::test]
async fn a_guard_is_freed_by_a_purge_once_its_time_has_passed() {
    let (_, store, clock) = store();
    let token = token(&store).await;
    store.put("users:bob", "no envelope".into(), None).await.unwrap();
    clock.advance(2 * MINUTE - Duration::from_millis(1));
    let purged = store.purge_expired(&clock).await.unwrap();
    assert_eq!((purged.examined, purged.guards, purged.removed, purged.unreadable), (2, 0, 0, 1));

    clock.advance(Duration::from_millis(1));
    let purged = store.purge_expired(&clock).await.unwrap();
    assert_eq!((purged.examined, purged.guards, purged.removed, purged.unreadable), (2, 1, 0, 1));
    assert_eq!(store.put_if(KEY, &token, "late".into(), None).await.unwrap(), PutIf::Refused);
    assert_eq!(store.get(KEY).await.unwrap(), None);
}

#[tokio::test]
async fn a_guard_for_ever_is_no_panic() {
    let (_, store, clock) = store();
    store.guard(KEY, Duration::MAX).await.unwrap().unwrap();
    clock.advance(Duration::from_secs(100 * 365 * 24 * 3600));
    assert_eq!(store.purge_expired(&clock).await.unwrap().guards, 0);
    store.get_with_token(KEY, Duration::MAX).await.unwrap();
}

/// The driver tries again when the server failed, and finds what it wrote itself.
#[tokio::test]
async fn a_put_whose_answer_was_lost_is_done() {
    let (spy, store, _) = store();
    let token = token(&store).await;
    spy.counts.lost_answers.store(1, SeqCst);
    assert_eq!(store.put_if(KEY, &token, "1815".into(), None).await.unwrap(), PutIf::Done);
    assert_eq!(store.get(KEY).await.unwrap(), Some("1815".into()));
}

/// Reads find nothing, and nothing can be created: as if others removed and created it all the time.
#[tokio::test]
async fn an_object_that_never_rests_is_an_error_and_not_a_loop() {
    let (spy, store, _) = store();
    store.put(KEY, "1815".into(), None).await.unwrap();
    spy.counts.is_hidden.store(true, SeqCst);
    spy.take();
    let error = store.get_with_token(KEY, MINUTE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("was changed by others 16 times"), "{error}");
    assert_eq!(spy.take().len(), 32);
}

#[tokio::test]
async fn a_token_of_another_store_is_refused() {
    let (_, store, _) = store();
    store.put(KEY, "1815".into(), None).await.unwrap();
    for foreign in [&b""[..], b"any", &[0; 12], &[0xFF; 100]] {
        let foreign = Token::new(foreign.to_vec());
        assert_eq!(store.put_if(KEY, &foreign, "x".into(), None).await.unwrap(), PutIf::Refused);
    }
    assert_eq!(store.get(KEY).await.unwrap(), Some("1815".into()));
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_put_and_the_record_stays() {
    let (_, store, _) = store();
    let store = store.max_object_bytes(100);
    let token = token(&store).await;
    let error = store.put_if(KEY, &token, vec![0; 101].into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(store.put_if(KEY, &token, vec![0; 100].into(), None).await.unwrap(), PutIf::Done);
}

#[tokio::test]
async fn a_server_that_ignores_conditions_is_found_by_the_check() {
    let (spy, store, _) = store();
    spy.counts.is_blind.store(true, SeqCst);
    let error = store.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("say `.compare_and_set(false)`"), "{error}");
    spy.counts.is_blind.store(false, SeqCst);
    store.check().await.unwrap();
    spy.counts.is_blind_to_creation.store(true, SeqCst);
    assert_eq!(store.check().await.unwrap_err().kind(), ErrorKind::Config);
    store.compare_and_set(false).check().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_was_given_as_a_driver_is_found_by_the_check() {
    let scratch = tempfile::tempdir().unwrap();
    let driver = object_store::local::LocalFileSystem::new_with_prefix(scratch.path()).unwrap();
    let store = Object::from_store(Arc::new(driver)).compare_and_set(true);
    let error = store.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the driver cannot put on a condition"), "{error}");
}
