//! Writes anew what the fuzzer begins with: `cargo run --example seeds`, in this folder.
//!
//! The files are kept, so that nobody needs to. What once found a fault lies beside them and stays.

#[path = "../../crates/stores/object/tests/support/clock.rs"]
mod clock;

use bytes::Bytes;
use clock::HandClock;
use futures::TryStreamExt;
use futures::executor::block_on;
use larder_codecs::{
    Cbor, CompactMessagePack, EncryptionKeys, Gzip, Json, Lz4, MessagePack, Postcard, Protobuf, Rkyv, Zstd,
};
use larder_core::{ByteStore, Cache, Clock, Codec, Compress, Entry, Raw, Result, Wire};
use larder_fuzz::{Archive, Choice, Double, Message, Single, Tree};
use larder_object::Object;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// Where a frame has its random number.
const RANDOM: std::ops::Range<usize> = 4..20;

fn main() -> Result<()> {
    for (number, tree) in trees().iter().enumerate() {
        let name = format!("tree-{number}");
        write("json", &name, &encoded(&Json, tree)?);
        write("message_pack", &name, &encoded(&MessagePack, tree)?);
        write("compact_message_pack", &name, &encoded(&CompactMessagePack, tree)?);
        write("postcard", &name, &encoded(&Postcard, tree)?);
        write("cbor", &name, &encoded(&Cbor, tree)?);
    }
    write("protobuf", "message", &encoded(&Protobuf, &message())?);
    compressed("zstd", &Zstd::level(1))?;
    compressed("lz4", &Lz4::new())?;
    compressed("gzip", &Gzip::level(1))?;
    write("encrypted", "text", b"a text that is longer than what is in front of it, and its tag");
    envelopes()?;
    let value = serde_json::json!({"a": [1, -2, 3.5, null, true, "é"], "b": {"c": u64::MAX}});
    write("json", "value", &encoded(&Json, &value)?);
    write("message_pack", "value", &encoded(&MessagePack, &value)?);
    for (number, archive) in archives().iter().enumerate() {
        write("rkyv", &format!("archive-{number}"), &encoded(&Rkyv, archive)?);
    }
    let hashed = HashMap::from([("one".to_owned(), Archive::Leaf)]);
    write("rkyv", "hashed", &encoded(&Rkyv, &hashed)?);

    // What the keys of these bytes are matters little, as long as there are many parts.
    for (number, step) in (0_u8..).zip([1, 5, 7, 11]) {
        let bytes: Vec<u8> = (0..120_u8).map(|place| place.wrapping_mul(step) % 128).collect();
        write("key", &format!("steps-{number}"), &bytes);
    }
    for (name, object) in block_on(objects())? {
        for how in 0..5 {
            write("object_file", &format!("{name}-{how}"), &[&[how], &object[..]].concat());
        }
    }
    Ok(())
}

/// Values with every variant in them.
fn trees() -> [Tree; 3] {
    let branch = |left: Option<Tree>, right| Tree::Branch {
        name: "ada".into(),
        left: left.map(Box::new),
        right,
        since: 1815,
    };
    let single = Tree::Many(vec![
        Tree::Flag(true),
        Tree::Whole(i128::MIN),
        Tree::Sizes(255, -300, 70_000, i64::MIN),
        Tree::Double(Double(-0.1)),
        Tree::Single(Single(1.5e-40)),
        Tree::Letter('é'),
        Tree::Text("\u{0}\"\\\u{1F980}".into()),
        Tree::Bytes(vec![0, 127, 128, 255]),
    ]);
    let nested = Tree::Pair((
        Box::new(Tree::Boxed(Box::new(Tree::Leaf))),
        Some(Box::new(Tree::Numbered([(-1, Tree::Leaf), (7, Tree::Flag(false))].into()))),
    ));
    let named = Tree::Named([("left".into(), branch(None, vec![])), (String::new(), Tree::Leaf)].into());
    [single, nested, branch(Some(named), vec![Tree::Leaf, Tree::Leaf])]
}

/// The same of what rkyv archives.
fn archives() -> [Archive; 3] {
    let plain = Archive::Many(vec![
        Archive::Flag(true),
        Archive::Sizes(255, -300, 70_000, i64::MIN),
        Archive::Whole(i128::MIN),
        Archive::Double(Double(-0.1)),
        Archive::Letter('é'),
        Archive::Text("short".into()),
        Archive::Text("longer than eight bytes".into()),
        Archive::Bytes(vec![0, 127, 128, 255]),
        Archive::Perhaps(Some(None)),
    ]);
    let boxed = Box::new(Archive::Boxed(Box::new(Archive::Perhaps(Some(Some(7))))));
    // A node of a map holds five.
    let numbered = Archive::Numbered((-9..9).map(|number| (number, Archive::Leaf)).collect());
    let pair = Archive::Pair((boxed, Some(Box::new(numbered))));
    let named = Archive::Named([("left".into(), plain.clone()), (String::new(), Archive::Leaf)].into());
    [plain, pair, named]
}

