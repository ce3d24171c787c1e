//! Encryption by somebody else's cipher: what it is given, and what it may not do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Encrypt, Error, ErrorKind, Result};
use larder_testkit::{FakeBytes, Recorder};
use std::sync::{Arc, Mutex};

/// No cipher at all: it turns bits over and repeats the context behind the text. It takes note of the contexts.
#[derive(Default)]
struct Turned {
    contexts: Mutex<Vec<Vec<u8>>>,
    cuts: bool,
}

const FRONT: &[u8] = b"front";

impl Encrypt for Turned {
    fn front_bytes(&self) -> usize {
        FRONT.len()
    }

    fn encrypt(&self, context: &[u8], out: &mut Vec<u8>, start: usize) -> Result<()> {
        self.contexts.lock().unwrap().push(context.to_vec());
        assert_eq!(out[start..start + FRONT.len()], [0; 5], "room for its own");
        out[start..start + FRONT.len()].copy_from_slice(FRONT);
        out[start + FRONT.len()..].iter_mut().for_each(|byte| *byte = !*byte);
        out.extend_from_slice(context);
        if self.cuts {
            out.truncate(start);
        }
        Ok(())
    }

    fn decrypt(&self, context: &[u8], sealed: &[u8]) -> Result<Bytes> {
        let wrong = || Error::new(ErrorKind::Corrupt, "it was not turned here");
        let text = sealed.strip_prefix(FRONT).ok_or_else(wrong)?;
        let text = text.strip_suffix(context).ok_or_else(wrong)?;
        Ok(text.iter().map(|byte| !byte).collect())
    }
}

#[tokio::test]
async fn any_cipher_will_do_behind_a_pointer_too() {
    let (store, turned) = (FakeBytes::new(), Arc::new(Turned::default()));
    let cache: Cache<str, Bytes, _, _> = Cache::new(store.clone()).encrypted(Arc::clone(&turned));
    cache.insert("ada", "countess".into()).await.unwrap();

    let bytes = store.raw("larder:ada").unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"countess"));
    assert!(bytes.windows(5).any(|window| window == FRONT));
    assert_eq!(cache.get("ada").await.unwrap(), Some("countess".into()));
}

#[tokio::test]
async fn the_context_is_the_header_and_the_key_and_differs_with_each_of_them() {
    let turned = Arc::new(Turned::default());
    let cache = |namespace| {
        Cache::<str, Bytes, _, _>::new(FakeBytes::new()).namespace(namespace).encrypted(Arc::clone(&turned))
    };
    for namespace in ["users", "admins"] {
        cache(namespace).insert("ada", "countess".into()).await.unwrap();
        cache(namespace).insert("bob", "countess".into()).await.unwrap();
        cache(namespace).version(2).insert("ada", "countess".into()).await.unwrap();
        cache(namespace).ttl(std::time::Duration::from_secs(60)).insert("ada", "x".into()).await.unwrap();
        cache(namespace).insert_with("ada", "x".into(), |o| o.tag("people")).await.unwrap();
    }
    let contexts = turned.contexts.lock().unwrap();
    let different: std::collections::HashSet<_> = contexts.iter().collect();
    assert_eq!((contexts.len(), different.len()), (10, 10));
    assert!(contexts[0].starts_with(b"\xFEL\x01") && contexts[0].ends_with(b"users:ada"));
}

#[tokio::test]
async fn a_cipher_that_removes_what_was_there_is_an_error_and_nothing_is_stored() {
    let (store, events) = (FakeBytes::new(), Recorder::new());
    let turned = Turned { cuts: true, ..Turned::default() };
    let cache: Cache<str, Bytes, _, _> = Cache::new(store.clone()).observer(events.clone()).encrypted(turned);
    let error = cache.insert("ada", "countess".into()).await.unwrap_err();
    assert_eq!((error.kind(), store.raw("larder:ada")), (ErrorKind::Codec, None));
}
