//! What others invalidate: caches of other groups, and other processes.

use crate::{SECOND, counts, process, three, wire};
use bytes::Bytes;
use larder_core::{
    Answer, ByteStore, Cache, Coherence, Error, ErrorKind, Exported, Invalidated, Invalidation, Name, News,
    Position, Record, Result, SharedLog,
};
use larder_testkit::{Fake, MockClock};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

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
