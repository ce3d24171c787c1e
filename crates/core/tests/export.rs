//! `export` and `import`: what a memory holds goes on in the next process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder::{Json, MessagePack};
use larder_core::{
    Answer, ByteStore, Cache, Codec, Coherence, Error, ErrorKind, Exported, Format, Freshness, Imported,
    Invalidated, Invalidation, Name, News, Position, Record, Result, SharedLog, Wire,
};
use larder_testkit::{Fake, FakeBytes, MockClock};
use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

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
fn tags_come_along_and_reach_it_from_then_on() {
    let (ages, _) = process(SECOND);
    let blocking = ages.blocking();
    blocking.invalidate_tag("of bob").unwrap();
    assert_eq!(
        counts(ages.import(&wire(), &three()[..]).unwrap()),
        (2, 0, 1, 0, true),
        "marked in this process before"
    );
    let found = blocking.lookup("ada").unwrap().unwrap();
    assert_eq!((&*found.tags()[0], found.entry().etag()), ("of ada", Some("v1")));
    blocking.invalidate_tag("of ada").unwrap();
    assert_eq!((blocking.get("ada").unwrap(), blocking.get("cleo").unwrap()), (None, Some(9)));
    assert_eq!(ages.export(&wire(), Vec::new()).unwrap().entries, 1, "what is invalidated is not exported");
}

#[test]
fn what_was_changed_before_does_not_come_back_and_what_is_there_stays() {
    for change in ["remove", "remove in turn", "expire", "insert", "clear", "where", "load"] {
        let (ages, _) = process(SECOND);
        let blocking = ages.blocking();
        match change {
            "remove" => blocking.remove("ada").unwrap(),
            "remove in turn" => {
                // A load is under way, so that the removal waits for its turn.
                let load = || blocking.remove("ada").map(|()| 37);
                blocking.get_or_load("ada", load).unwrap();
            }
            "expire" => blocking.expire("ada").unwrap(),
            "insert" => blocking.insert("ada", 37).unwrap(),
            "clear" => blocking.clear().unwrap(),
            "where" => assert_eq!(blocking.invalidate_where(|_, _| true).unwrap(), 0),
            _ => assert_eq!(blocking.get_or_load("ada", || Ok::<_, String>(37)).unwrap(), 37),
        }
        let all = matches!(change, "clear" | "where");
        let expected = if all { (0, 0, 3, 0, true) } else { (2, 0, 1, 0, true) };
        assert_eq!(counts(ages.import(&wire(), &three()[..]).unwrap()), expected, "{change}");
        let there = matches!(change, "insert" | "load").then_some(37);
        assert_eq!(blocking.get("ada").unwrap(), there, "{change}");
    }
}

/// Json, which does something whenever a value is read.
struct Meddling(Box<dyn Fn(u32) + Send + Sync>);

impl Format for Meddling {
    const ID: u8 = Json::ID;
}

impl Codec<String> for Meddling {
    fn encode(&self, key: &String, out: &mut Vec<u8>) -> Result<()> {
        Json.encode(key, out)
    }
    fn decode(&self, bytes: &Bytes) -> Result<String> {
        Json.decode(bytes)
    }
}

impl Codec<u32> for Meddling {
    fn encode(&self, value: &u32, out: &mut Vec<u8>) -> Result<()> {
        (self.0)(*value);
        Json.encode(value, out)
    }
    fn decode(&self, bytes: &Bytes) -> Result<u32> {
        let value = Json.decode(bytes)?;
        (self.0)(value);
        Ok(value)
    }
}

#[test]
fn what_is_removed_after_it_was_read_and_before_it_is_there_does_not_come() {
    let (ages, _) = process(SECOND);
    let blocking = ages.blocking();
    let removing =
        Meddling(Box::new(move |_| ["ada", "bob"].iter().for_each(|name| blocking.remove(name).unwrap())));
    assert_eq!(counts(ages.import(&Wire::new(removing), &three()[..]).unwrap()), (1, 0, 2, 0, true));
    assert_eq!((ages.get_now("ada"), ages.get_now("bob"), ages.get_now("cleo")), (None, None, Some(9)));
}

#[test]
fn a_removal_that_comes_in_the_middle_waits_and_prevails() {
    type Removal = Pin<Box<dyn Future<Output = Result<()>> + Send>>;
    let removal = Arc::new(Mutex::new(None::<Removal>));
    let (ages, _) = process(SECOND);
    let (own, begun) = (ages.clone(), Arc::clone(&removal));
    // Asked for while the entry is about to be put.
    let meddled = ages.clone().ttl_with(move |_, age| {
        if *age == 36 {
            let cache = own.clone();
            let mut remove: Removal = Box::pin(async move { cache.remove("ada").await });
            let polled = remove.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Pending), "it is not its turn");
            *begun.lock().unwrap() = Some(remove);
        }
        60 * SECOND
    });
    assert_eq!(counts(meddled.import(&wire(), &three()[..]).unwrap()), (3, 0, 0, 0, true));
    let removing = removal.lock().unwrap().take().unwrap();
    futures::executor::block_on(removing).unwrap();
    assert_eq!((ages.get_now("ada"), ages.get_now("bob")), (None, Some(12)));
}

