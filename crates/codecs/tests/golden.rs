//! The bytes of released versions, as they lie in someone's store, still decode.
//!
//! `snapshots/` has the whole envelope, in hexadecimal, of one value by each codec, in each form. A change of the format
//! fails twice here: what is written differs from the snapshot, and the snapshot cannot be read. The first
//! can be intended: then add snapshots under a new version and keep the old ones in `RELEASED`. The second
//! never is.
//!
//! What is compressed and encrypted is only read: other releases of zstd may find other bytes for the same value, and no
//! two encryptions are alike. Those snapshots are made once, by `LARDER_GOLDEN=write cargo test --test golden`.

#![cfg(all(
    feature = "json",
    feature = "msgpack",
    feature = "postcard",
    feature = "protobuf",
    feature = "cbor",
    feature = "rkyv",
    feature = "zstd",
    feature = "lz4",
    feature = "gzip",
    feature = "encryption"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod fixed;
}

use bytes::Bytes;
use larder_codecs::{
    Cbor, CompactMessagePack, Compressing, EncryptionKeys, Json, MessagePack, Postcard, Protobuf, Rkyv,
};
use larder_core::{Cache, Codec, Freshness, Raw};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use support::fixed::{FixedClock, OneValue};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    born: u16,
    email: Option<String>,
    scores: Vec<f64>,
    role: Role,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Role {
    Admin,
    Member { since: u64 },
}

fn ada() -> User {
    User {
        name: "Ada Lovelace \u{1F980}".into(),
        born: 1815,
        email: None,
        scores: vec![0.1, -1e300],
        role: Role::Member { since: 18_446_744_073_709_551_615 },
    }
}

fn admin() -> User {
    User { role: Role::Admin, email: Some("ada@example.com".into()), ..ada() }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Person {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    born: u32,
    #[prost(double, repeated, tag = "4")]
    scores: Vec<f64>,
}

fn person() -> Person {
    Person { name: "Ada Lovelace \u{1F980}".into(), born: 1815, scores: vec![0.1, -1e300] }
}

#[derive(Clone, Debug, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct Account {
    name: String,
    born: u16,
    email: Option<String>,
    scores: Vec<f64>,
    since: Result<u64, u8>,
}

fn account() -> Account {
    Account {
        name: "Ada Lovelace \u{1F980}".into(),
        born: 1815,
        email: Some("ada@x.io".into()),
        scores: vec![0.1, -1e300],
        since: Ok(18_446_744_073_709_551_615),
    }
}

fn raw() -> Bytes {
    Bytes::from_static(b"\x00countess\xff")
}

/// The lives with which each value is written: no ttl; 60 s; 60 s and 30 s stale.
#[derive(Clone, Copy)]
enum Life {
    Endless,
    Ttl,
    TtlStale,
}

const LIVES: [(&str, Life); 3] =
    [("endless", Life::Endless), ("ttl", Life::Ttl), ("ttl_stale", Life::TtlStale)];
const RELEASED: [&str; 1] = ["v1"];
const CURRENT: &str = "v1";

fn cache<V, C>(store: OneValue, codec: C, clock: FixedClock, life: Life) -> Cache<str, V, OneValue, C>
where
    V: Clone + Send + Sync + 'static,
    C: Codec<V>,
{
    let cache = Cache::new(store).codec(codec).namespace("golden").clock(clock);
    match life {
        Life::Endless => cache,
        Life::Ttl => cache.ttl(Duration::from_secs(60)),
        Life::TtlStale => cache.ttl(Duration::from_secs(60)).stale(Duration::from_secs(30)),
    }
}

async fn written<V, C>(value: V, codec: C, life: Life) -> String
where
    V: Clone + Send + Sync + 'static,
    C: Codec<V>,
{
    let store = OneValue::default();
    cache(store.clone(), codec, FixedClock::after(0), life).insert("ada", value).await.unwrap();
    hex(&store)
}

fn hex(store: &OneValue) -> String {
    let mut hex = String::new();
    for (number, byte) in store.bytes().iter().enumerate() {
        let _ = write!(hex, "{byte:02x}{}", if number % 32 == 31 { "\n" } else { "" });
    }
    hex
}

