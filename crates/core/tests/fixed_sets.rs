//! What is pinned about types: what is `Send`, and how large futures are.

use larder_core::{
    Around, Behind, Blocking, BlockingLoading, Boxed, Breaker, BreakerState, Cache, Chain, Entry, Error,
    Found, Level, LoadError, Native, OnStoreError, PerLevel, Promote, Raw, Stats, SystemClock, Through, Time,
    WarmReport, WhenFull,
};
use larder_testkit::{Fake, FakeBytes, Gate, Loader, MockClock, Recorder};
use std::mem::size_of_val;

fn everywhere<T: Send + Sync + Unpin + 'static>() {}

#[test]
fn public_types_can_go_everywhere() {
    type Memory = Fake<str, String>;
    everywhere::<Cache<str, String>>();
    everywhere::<Cache<str, String, Memory, Native>>();
    everywhere::<Cache<str, bytes::Bytes, FakeBytes, Raw>>();
    everywhere::<Cache<str, String, Chain<Level<Memory, Native>, Level<Memory, Native>>, PerLevel>>();
    everywhere::<Boxed<str, String>>();
    everywhere::<(Blocking<str, String>, BlockingLoading<str, String, Error>)>();
    everywhere::<Entry<String>>();
    everywhere::<Error>();
    everywhere::<Found<String>>();
    everywhere::<WarmReport<String, Error>>();
    everywhere::<LoadError<String>>();
    everywhere::<Stats>();
    everywhere::<(Breaker, BreakerState, OnStoreError)>();
    everywhere::<SystemClock>();
    everywhere::<Time>();
    everywhere::<(Through, Around, Behind, WhenFull, Promote)>();
    everywhere::<(FakeBytes, Gate, Loader<u8>, MockClock, Recorder)>();
}

#[test]
fn futures_are_small() {
    let boxed: Cache<str, String> = Cache::new(Fake::new()).boxed();
    let chained = Cache::<str, String, _, _>::new(Fake::new()).chain(Cache::new(Fake::remote()));
    let load = async || Ok::<_, Error>(String::new());

    let sizes = [
        ("boxed get", size_of_val(&boxed.get("ada")), 64),
        ("chained get", size_of_val(&chained.get("ada")), 64),
        ("boxed get_or_load", size_of_val(&boxed.get_or_load("ada", load)), 64),
        ("chained get_or_load", size_of_val(&chained.get_or_load("ada", load)), 64),
        ("boxed get_or_load_scoped", size_of_val(&boxed.get_or_load_scoped("ada", load)), 64),
        (
            "boxed get_or_insert_with",
            size_of_val(&boxed.get_or_insert_with("ada", async || String::new())),
            96,
        ),
        ("boxed remove", size_of_val(&boxed.remove("ada")), 64),
        ("chained insert", size_of_val(&chained.insert("ada", String::new())), 256),
        ("chained lookup", size_of_val(&chained.lookup("ada")), 160),
        ("chained contains", size_of_val(&chained.contains("ada")), 128),
        ("chained flush", size_of_val(&chained.flush()), 64),
        ("chained shutdown", size_of_val(&chained.shutdown()), 64),
        ("chained clear", size_of_val(&chained.clear()), 512),
    ];
    for (future, bytes, most) in sizes {
        println!("{future}: {bytes} bytes");
        assert!(bytes <= most, "{future} takes {bytes} bytes, {most} are allowed: {sizes:?}");
    }
}