/// What an export of three came to be, if none of them may be wrong.
#[track_caller]
fn none_is_wrong(file: &[u8], damage: &str) {
    let (ages, _) = process(SECOND);
    let Ok(imported) = ages.import(&wire(), file) else { return };
    let right = BTreeMap::from([("ada", 36), ("bob", 12), ("cleo", 9)]);
    let there: Vec<_> = right.iter().filter(|(name, _)| ages.get_now(name).is_some()).collect();
    assert!(there.iter().all(|(name, age)| ages.get_now(name) == Some(**age)), "{damage}: {imported:?}");
    assert_eq!(there.len() as u64, imported.imported, "{damage}");
    assert!(imported.imported < 3 || !imported.is_complete, "{damage}: it is damaged");
}

#[test]
fn every_cut_and_every_flipped_bit_leaves_something_out_and_brings_nothing_wrong() {
    let file = three();
    for length in 0..file.len() {
        none_is_wrong(&file[..length], &format!("cut at {length}"));
    }
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        none_is_wrong(&flipped, &format!("bit {bit}"));
    }
}

#[test]
fn one_that_is_damaged_harms_no_other_and_one_that_is_cut_off_none_before() {
    let file = three();
    let (ages, _) = process(SECOND);
    let mut damaged = file.clone();
    damaged[40] ^= 1;
    assert_eq!(counts(ages.import(&wire(), &damaged[..]).unwrap()), (2, 0, 0, 1, true));
    let (ages, _) = process(SECOND);
    let cut = ages.import(&wire(), &file[..file.len() - 20]).unwrap();
    assert_eq!(counts(cut), (2, 0, 0, 0, false));
    assert!(cut.to_string().ends_with("and then cut off"), "{cut}");
}

#[test]
fn an_entry_that_claims_to_be_huge_takes_no_room() {
    let mut file = three();
    let length = u32::MAX.to_le_bytes();
    file[4..8].copy_from_slice(&length);
    let sum = twox_hash::XxHash3_64::oneshot_with_seed(0, &length);
    file[8..12].copy_from_slice(&sum.to_le_bytes()[..4]);
    let (ages, _) = process(SECOND);
    assert_eq!(counts(ages.import(&wire(), &file[..]).unwrap()), (0, 0, 0, 0, false));
    let small = Wire::new(Json).max_value_bytes(10);
    assert_eq!(counts(ages.import(&small, &three()[..]).unwrap()), (0, 0, 0, 3, true));
}

#[test]
fn what_is_no_export_or_one_of_another_release_is_an_error() {
    let (ages, _) = process(SECOND);
    let mut newer = three();
    newer[3] = 2;
    for (file, why) in [(&b""[..], "too short"), (b"no export", "no export"), (&newer, "another release")] {
        let error = ages.import(&wire(), file).unwrap_err();
        assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains(why), "{error}");
    }
}

#[test]
fn what_another_codec_another_cache_or_a_newer_schema_wrote_is_passed_over() {
    let unread = (0, 0, 0, 3, true);
    let (ages, _) = process(SECOND);
    assert_eq!(counts(ages.import(&Wire::new(MessagePack), &three()[..]).unwrap()), unread);
    assert_eq!(counts(ages.clone().name("years").import(&wire(), &three()[..]).unwrap()), unread);
    let mut newer = Vec::new();
    process(Duration::ZERO).0.export(&wire().version(2), &mut newer).unwrap();
    let (old, _) = process(Duration::ZERO);
    old.import(&wire(), &three()[..]).unwrap();
    let mut newer = Vec::new();
    old.export(&wire().version(2), &mut newer).unwrap();
    assert_eq!(counts(ages.import(&wire(), &newer[..]).unwrap()), unread);
    assert_eq!(counts(ages.import(&wire().version(2), &newer[..]).unwrap()), (3, 0, 0, 0, true));
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
fn what_was_made_from_another_group_stays_behind() {
    let clock = MockClock::new();
    let of = |group: &Coherence| {
        Cache::new(Fake::<str, u32>::new()).clock(clock.clone()).coherence(group).blocking()
    };
    let (users, pages) = (of(&Coherence::new()), of(&Coherence::new()));
    users.insert_with("ada", 36, |entry| entry.tag("user:ada")).unwrap();
    pages.get_or_load("/ada", || users.get("ada").map(Option::unwrap)).unwrap();
    pages.insert("/bob", 12).unwrap();
    let Exported { entries, dependent, .. } = pages.cache().export(&wire(), Vec::new()).unwrap();
    assert_eq!((entries, dependent), (1, 1));
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

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("a scratch"))
    }
}

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("a scratch"))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_fails_is_an_error() {
    let (ages, _) = process(SECOND);
    let errors = [ages.export(&wire(), Broken).unwrap_err(), ages.import(&wire(), Broken).unwrap_err()];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Store), "{errors:?}");
    let file = three();
    let error = ages.import(&wire(), file[..100].chain(Broken)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(
        ages.get_now("ada").or(ages.get_now("bob")).or(ages.get_now("cleo")).is_some(),
        "what came before stays"
    );
}

