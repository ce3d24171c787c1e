//! Many keys in one call, of a store of bytes.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Put};

/// Many reads, writes and removals do what as many single ones would, in the order of the keys.
///
/// # Panics
///
/// If not.
pub async fn many_keys_are_done_in_one_call<S: ByteStore>(store: S) {
    let keys: Vec<String> = (0..300).map(|number| format!("suite:{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let puts: Vec<Put<'_>> =
        keys.iter().map(|key| Put { key, bytes: Bytes::from(key.repeat(3)), expires_at: None }).collect();

    assert!(store.put_many(&puts).await.into_iter().all(|done| done.is_ok()));
    assert_eq!(store.get("suite:7").await.unwrap(), Some("suite:7suite:7suite:7".into()));

    let backwards: Vec<&str> = keys.iter().rev().copied().collect();
    let found = store.get_many(&backwards).await;
    assert_eq!(found.len(), keys.len());
    for (key, found) in backwards.iter().zip(found) {
        assert_eq!(found.unwrap(), Some(key.repeat(3).into()), "{key}");
    }

    let removed = store.remove_many(&keys[..299]).await;
    assert!(removed.len() == 299 && removed.into_iter().all(|done| done.is_ok()));
    assert_eq!(store.get("suite:298").await.unwrap(), None);
    assert!(store.get("suite:299").await.unwrap().is_some(), "what was not named stays");
}

/// Absent keys, keys named twice and no key at all have their answers too.
///
/// # Panics
///
/// If not.
pub async fn absent_and_repeated_keys_have_an_answer_each<S: ByteStore>(store: S) {
    assert!(store.get_many(&[]).await.is_empty());
    assert!(store.put_many(&[]).await.is_empty());
    assert!(store.remove_many(&[]).await.is_empty());

    let put = |key, bytes| Put { key, bytes: Bytes::from_static(bytes), expires_at: None };
    let puts = [put("suite:ada", b"old"), put("suite:bob", b""), put("suite:ada", b"new")];
    assert!(store.put_many(&puts).await.into_iter().all(|done| done.is_ok()));

    let keys = ["suite:ada", "suite:none", "suite:bob", "suite:ada", "suite:all of it \0\n{}"];
    let found: Vec<_> = store.get_many(&keys).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(found, [Some("new".into()), None, Some("".into()), Some("new".into()), None]);

    let removed = store.remove_many(&["suite:none", "suite:ada", "suite:ada"]).await;
    assert!(removed.len() == 3 && removed.into_iter().all(|done| done.is_ok()));
    assert_eq!(store.get("suite:ada").await.unwrap(), None);
}
