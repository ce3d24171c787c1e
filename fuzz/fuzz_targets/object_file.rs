//! Any bytes in the place of an object, in a bucket and in a folder: nothing panics, and a put heals it.

#![no_main]

#[path = "../../crates/stores/object/tests/support/clock.rs"]
mod clock;

use bytes::Bytes;
use clock::HandClock;
use futures::TryStreamExt;
use futures::executor::block_on;
use larder_codecs::Json;
use larder_core::{ByteStore, Cache, PutIf};
use larder_object::Object;
use libfuzzer_sys::fuzz_target;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const KEY: &str = "users:ada";
const OTHER: &str = "users:bob";
/// Less than what the fuzzer makes, so that both sides of the bound are tried.
const MOST_BYTES: u64 = 4 << 10;
/// What a frame takes in front of a value.
const FRAME_BYTES: usize = 20;
const MINUTE: Duration = Duration::from_secs(60);

fuzz_target!(|planted: &[u8]| block_on(async {
    let planted = Bytes::copy_from_slice(planted);
    for change in [Plain, WithTokens, HeadFirst, SparingWrites] {
        in_a_bucket(change, &planted).await;
    }
    FOLDER.with(|folder| block_on(in_a_folder(folder, &planted)));
}));

/// How the store reads.
#[derive(Clone, Copy)]
enum How {
    Plain,
    WithTokens,
    HeadFirst,
    SparingWrites,
}
use How::{HeadFirst, Plain, SparingWrites, WithTokens};

async fn in_a_bucket(how: How, planted: &Bytes) {
    let bucket = Arc::new(InMemory::new());
    let driver: Arc<dyn ObjectStore> = Arc::clone(&bucket) as _;
    let store = Object::from_store(driver).max_object_bytes(MOST_BYTES).clock(HandClock::default());
    let store = match how {
        Plain => store,
        WithTokens => store.compare_and_set(true),
        HeadFirst => store.compare_and_set(true).head_first(0),
        SparingWrites => store.rewrite_after(0.5).expect("a half is a fraction"),
    };
    store.put(KEY, "old".into(), None).await.expect("memory does not fail");
    let listed: Vec<_> = bucket.list(None).try_collect().await.expect("memory does not fail");
    let [object] = &listed[..] else { panic!("one key is one object: {listed:?}") };
    let plant = async || {
        bucket.put(&object.location, planted.clone().into()).await.expect("memory does not fail");
    };

    plant().await;
    reads(&store, planted).await;
    if matches!(how, WithTokens | HeadFirst) && planted.len() as u64 <= MOST_BYTES {
        plant().await;
        replaces(&store).await;
    }
    plant().await;
    purges(&store).await;
    plant().await;
    heals(&store).await;
}

thread_local! {
    // Of the main thread, whose locals are dropped when the process ends; those of a static are not.
    static FOLDER: Folder = Folder::new();
}

/// A folder with the file of one key.
struct Folder {
    store: Object,
    file: PathBuf,
    _scratch: TempDir,
}

impl Folder {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("there is a folder for temporary files");
        let store = Object::local(scratch.path()).expect("it can be written to").max_object_bytes(MOST_BYTES);
        let store = store.clock(HandClock::default());
        block_on(store.put(KEY, "old".into(), None)).expect("the disk is not full");
        let mut file = scratch.path().to_owned();
        while file.is_dir() {
            let entry = file.read_dir().expect("it can be read").next().expect("one key is one file");
            file = entry.expect("it can be read").path();
        }
        Folder { store, file, _scratch: scratch }
    }

    fn plant(&self, bytes: &Bytes) {
        std::fs::write(&self.file, bytes).expect("the disk is not full");
    }
}

async fn in_a_folder(folder: &Folder, planted: &Bytes) {
    let store = &folder.store;
    folder.plant(planted);
    reads(store, planted).await;
    purges(store).await;
    folder.plant(planted);
    heals(store).await;
}

/// All ways to read the object agree on what it is: the planted bytes with or without a frame, or nothing.
async fn reads(store: &Object, planted: &Bytes) {
    let read = store.get(KEY).await;
    assert_eq!(read.is_ok(), planted.len() as u64 <= MOST_BYTES, "{read:?}");
    let read = read.ok().flatten();
    if let Some(read) = &read {
        assert!(read == planted || planted.get(FRAME_BYTES..) == Some(read), "bytes of nobody");
    }
    let many = store.get_many(&[OTHER, KEY, KEY]).await;
    let many: Vec<_> = many.into_iter().map(|found| found.ok().flatten()).collect();
    assert_eq!(many, [None, read.clone(), read.clone()]);

    let users = Cache::new(store.clone()).codec(Json).namespace("users").clock(HandClock::default());
    let user: Option<serde_json::Value> = users.get("ada").await.expect("damage is a miss");
    assert!(user.is_none() || read.is_some(), "a value out of nothing");

    // Plants a guard where there is nothing, so it comes last.
    let with_token = store.get_with_token(KEY, MINUTE).await;
    assert_eq!(with_token.ok().and_then(|record| record.bytes), read);
}

/// What was read with a token can be replaced by it.
async fn replaces(store: &Object) {
    let record = store.get_with_token(KEY, MINUTE).await.expect("it is not too large");
    let token = record.token.expect("the store has tokens");
    let put = store.put_if(KEY, &token, "by its token".into(), None).await;
    assert_eq!(put.expect("memory does not fail"), PutIf::Done);
    assert_eq!(store.get(KEY).await.expect("it is small"), Some("by its token".into()));
    let again = store.put_if(KEY, &token, "too late".into(), None).await;
    assert_eq!(again.expect("memory does not fail"), PutIf::Refused);
}

/// A purge looks at the one object there is, and comes to an end.
async fn purges(store: &Object) {
    let purged = store.purge_expired(&HandClock::default()).await.expect("nothing fails");
    assert_eq!((purged.examined, purged.leftovers), (1, 0));
    assert!(purged.removed + purged.guards + purged.unreadable <= 1, "{purged:?}");
}

/// Whatever was there, a put replaces it.
async fn heals(store: &Object) {
    store.put(KEY, "new".into(), None).await.expect("nothing fails");
    assert_eq!(store.get(KEY).await.expect("it is small"), Some("new".into()));
}
