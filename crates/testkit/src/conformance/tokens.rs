//! Compare-and-set on the record that a read saw, of a store of bytes.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, PutIf, Token};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const KEY: &str = "suite:ada";
const HOUR: Duration = Duration::from_secs(3600);

/// A token, unless the store claims that it has none; then it must not pretend either.
async fn token<S: ByteStore>(store: &S) -> Option<Token> {
    let record = store.get_with_token(KEY, HOUR).await.unwrap();
    assert_eq!(record.token.is_some(), store.capabilities().put_if, "tokens are given as claimed");
    if record.token.is_none() {
        assert_eq!(store.guard(KEY, HOUR).await.unwrap(), None);
        let put = store.put_if(KEY, &Token::new(b"any".as_slice()), Bytes::new(), None).await;
        assert_eq!(put.unwrap(), PutIf::Unsupported);
        assert_eq!(store.get(KEY).await.unwrap(), record.bytes, "what is unsupported changes nothing");
    }
    record.token
}

async fn put_if<S: ByteStore>(store: &S, token: &Token, bytes: &'static str) -> PutIf {
    store.put_if(KEY, token, bytes.into(), None).await.unwrap()
}

/// A token is good for one put, which readers see; over bytes as over nothing.
///
/// # Panics
///
/// If not.
pub async fn a_token_is_good_for_one_put<S: ByteStore>(store: S) {
    let Some(absent) = token(&store).await else { return };
    assert_eq!(put_if(&store, &absent, "first").await, PutIf::Done);
    assert_eq!(put_if(&store, &absent, "second").await, PutIf::Refused);

    let record = store.get_with_token(KEY, HOUR).await.unwrap();
    assert_eq!(record.bytes, Some("first".into()));
    let present = record.token.unwrap();
    assert_eq!(put_if(&store, &present, "third").await, PutIf::Done);
    assert_eq!(put_if(&store, &present, "fourth").await, PutIf::Refused);
    assert_eq!(store.get(KEY).await.unwrap(), Some("third".into()));

    let far_ahead: SystemTime = UNIX_EPOCH + Duration::from_secs(7_258_118_400);
    let last = token(&store).await.unwrap();
    let put = store.put_if(KEY, &last, Bytes::new(), Some(far_ahead)).await.unwrap();
    assert_eq!((put, store.get(KEY).await.unwrap()), (PutIf::Done, Some(Bytes::new())));
}

/// Whatever happened to the key since a token was given, the put is refused; also if it looks as it did then.
///
/// # Panics
///
/// If not.
pub async fn what_happened_since_refuses<S: ByteStore>(store: S) {
    if token(&store).await.is_none() {
        return;
    }
    for before in [None, Some("the same")] {
        for event in ["put", "put the same", "remove", "guard", "put_if", "clear", "put_many", "remove_many"]
        {
            store.remove(KEY).await.unwrap();
            if let Some(bytes) = before {
                store.put(KEY, bytes.into(), None).await.unwrap();
            }
            let token = token(&store).await.unwrap();
            let put =
                |bytes: &'static str| larder_core::Put { key: KEY, bytes: bytes.into(), expires_at: None };
            match event {
                "put" => store.put(KEY, "new".into(), None).await.unwrap(),
                "put the same" => store.put(KEY, "the same".into(), None).await.unwrap(),
                "remove" => store.remove(KEY).await.unwrap(),
                "guard" => assert!(store.guard(KEY, HOUR).await.unwrap().is_some()),
                "put_if" => assert_eq!(put_if(&store, &token, "the same").await, PutIf::Done),
                "clear" if store.capabilities().clear => _ = store.clear("suite:").await.unwrap(),
                "put_many" => store.put_many(&[put("the same")]).await.pop().unwrap().unwrap(),
                "remove_many" => store.remove_many(&[KEY]).await.pop().unwrap().unwrap(),
                _ => continue,
            }
            let since = store.get(KEY).await.unwrap();
            assert_eq!(put_if(&store, &token, "overtaken").await, PutIf::Refused, "{before:?}, {event}");
            assert_eq!(store.get(KEY).await.unwrap(), since, "{before:?}, {event}");

            // What is there now, or a guard, has nothing in common with what the token was for.
            let again = self::token(&store).await.unwrap();
            assert_eq!(
                put_if(&store, &token, "overtaken").await,
                PutIf::Refused,
                "{before:?}, {event}, read"
            );
            assert_eq!(put_if(&store, &again, "current").await, PutIf::Done, "{before:?}, {event}");
        }
    }
}

/// A guard is nothing to every reader, and removes what was there.
///
/// # Panics
///
/// If not.
pub async fn a_guard_is_nothing_to_readers<S: ByteStore>(store: S) {
    if token(&store).await.is_none() {
        return;
    }
    assert_eq!(store.get(KEY).await.unwrap(), None);
    assert_eq!(store.get_many(&[KEY]).await.pop().unwrap().unwrap(), None);

    store.put(KEY, "countess".into(), None).await.unwrap();
    let own = store.guard(KEY, HOUR).await.unwrap().expect("claimed");
    assert_eq!(store.get(KEY).await.unwrap(), None);
    let record = store.get_with_token(KEY, HOUR).await.unwrap();
    assert_eq!((record.bytes, record.token), (None, Some(own.clone())), "a guard that is there is used");
    assert_eq!(put_if(&store, &own, "mine").await, PutIf::Done);

    store.guard(KEY, HOUR).await.unwrap();
    store.remove(KEY).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap(), None);
    store.put(KEY, "again".into(), None).await.unwrap();
    assert_eq!(store.get(KEY).await.unwrap(), Some("again".into()));
}

/// Of many who put with one token at the same time, one does.
///
/// # Panics
///
/// If more do, or none.
pub async fn of_many_with_one_token_one_puts<S: ByteStore>(store: S) {
    let store = Arc::new(store);
    for _ in 0..5 {
        let Some(token) = token(&*store).await else { return };
        let puts: Vec<_> = (0..16)
            .map(|writer: usize| {
                let (store, token) = (Arc::clone(&store), token.clone());
                tokio::spawn(async move { store.put_if(KEY, &token, vec![7; writer].into(), None).await })
            })
            .collect();
        let mut winner = None;
        for (writer, put) in puts.into_iter().enumerate() {
            match put.await.unwrap().unwrap() {
                PutIf::Done => assert_eq!(winner.replace(writer), None, "two have put with one token"),
                PutIf::Refused => {}
                PutIf::Unsupported => panic!("the store claims to support it"),
            }
        }
        let winner = winner.expect("one puts");
        assert_eq!(store.get(KEY).await.unwrap().unwrap().len(), winner);
    }
}
