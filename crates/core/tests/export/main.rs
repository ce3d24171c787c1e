//! `export` and `import`: what a memory holds goes on in the next process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changes;
mod damage;
mod groups;
mod meddling;

use larder::Json;
use larder_core::{Cache, ErrorKind, Exported, Freshness, Imported, Wire};
use larder_testkit::{Fake, FakeBytes, MockClock};
use meddling::Meddling;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Ages = Cache<str, u32>;

/// A process that starts when it is so late.
fn process(late: Duration) -> (Ages, MockClock) {
    let clock = MockClock::new();
    clock.advance(late);
    let ages = Cache::new(Fake::new()).name("ages").ttl(60 * SECOND).stale(30 * SECOND).clock(clock.clone());
    (ages.boxed(), clock)
}

fn wire() -> Wire<Json> {
    Wire::new(Json)
}

fn exported(ages: &Ages) -> Vec<u8> {
    let mut file = Vec::new();
    ages.export(&wire(), &mut file).unwrap();
    file
}

fn counts(imported: Imported) -> (u64, u64, u64, u64, bool) {
    (imported.imported, imported.expired, imported.superseded, imported.unreadable, imported.is_complete)
}

fn three() -> Vec<u8> {
    let (ages, _) = process(Duration::ZERO);
    let ages = ages.blocking();
    for (name, age) in [("ada", 36), ("bob", 12), ("cleo", 9)] {
        ages.insert_with(name, age, |entry| entry.tag(format!("of {name}")).etag("v1")).unwrap();
    }
    exported(ages.cache())
}

#[test]
fn what_was_exported_goes_on_with_the_age_that_it_has() {
    let (before, clock) = process(Duration::ZERO);
    before.blocking().insert("ada", 36).unwrap();
    clock.advance(10 * SECOND);
    before.blocking().insert("bob", 12).unwrap();
    let file = exported(&before);

    let (after, _) = process(30 * SECOND);
    let imported = after.import(&wire(), &file[..]).unwrap();
    assert_eq!(counts(imported), (2, 0, 0, 0, true));
    assert_eq!(imported.to_string(), "2 imported, 0 expired, 0 superseded, 0 unreadable");
    let found = |name| after.blocking().lookup(name).unwrap().unwrap();
    assert_eq!((found("ada").age(), found("ada").ttl_left()), (30 * SECOND, Some(30 * SECOND)));
    assert_eq!((found("bob").age(), found("bob").ttl_left()), (20 * SECOND, Some(40 * SECOND)));
    assert_eq!(*found("bob").value(), 12);
}

#[test]
fn what_has_become_stale_is_stale_and_what_has_died_is_left_out() {
    let file = three();
    let (late, _) = process(75 * SECOND);
    assert_eq!(counts(late.import(&wire(), &file[..]).unwrap()), (3, 0, 0, 0, true));
    assert_eq!(late.blocking().lookup("ada").unwrap().unwrap().freshness(), Freshness::Stale);
    let (later, _) = process(90 * SECOND);
    assert_eq!(counts(later.import(&wire(), &file[..]).unwrap()), (0, 3, 0, 0, true));
    let (dead, clock) = process(Duration::ZERO);
    dead.import(&wire(), &file[..]).unwrap();
    clock.advance(90 * SECOND);
    assert_eq!(dead.export(&wire(), Vec::new()).unwrap().entries, 0, "nor is it exported");
}

#[test]
fn a_copy_lives_no_longer_than_the_cache_lets_it() {
    let (ages, clock) = process(Duration::ZERO);
    let ages = ages.ttl(5 * SECOND).blocking();
    ages.cache().import(&wire(), &three()[..]).unwrap();
    assert_eq!(ages.lookup("ada").unwrap().unwrap().ttl_left(), Some(5 * SECOND));
    let (none, _) = process(Duration::ZERO);
    let none = none.cache_if(|age| *age > 10);
    assert_eq!(counts(none.import(&wire(), &three()[..]).unwrap()), (2, 1, 0, 0, true));
    clock.advance(5 * SECOND);
    assert_eq!(ages.lookup("ada").unwrap().unwrap().freshness(), Freshness::Stale);
}

#[test]
fn an_export_is_no_larger_than_it_may_be() {
    let (ages, _) = process(Duration::ZERO);
    ages.import(&wire(), &three()[..]).unwrap();
    let whole = three().len() as u64;
    for (max_bytes, entries) in [(whole, 3), (whole - 1, 2), (20, 0)] {
        let mut file = Vec::new();
        let exported = ages.export_within(max_bytes, &wire(), &mut file).unwrap();
        assert_eq!((exported.entries, exported.beyond_limit), (entries, 3 - entries));
        assert!(file.len() as u64 <= max_bytes && exported.bytes == file.len() as u64, "{exported}");
        let (next, _) = process(SECOND);
        assert_eq!(counts(next.import(&wire(), &file[..]).unwrap()), (entries, 0, 0, 0, true));
    }
}

#[test]
fn what_cannot_be_encoded_is_counted_and_the_rest_is_there() {
    let (ages, _) = process(Duration::ZERO);
    ages.import(&wire(), &three()[..]).unwrap();
    let refusing = Wire::new(Meddling(Box::new(|age| assert!(age != 12))));
    let Exported { entries, unencodable, .. } = ages.export(&refusing, Vec::new()).unwrap();
    assert_eq!((entries, unencodable), (2, 1));
}

#[test]
fn the_first_level_is_what_counts_and_has_to_be_a_memory() {
    let bytes = FakeBytes::new();
    let far = Cache::new(bytes.clone()).codec(Json);
    let ages = Cache::new(Fake::<str, u32>::new()).name("ages").chain(far.clone()).clock(MockClock::new());
    assert_eq!(counts(ages.import(&wire(), &three()[..]).unwrap()), (3, 0, 0, 0, true));
    assert!(bytes.keys().is_empty());
    assert_eq!(ages.export(&wire(), Vec::new()).unwrap().entries, 3);

    let errors =
        [far.export(&wire(), Vec::new()).unwrap_err(), far.import(&wire(), &three()[..]).unwrap_err()];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Unsupported), "{errors:?}");
}