fn encoded<V, C: Codec<V>>(codec: &C, value: &V) -> Result<Bytes> {
    let mut out = Vec::new();
    codec.encode(value, &mut out)?;
    Ok(out.into())
}

fn message() -> Message {
    let one = Message { whole: -1, fixed: Some(7), text: "ada".into(), ..Message::default() };
    let packed = Message { packed: vec![1, -1, 300], map: [(7, true), (8, false)].into(), ..one.clone() };
    Message {
        bytes: Bytes::from_static(b"\0\xFF"),
        inner: vec![one.clone(), packed],
        one: Some(Box::new(one.clone())),
        choice: Some(Choice::Inner(Box::new(one))),
        ..Message::default()
    }
}

/// What the method makes of a text, behind the length of the text; and one that says it is longer.
fn compressed(target: &str, method: &impl Compress) -> Result<()> {
    let text = b"over and over ".repeat(20);
    let mut out = Vec::new();
    method.compress(&text, &mut out)?;
    for (name, length) in [("text", text.len()), ("longer", 0xFF_FFFF)] {
        write(target, name, &[&length.to_le_bytes()[..3], &out].concat());
    }
    Ok(())
}

/// Envelopes behind the byte that says how the target reads them, and without what it puts in front of them.
fn envelopes() -> Result<()> {
    let clock = HandClock::default();
    let text = || Entry::new(Bytes::from("over and over ".repeat(20)), clock.now());
    let lives = || text().fresh_for(MINUTE).stale_for(MINUTE).kept_for(60 * MINUTE);
    let seed = |how: u8, name: &str, bytes: Bytes| {
        write("envelope", name, &[&[how], &bytes[11..]].concat());
    };
    let (ada, long) = ("users:ada", "k".repeat(200));
    let packed = Wire::new(Raw).version(2).compressed(Zstd::level(1).min_bytes(0));
    let json = Entry::new(serde_json::json!({"name": "ada"}), clock.now()).fresh_for(MINUTE);
    let keys = EncryptionKeys::new(1, [7; 32]);
    seed(0, "raw", Wire::new(Raw).seal(ada, &text(), &clock)?);
    seed(0, "raw-lives", Wire::new(Raw).seal(ada, &lives(), &clock)?);
    seed(0x40, "raw-long-key", Wire::new(Raw).seal(&long, &lives(), &clock)?);
    seed(1, "zstd", packed.seal(ada, &lives(), &clock)?);
    seed(2, "json", Wire::new(Json).seal(ada, &json, &clock)?);
    seed(3, "encrypted", Wire::new(Raw).encrypted(keys).seal(ada, &text(), &clock)?);
    // With what a load says beside the value: how long it took, when it was changed, an entity tag, two tags.
    let mut noted = Wire::new(Raw).seal(ada, &text(), &clock)?.to_vec();
    noted[11] |= 16;
    let notes = 19 + 1 + ada.len();
    noted.splice(notes..notes, *b"\x05\x09\x03v1\x02\x01a\x02bc");
    seed(0, "notes", noted.into());
    Ok(())
}

/// Objects of all sorts, and some that are cut.
async fn objects() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let bucket = Arc::new(InMemory::new());
    let store = Object::from_store(Arc::<InMemory>::clone(&bucket) as _);
    let store = store.compare_and_set(true).clock(HandClock::default());
    let read = async || {
        let listed: Vec<_> = bucket.list(None).try_collect().await.expect("memory does not fail");
        let object = bucket.get(&listed[0].location).await.expect("it was listed");
        let mut bytes = object.bytes().await.expect("memory does not fail").to_vec();
        bytes[RANDOM].fill(7);
        bytes
    };
    let users = Cache::new(store.clone()).codec(Json).namespace("users").clock(HandClock::default());
    users.insert("ada", "countess".to_owned()).await?;
    let lasting = read().await;
    users.clone().ttl(MINUTE).stale(MINUTE).insert("ada", "countess".to_owned()).await?;
    let framed = read().await;
    store.guard("users:ada", MINUTE).await?;
    let guard = read().await;
    Ok(vec![
        ("lasting", lasting),
        ("envelope", framed[RANDOM.end..].to_vec()),
        ("cut", framed[..framed.len() - 1].to_vec()),
        ("framed", framed),
        ("guard-cut", guard[..guard.len() - 1].to_vec()),
        ("guard", guard),
        ("empty", Vec::new()),
        ("text", b"{\"name\":\"ada\"}".to_vec()),
    ])
}

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder).expect("the folder can be written to");
    fs::write(folder.join(name), bytes).expect("the folder can be written to");
}
