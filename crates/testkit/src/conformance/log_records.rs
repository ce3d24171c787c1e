//! The records of a store, read and voided through its log.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use super::shared_log::{HOUR, log_of};
use super::until::until;
use bytes::Bytes;
use larder_core::{ByteStore, Invalidation, Name, PutIf, SharedLog, Token};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

/// A key that no other test has: they may share a server.
fn key(text: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("suite-{}-{}:{text}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

async fn put_if<S: ByteStore>(store: &S, key: &str, token: &Token, bytes: impl Into<Bytes>) -> PutIf {
    store.put_if(key, token, bytes.into(), None).await.unwrap()
}

async fn read(log: &dyn SharedLog, key: &str) -> Option<Bytes> {
    log.read(None, key, None).await.unwrap().0.bytes
}

/// What is read through the log is what the store has.
///
/// # Panics
///
/// If not.
pub async fn a_read_is_what_the_store_has<S: ByteStore, T: ByteStore>((one, other): (S, T)) {
    let (log, ada) = (log_of(&other), key("ada"));
    assert_eq!(read(&*log, &ada).await, None);
    for bytes in ["countess", "", "programmer"] {
        one.put(&ada, bytes.into(), None).await.unwrap();
        assert_eq!(read(&*log, &ada).await, Some(bytes.into()));
        assert_eq!(other.get(&ada).await.unwrap(), Some(bytes.into()));
    }
    let (record, news) = log.read(None, &ada, Some(HOUR)).await.unwrap();
    let token = record.token.expect("with a guard there is a token");
    assert_eq!(record.bytes, Some("programmer".into()));
    assert_eq!(one.get_with_token(&ada, HOUR).await.unwrap().token, Some(token.clone()), "the store's own");
    assert_eq!(put_if(&one, &ada, &token, "first").await, PutIf::Done);
    assert_eq!(put_if(&other, &ada, &token, "second").await, PutIf::Refused);
    let (record, later) = log.read(Some(news.position), &ada, None).await.unwrap();
    assert_eq!((record.bytes, later), (Some("first".into()), news), "puts are no invalidations");
    one.remove(&ada).await.unwrap();
    assert_eq!(read(&*log, &ada).await, None);
}

/// Who says for how long gets a guard where nothing is; who does not gets none.
///
/// # Panics
///
/// If not.
pub async fn a_guard_is_planted_for_who_says_for_how_long<S: ByteStore, T: ByteStore>((one, other): (S, T)) {
    let (log, ada, bob) = (log_of(&one), key("ada"), key("bob"));
    let (record, _) = log.read(None, &ada, Some(HOUR)).await.unwrap();
    let token = record.token.expect("with a guard there is a token");
    assert_eq!((record.bytes, other.get(&ada).await.unwrap()), (None, None), "a guard is nothing to readers");
    let (again, _) = log_of(&other).read(None, &ada, Some(HOUR)).await.unwrap();
    assert_eq!((again.bytes, again.token.as_ref()), (None, Some(&token)), "a guard that is there is used");
    assert_eq!(put_if(&other, &ada, &token, "countess").await, PutIf::Done);
    assert_eq!(put_if(&one, &ada, &token, "late").await, PutIf::Refused);

    // Filled and removed again, it is another absence.
    let cyd = key("cyd");
    let token = log.read(None, &cyd, Some(HOUR)).await.unwrap().0.token.unwrap();
    other.put(&cyd, "between".into(), None).await.unwrap();
    other.remove(&cyd).await.unwrap();
    assert_eq!(put_if(&one, &cyd, &token, "late").await, PutIf::Refused);

    // Without a guard, one that was filled and removed meanwhile must not look as it did.
    if let Some(token) = log.read(None, &bob, None).await.unwrap().0.token {
        other.put(&bob, "between".into(), None).await.unwrap();
        other.remove(&bob).await.unwrap();
        assert_eq!(put_if(&one, &bob, &token, "late").await, PutIf::Refused);
    }
    other.put(&bob, "there".into(), None).await.unwrap();
    assert_eq!(read(&*log, &bob).await, Some("there".into()));
}

/// Voided records are nothing, whatever was known of them is refused, and who voided them can put.
///
/// # Panics
///
/// If not.
pub async fn what_is_voided_is_nothing_and_can_be_put_by_who_voided_it<S: ByteStore, T: ByteStore>(
    (one, other): (S, T),
) {
    let log = log_of(&one);
    let keys: Vec<_> = (0..12).map(|number| key(&format!("user-{number}"))).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut older = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        if number % 3 > 0 {
            one.put(key, "old".into(), None).await.unwrap();
        }
        // Of the others a guard is there.
        older.push(other.get_with_token(key, HOUR).await.unwrap().token.unwrap());
    }
    let absent = key("absent");
    let voids: Vec<&str> = keys.iter().copied().chain([absent.as_str()]).collect();
    let names: Vec<_> = keys[..2].iter().map(|key| Name::key(key)).collect();
    let begin = log.news(None).await.unwrap().position;

    let invalidation = Invalidation { voids: &voids, guard_for: HOUR, names: &names };
    let done = log.invalidate(Some(begin), invalidation).await.unwrap();

    assert_eq!(done.tokens.len(), voids.len(), "a token a record");
    assert_eq!(done.number, begin.number + 1, "as one invalidation");
    for (key, older) in keys.iter().zip(&older) {
        assert_eq!(one.get(key).await.unwrap(), None, "{key}");
        assert_eq!(other.get(key).await.unwrap(), None, "{key}");
        assert_eq!(read(&*log_of(&other), key).await, None, "{key}");
        assert_eq!(put_if(&other, key, older, "overtaken").await, PutIf::Refused, "{key}");
    }
    let (record, _) = log.read(None, voids[1], Some(HOUR)).await.unwrap();
    assert_eq!(
        (record.bytes, record.token.as_ref()),
        (None, Some(&done.tokens[1])),
        "the guard that stands there"
    );
    for (key, token) in voids.iter().zip(&done.tokens) {
        assert_eq!(put_if(&one, key, token, key.to_string()).await, PutIf::Done, "{key}");
        assert_eq!(put_if(&one, key, token, "twice").await, PutIf::Refused, "{key}");
    }
    for key in &voids {
        assert_eq!(other.get(key).await.unwrap(), Some(key.to_string().into()));
    }

    let nothing = Invalidation { voids: &voids[..1], guard_for: HOUR, names: &[] };
    let again = log.invalidate(Some(done.news.position), nothing).await.unwrap();
    assert_eq!((again.number, again.news.since), (done.number + 1, Some(Vec::new())), "names may be none");
    assert_eq!(one.get(voids[0]).await.unwrap(), None);
    assert_eq!(put_if(&one, voids[0], &done.tokens[0], "overtaken").await, PutIf::Refused);
}

/// A record is read no earlier than the news that comes with it, and voided no later than it is numbered: under news of
/// an invalidation, what it has voided is not seen.
///
/// # Panics
///
/// If it is.
pub async fn a_read_is_no_older_than_its_news<S: ByteStore, T: ByteStore>((one, other): (S, T)) {
    const ROUNDS: usize = 200;
    const READS: usize = 2_000;
    let (one, other, ada) = (Arc::new(one), Arc::new(other), key("ada"));
    let (is_over, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let begin = log_of(&one).news(None).await.unwrap().position;

    let readers: Vec<_> = [None, Some(HOUR), None]
        .into_iter()
        .map(|guard_for| {
            let (log, ada, is_over) = (log_of(&other), ada.clone(), Arc::clone(&is_over));
            let reads = Arc::clone(&reads);
            tokio::spawn(async move {
                let mut known = begin;
                while !is_over.load(SeqCst) {
                    let (record, news) = log.read(Some(known), &ada, guard_for).await.unwrap();
                    if let Some(bytes) = record.bytes {
                        let put_at: u64 = std::str::from_utf8(&bytes).unwrap().parse().unwrap();
                        let number = news.position.number;
                        assert!(put_at >= number, "news of {number} came with a record that it has voided");
                    }
                    known = news.position;
                    reads.fetch_add(1, Relaxed);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    // A task too, so that they take turns however few of them run at a time.
    let is_read = Arc::clone(&reads);
    let writer = tokio::spawn(async move {
        let (log, names) = (log_of(&one), [Name::key(&ada)]);
        let mut rounds = 0;
        while rounds < ROUNDS || is_read.load(Relaxed) < READS {
            let invalidation = Invalidation { voids: &[&ada], guard_for: HOUR, names: &names };
            let done = log.invalidate(None, invalidation).await.unwrap();
            let put = put_if(&one, &ada, &done.tokens[0], done.number.to_string()).await;
            assert_eq!(put, PutIf::Done, "readers change nothing");
            rounds += 1;
            tokio::task::yield_now().await;
        }
    });
    until("the end of the writer, or of a reader that failed", || {
        writer.is_finished() || readers.iter().any(tokio::task::JoinHandle::is_finished)
    })
    .await;
    is_over.store(true, SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    writer.await.unwrap();
}
