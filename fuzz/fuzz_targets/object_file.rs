//! Any bytes in the place of an object, in a bucket and in a folder: nothing panics, and a put heals it.
//!
//! The first byte says where and how the object is read, the others are what lies there.

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
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const KEY: &str = "users:ada";
const OTHER: &str = "users:bob";
/// Less than what the fuzzer makes, so that both sides of the bound are tried.
const MOST_BYTES: usize = 1 << 10;
/// What a frame takes in front of a value. It is allowed besides, where there are frames.
const FRAME_BYTES: usize = 20;
const MINUTE: Duration = Duration::from_secs(60);

fuzz_target!(|input: &[u8]| {
    let Some((how, planted)) = input.split_first() else { return };
    let planted = Bytes::copy_from_slice(planted);
    match how % 5 {
        0 => FOLDER.with(|folder| block_on(run(folder, &folder.store, &planted))),
        how => BUCKET.with(|bucket| block_on(run(bucket, &bucket.store(how), &planted))),
    }
});

thread_local! {
    // Of the main thread, whose locals are dropped when the process ends; those of a static are not.
    static FOLDER: Folder = Folder::new();
    static BUCKET: Bucket = Bucket::new();
}

/// Where there is the object of one key.
trait Place {
    /// The largest object that is read.
    const MOST_BYTES: usize;
    /// Puts bytes in its place.
    async fn plant(&self, bytes: &Bytes);
    /// A cache over the same place.
    fn cache(&self) -> &Users;
}

type Users = Cache<str, Value, Object, Json>;

fn users(store: Object) -> Users {
    Cache::new(store).codec(Json).namespace("users").clock(HandClock::default())
}

struct Folder {
    store: Object,
    cache: Users,
    file: PathBuf,
    _scratch: TempDir,
}

impl Folder {
    fn new() -> Self {
        let scratch = scratch().expect("there is a folder for temporary files");
        let store = limited(Object::local(scratch.path()).expect("it can be written to"));
        block_on(store.put(KEY, "old".into(), None)).expect("the disk is not full");
        let mut file = scratch.path().to_owned();
        while file.is_dir() {
            let entry = file.read_dir().expect("it can be read").next().expect("one key is one file");
            file = entry.expect("it can be read").path();
        }
        Folder { cache: users(store.clone()), store, file, _scratch: scratch }
    }
}

impl Place for Folder {
    const MOST_BYTES: usize = MOST_BYTES;

    async fn plant(&self, bytes: &Bytes) {
        std::fs::write(&self.file, bytes).expect("the disk is not full");
    }

    fn cache(&self) -> &Users {
        &self.cache
    }
}

struct Bucket {
    store: Object,
    cache: Users,
    driver: Arc<InMemory>,
    object: Path,
}

impl Bucket {
    fn new() -> Self {
        let driver = Arc::new(InMemory::new());
        let store = limited(Object::from_store(Arc::<InMemory>::clone(&driver) as _));
        block_on(store.put(KEY, "old".into(), None)).expect("memory does not fail");
        let listed: Vec<_> = block_on(driver.list(None).try_collect()).expect("memory does not fail");
        let [object] = &listed[..] else { panic!("one key is one object: {listed:?}") };
        let object = object.location.clone();
        Bucket { cache: users(store.clone()), store, driver, object }
    }

    /// A store over it that reads and writes in one of four ways.
    fn store(&self, how: u8) -> Object {
        let store = self.store.clone();
        match how {
            1 => store,
            2 => store.compare_and_set(true),
            3 => store.compare_and_set(true).head_first(0),
            _ => store.rewrite_after(0.5).expect("a half is a fraction"),
        }
    }
}

impl Place for Bucket {
    const MOST_BYTES: usize = MOST_BYTES + FRAME_BYTES;

    async fn plant(&self, bytes: &Bytes) {
        self.driver.put(&self.object, bytes.clone().into()).await.expect("memory does not fail");
    }

    fn cache(&self) -> &Users {
        &self.cache
    }
}

/// A folder in memory where there is one: a disk takes four times as long.
fn scratch() -> std::io::Result<TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn limited(store: Object) -> Object {
    store.max_object_bytes(MOST_BYTES as u64).clock(HandClock::default())
}

async fn run<P: Place>(place: &P, store: &Object, planted: &Bytes) {
    place.plant(planted).await;
    let is_small = planted.len() <= P::MOST_BYTES;
    let read = reads(store, planted, is_small).await;
    let user = place.cache().get("ada").await.expect("damage is a miss");
    assert!(user.is_none() || read.is_some(), "a value out of nothing");

    purges(store).await;
    place.plant(planted).await;
    if store.capabilities().put_if && is_small {
        replaces(store, read).await;
        place.plant(planted).await;
    }
    store.put(KEY, "new".into(), None).await.expect("nothing fails");
    assert_eq!(store.get(KEY).await.expect("it is small"), Some("new".into()));
}

/// All ways to read the object agree on what it is: the planted bytes with or without a frame, or nothing.
async fn reads(store: &Object, planted: &Bytes, is_small: bool) -> Option<Bytes> {
    let read = store.get(KEY).await;
    assert_eq!(read.is_ok(), is_small, "{read:?}");
    let read = read.ok().flatten();
    if let Some(read) = &read {
        assert!(read == planted || planted.get(FRAME_BYTES..) == Some(read), "bytes of nobody");
    }
    let many = store.get_many(&[OTHER, KEY, KEY]).await;
    let many: Vec<_> = many.into_iter().map(|found| found.ok().flatten()).collect();
    assert_eq!(many, [None, read.clone(), read.clone()]);
    read
}

/// A purge looks at the one object there is, and comes to an end.
async fn purges(store: &Object) {
    let purged = store.purge_expired(&HandClock::default()).await.expect("nothing fails");
    assert_eq!((purged.examined, purged.leftovers), (1, 0));
    assert!(purged.removed + purged.guards + purged.unreadable <= 1, "{purged:?}");
}

/// What was read with a token can be replaced by it, once.
async fn replaces(store: &Object, read: Option<Bytes>) {
    let record = store.get_with_token(KEY, MINUTE).await.expect("it is not too large");
    assert_eq!(record.bytes, read);
    let token = record.token.expect("the store has tokens");
    let put = store.put_if(KEY, &token, "by its token".into(), None).await;
    assert_eq!(put.expect("memory does not fail"), PutIf::Done);
    assert_eq!(store.get(KEY).await.expect("it is small"), Some("by its token".into()));
    let again = store.put_if(KEY, &token, "too late".into(), None).await;
    assert_eq!(again.expect("memory does not fail"), PutIf::Refused);
}