fn committed(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.snap"));
    let file = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let hex: String = file.splitn(3, "---\n").nth(2).unwrap().split_whitespace().collect();
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

async fn read<V, C>(name: &str, codec: C, seconds: u64) -> Option<(V, Freshness)>
where
    V: Clone + Send + Sync + 'static,
    C: Codec<V>,
{
    let store = OneValue::of(committed(name));
    let cache = cache(store, codec, FixedClock::after(seconds), Life::Endless);
    let found = cache.lookup("ada").await.unwrap()?;
    let freshness = found.freshness();
    Some((found.into_value(), freshness))
}

async fn reads<V, C>(name: &str, value: V, codec: C, life: Life)
where
    V: Clone + Debug + PartialEq + Send + Sync + 'static,
    C: Codec<V> + Copy,
{
    let found = async |seconds| read::<V, C>(name, codec, seconds).await;
    let fresh = Some((value.clone(), Freshness::Fresh));
    let stale = Some((value, Freshness::Stale));

    assert_eq!(found(0).await, fresh, "{name} at once");
    assert_eq!(found(59).await, fresh, "{name} at its last second");
    let late = match life {
        Life::Endless => fresh,
        Life::Ttl => None,
        Life::TtlStale => stale,
    };
    assert_eq!(found(61).await, late, "{name} after its ttl");
    if !matches!(life, Life::Endless) {
        assert_eq!(found(91).await, None, "{name} after all of its life");
    }
}

macro_rules! for_each_codec {
    ($do:ident) => {
        $do!("json", ada(), Json);
        $do!("json_admin", admin(), Json);
        $do!("message_pack", ada(), MessagePack);
        $do!("message_pack_admin", admin(), MessagePack);
        $do!("compact_message_pack", ada(), CompactMessagePack);
        $do!("compact_message_pack_admin", admin(), CompactMessagePack);
        $do!("postcard", ada(), Postcard);
        $do!("postcard_admin", admin(), Postcard);
        $do!("cbor", ada(), Cbor);
        $do!("cbor_admin", admin(), Cbor);
        $do!("protobuf", person(), Protobuf);
        $do!("rkyv", account(), Rkyv);
        $do!("raw", raw(), Raw);
    };
}

#[tokio::test]
async fn what_is_written_is_what_was_released() {
    let mut goldens = Vec::new();
    for (life_name, life) in LIVES {
        macro_rules! golden {
            ($codec:literal, $value:expr, $with:expr) => {
                let name = format!("{CURRENT}_{}_{life_name}", $codec);
                goldens.push((name, written($value, $with, life).await));
            };
        }
        for_each_codec!(golden);
    }

    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        for (name, hex) in goldens {
            insta::assert_snapshot!(name, hex);
        }
    });
}

#[tokio::test]
async fn every_released_golden_still_decodes() {
    for version in RELEASED {
        for (life_name, life) in LIVES {
            macro_rules! decodes {
                ($codec:literal, $value:expr, $with:expr) => {
                    reads(&format!("{version}_{}_{life_name}", $codec), $value, $with, life).await;
                };
            }
            for_each_codec!(decodes);
        }
    }
}

/// A cache whose values travel in this form.
fn formed(form: &str, store: &OneValue) -> Cache<str, User> {
    let plain = || cache::<User, _>(store.clone(), Json, FixedClock::after(0), Life::Ttl);
    let keys = || EncryptionKeys::new(2, [9; 32]).former(1, [7; 32]);
    match form {
        "zstd" => plain().zstd(3).boxed(),
        "lz4" => plain().lz4().boxed(),
        "gzip" => plain().gzip(6).boxed(),
        "encrypted" => plain().encrypted(keys()).boxed(),
        "zstd_encrypted" => plain().zstd(3).encrypted(keys()).boxed(),
        "version_7" => plain().version(7).boxed(),
        "long_key" => plain().namespace(&"n".repeat(200)).boxed(),
        _ => panic!("no form is called {form}"),
    }
}

const FORMS: [&str; 7] = ["zstd", "lz4", "gzip", "encrypted", "zstd_encrypted", "version_7", "long_key"];

/// Long enough to be compressed.
fn busy() -> User {
    User { scores: (0..300).map(f64::from).collect(), ..ada() }
}

#[tokio::test]
async fn every_released_form_still_decodes() {
    for version in RELEASED {
        for form in FORMS {
            let name = format!("{version}_json_form_{form}");
            if std::env::var_os("LARDER_GOLDEN").is_some() && version == CURRENT {
                let store = OneValue::default();
                formed(form, &store).insert("ada", busy()).await.unwrap();
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.snap"));
                std::fs::write(
                    path,
                    format!("---\nsource: crates/codecs/tests/golden.rs\n---\n{}\n", hex(&store)),
                )
                .unwrap();
            }
            let store = OneValue::of(committed(&name));
            assert_eq!(formed(form, &store).get("ada").await.unwrap(), Some(busy()), "{name}");
        }
    }
}

#[tokio::test]
async fn the_bytes_of_one_codec_are_a_miss_for_another() {
    assert_eq!(read::<User, _>("v1_json_endless", MessagePack, 0).await, None);
    assert_eq!(read::<User, _>("v1_message_pack_endless", Json, 0).await, None);
    assert_eq!(read::<User, _>("v1_postcard_endless", CompactMessagePack, 0).await, None);
    assert_eq!(read::<Bytes, _>("v1_json_endless", Raw, 0).await, None);
}

#[test]
fn no_snapshot_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let snapshots = files.filter(|path| path.extension().is_some_and(|extension| extension == "snap"));
    assert_eq!(snapshots.count(), RELEASED.len() * (LIVES.len() * 13 + FORMS.len()));
}