/// A store that only keeps a log, in which nothing but its number changes; without one it cannot be reached.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Option<u64>>>);

impl Logged {
    fn stands(&self) -> Result<News> {
        let number = self.0.lock().unwrap().ok_or_else(|| Error::new(ErrorKind::Store, "it is down"))?;
        let position = Position { era: 7, number };
        Ok(News { position, since: Some(Vec::new()), floor: 0, key_floor: 0 })
    }
}

impl SharedLog for Logged {
    fn news(&self, _: Option<Position>) -> Answer<'_, News> {
        Box::pin(async move { self.stands() })
    }
    fn read<'a>(
        &'a self,
        _: Option<Position>,
        _: &'a str,
        _: Option<Duration>,
    ) -> Answer<'a, (Record, News)> {
        Box::pin(async move { Ok((Record::without_token(None), self.stands()?)) })
    }
    fn invalidate<'a>(&'a self, _: Option<Position>, _: Invalidation<'a>) -> Answer<'a, Invalidated> {
        Box::pin(async move {
            let before = self.stands()?.position.number;
            *self.0.lock().unwrap() = Some(before + 1);
            Ok(Invalidated { number: before + 1, news: self.stands()?, tokens: Vec::new() })
        })
    }
    fn marks<'a>(&'a self, _: Option<Position>, names: &'a [Name]) -> Answer<'a, (Vec<Option<u64>>, News)> {
        Box::pin(async move { Ok((vec![None; names.len()], self.stands()?)) })
    }
    fn place(&self) -> String {
        "a log".into()
    }
}

impl ByteStore for Logged {
    async fn get(&self, _: &str) -> Result<Option<Bytes>> {
        Ok(None)
    }
    async fn put(&self, _: &str, _: Bytes, _: Option<SystemTime>) -> Result<()> {
        Ok(())
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        Some(Arc::new(self.clone()))
    }
}

#[test]
fn where_processes_share_a_log_only_what_it_cannot_have_touched_is_taken() {
    let log = Logged(Arc::new(Mutex::new(Some(0))));
    let process = |late: Duration| {
        let clock = MockClock::new();
        clock.advance(late);
        let group = Coherence::options().clock(clock.clone()).over(&log).unwrap();
        Cache::new(Fake::<str, u32>::new()).name("ages").clock(clock).coherence(&group).blocking()
    };
    let before = process(Duration::ZERO);
    before.get_or_load("ada", || Ok::<_, Error>(36)).unwrap();
    let mut file = Vec::new();
    assert_eq!(before.cache().export(&wire(), &mut file).unwrap().entries, 1);

    let unaware = process(SECOND);
    assert_eq!(counts(unaware.cache().import(&wire(), &file[..]).unwrap()), (0, 0, 1, 0, true));
    assert_eq!(
        counts(unaware.cache().import(&wire(), &three()[..]).unwrap()),
        (0, 0, 3, 0, true),
        "of no log"
    );

    let aware = process(SECOND);
    aware.get_or_load("bob", || Ok::<_, Error>(12)).unwrap();
    assert_eq!(counts(aware.cache().import(&wire(), &file[..]).unwrap()), (1, 0, 0, 0, true));
    assert_eq!(aware.get("ada").unwrap(), Some(36));

    before.invalidate_tag("anything").unwrap();
    let late = process(SECOND);
    late.get_or_load("bob", || Ok::<_, Error>(12)).unwrap();
    assert_eq!(
        counts(late.cache().import(&wire(), &file[..]).unwrap()),
        (0, 0, 1, 0, true),
        "nobody can say"
    );
}

#[test]
fn what_has_tags_and_began_where_nobody_could_say_is_not_taken() {
    let clock = MockClock::new();
    let group = Coherence::options().clock(clock.clone()).over(&Logged::default()).unwrap();
    let before = Cache::new(Fake::<str, u32>::new()).name("ages").clock(clock).coherence(&group).blocking();
    let load = |tag: Option<&str>| {
        tag.map(larder_core::load::tag);
        Ok::<_, Error>(36)
    };
    before.get_or_load("ada", || load(Some("people"))).unwrap();
    before.get_or_load("bob", || load(None)).unwrap();
    let mut file = Vec::new();
    assert_eq!(before.cache().export(&wire(), &mut file).unwrap().entries, 2);
    let (after, _) = process(SECOND);
    assert_eq!(counts(after.import(&wire(), &file[..]).unwrap()), (1, 0, 1, 0, true));
}
