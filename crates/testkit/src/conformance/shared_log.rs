//! The log of invalidations beside a store: its numbers, its marks and its eras. Each test has the log twice, as two
//! processes have it.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use larder_core::{ByteStore, Invalidated, Invalidation, Name, News, Position, SharedLog};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn log_of<S: ByteStore>(store: &S) -> Arc<dyn SharedLog> {
    store.log().expect("the store is said to have a log")
}

async fn logs<S: ByteStore, T: ByteStore>(
    stores: (S, T),
) -> (Arc<dyn SharedLog>, Arc<dyn SharedLog>, (S, T)) {
    let (one, other) = (log_of(&stores.0), log_of(&stores.1));
    // The era has begun, so that what follows compares within it.
    one.news(None).await.unwrap();
    (one, other, stores)
}

async fn mark(log: &dyn SharedLog, known: Option<Position>, names: &[Name]) -> Invalidated {
    let invalidation = Invalidation { voids: &[], guard_for: HOUR, names };
    log.invalidate(known, invalidation).await.expect("a healthy log takes invalidations")
}

/// What was told, of no name twice.
pub(super) fn told(news: &News) -> BTreeMap<Name, u64> {
    let since = news.since.clone().expect("a log of a few marks has all of them");
    let count = since.len();
    let told: BTreeMap<_, _> = since.into_iter().collect();
    assert_eq!(told.len(), count, "a name was told twice");
    told
}

fn expected<'a>(marks: impl IntoIterator<Item = (&'a Name, u64)>) -> BTreeMap<Name, u64> {
    marks.into_iter().map(|(name, number)| (name.clone(), number)).collect()
}

/// The store gives the same log whenever it is asked, also behind an `Arc`.
///
/// # Panics
///
/// If not.
#[expect(clippy::unused_async, reason = "all tests of the suite are called alike")]
pub async fn the_log_is_the_same_however_often_it_is_asked_for<S: ByteStore, T: ByteStore>(
    (one, _other): (S, T),
) {
    let log = log_of(&one);
    assert!(one.capabilities().put_if, "a log is of no use beside a store without compare-and-set");
    assert!(Arc::ptr_eq(&log, &log_of(&one)));
    assert!(Arc::ptr_eq(&log, &log_of(&Arc::new(one))));
    assert!(!log.place().is_empty());
}

/// A new log stands at zero, and has nothing.
///
/// # Panics
///
/// If not.
pub async fn a_new_log_begins_at_zero<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, other) = (log_of(&stores.0), log_of(&stores.1));
    let news = one.news(None).await.unwrap();
    assert_eq!(news.position.number, 0);
    assert_eq!((news.since.as_deref(), news.floor, news.key_floor), (Some(&[][..]), 0, 0));
    assert_eq!(other.news(None).await.unwrap(), news, "the era is that of the log");
    assert_eq!(one.news(Some(news.position)).await.unwrap(), news, "nothing happened");
    assert_eq!(one.marks(None, &[Name::tag("none")]).await.unwrap(), (vec![None], news));
}

/// The counter goes up by one with each invalidation, whatever it names, and whoever's it is.
///
/// # Panics
///
/// If not.
pub async fn each_invalidation_has_the_next_number<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, other, _stores) = logs(stores).await;
    let (tag, key) = (Name::tag("team:7"), Name::key("users:ada"));
    let none: [Name; 0] = [];
    let mut known = one.news(None).await.unwrap().position;
    let calls: [(_, &[Name]); 5] = [
        (&one, std::slice::from_ref(&tag)),
        (&other, &[tag.clone(), key.clone()]),
        (&one, &none),
        (&other, &none),
        (&one, std::slice::from_ref(&key)),
    ];
    for (number, (log, names)) in (1..).zip(calls) {
        let done = mark(&**log, Some(known), names).await;
        assert_eq!((done.number, done.news.position.number), (number, number));
        assert_eq!(done.news.position.era, known.era);
        assert_eq!(told(&done.news), expected(names.iter().map(|name| (name, number))), "{names:?}");
        assert!(done.tokens.is_empty(), "nothing was voided");
        known = done.news.position;
        assert_eq!(one.news(Some(known)).await.unwrap().position, known);
        assert_eq!(other.news(Some(known)).await.unwrap().position, known);
    }
    let (marks, _) = other.marks(Some(known), &[tag, key]).await.unwrap();
    assert_eq!(marks, [Some(2), Some(5)]);
}

/// News is exactly what was marked since, each name with its last number.
///
/// # Panics
///
/// If not.
pub async fn news_is_what_was_marked_since<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, other, _stores) = logs(stores).await;
    let (tag, key, all) = (Name::tag("team:7"), Name::key("users:ada"), Name::namespace("users:"));
    let soft = tag.expiring();
    let begin = one.news(None).await.unwrap().position;
    let at = |number| Some(Position { number, ..begin });

    mark(&*one, at(0), &[tag.clone(), key.clone()]).await;
    mark(&*other, at(1), &[all.clone(), soft.clone()]).await;
    let third = mark(&*one, at(1), std::slice::from_ref(&tag)).await;

    assert_eq!(told(&third.news), expected([(&all, 2), (&soft, 2), (&tag, 3)]), "others' marks and its own");
    for (since, marks) in [
        (0, vec![(&key, 1), (&all, 2), (&soft, 2), (&tag, 3)]),
        (1, vec![(&all, 2), (&soft, 2), (&tag, 3)]),
        (2, vec![(&tag, 3)]),
        (3, vec![]),
    ] {
        let marks = expected(marks);
        for log in [&one, &other] {
            let news = log.news(at(since)).await.unwrap();
            assert_eq!((told(&news), news.position), (marks.clone(), third.news.position), "since {since}");
            let (_, news) = log.marks(at(since), &[]).await.unwrap();
            assert_eq!((told(&news), news.position), (marks.clone(), third.news.position), "since {since}");
            let (_, news) = log.read(at(since), "suite:none", None).await.unwrap();
            assert_eq!((told(&news), news.position), (marks.clone(), third.news.position), "since {since}");
        }
    }
}

/// Who knows no position, or one of another era, is told where the log stands and nothing else.
///
/// # Panics
///
/// If not.
pub async fn who_knows_no_position_of_this_era_is_told_where_it_stands<S: ByteStore, T: ByteStore>(
    stores: (S, T),
) {
    let (one, other, _stores) = logs(stores).await;
    let tag = [Name::tag("team:7")];
    let stands = mark(&*one, None, &tag).await;
    assert_eq!(stands.news.since, Some(Vec::new()), "also who has just marked something");
    let mut stands = stands.news.position;
    let another = stands.era.wrapping_add(1);
    let others = [0, 1, u64::MAX].map(|number| Some(Position { era: another, number }));
    for known in others.into_iter().chain([None]) {
        for log in [&one, &other] {
            let news = News { position: stands, since: Some(Vec::new()), floor: 0, key_floor: 0 };
            assert_eq!(log.news(known).await.unwrap(), news, "{known:?}");
            assert_eq!(log.read(known, "suite:none", None).await.unwrap().1, news, "{known:?}");
            assert_eq!(log.marks(known, &tag).await.unwrap(), (vec![Some(stands.number)], news), "{known:?}");
        }
        stands.number += 1;
        let done = mark(&*one, known, &tag).await;
        assert_eq!((done.news.position, done.news.since), (stands, Some(Vec::new())), "{known:?}");
    }
}

/// A mark is the last number of exactly this name.
///
/// # Panics
///
/// If not.
pub async fn marks_are_the_last_numbers_of_their_names<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, other, _stores) = logs(stores).await;
    let text = "users:";
    let removed = [Name::key(text), Name::tag(text), Name::namespace(text)];
    let names: Vec<_> = removed.iter().flat_map(|name| [name.clone(), name.expiring()]).collect();
    for name in &names {
        mark(&*one, None, std::slice::from_ref(name)).await;
    }
    let position = other.news(None).await.unwrap().position;
    let (marks, news) = other.marks(Some(position), &names).await.unwrap();
    assert_eq!(marks, (1..=6).map(Some).collect::<Vec<_>>(), "kinds, and how it is done, keep names apart");
    assert_eq!((news.position, told(&news)), (position, BTreeMap::new()));

    mark(&*other, None, &[names[2].clone(), names[5].clone()]).await;
    let asked = [names[5].clone(), Name::tag("none"), names[0].clone(), names[5].clone(), names[2].clone()];
    let (marks, _) = one.marks(None, &asked).await.unwrap();
    assert_eq!(
        marks,
        [Some(7), None, Some(1), Some(7), Some(7)],
        "in the order in which they were asked for"
    );
}

/// Names have any text.
///
/// # Panics
///
/// If one comes back as another.
pub async fn names_of_any_text_come_back<S: ByteStore, T: ByteStore>(stores: (S, T)) {
    let (one, other, _stores) = logs(stores).await;
    let known = one.news(None).await.unwrap().position;
    let long = "x".repeat(10_000);
    let texts = ["", " ", "ä ö\u{1F980}", "a\r\nb\0c", "{team}:7", "'\"\\%$*", "-~", "1e3", "+inf", &long];
    let names: BTreeSet<_> = texts
        .iter()
        .flat_map(|text| [Name::key(text), Name::tag(text).expiring(), Name::namespace(text)])
        .collect();
    let names: Vec<_> = names.into_iter().collect();
    let done = mark(&*one, Some(known), &names).await;
    assert_eq!(told(&done.news), expected(names.iter().map(|name| (name, 1))));
    assert_eq!(told(&other.news(Some(known)).await.unwrap()), told(&done.news));
    assert_eq!(other.marks(None, &names).await.unwrap().0, vec![Some(1); names.len()]);
}

/// Who knows a higher number than the log has has seen what the log has lost: a new era begins, with nothing in it.
///
/// # Panics
///
/// If not.
pub async fn a_number_that_the_log_has_not_reached_begins_a_new_era<S: ByteStore, T: ByteStore>(
    stores: (S, T),
) {
    let (one, other, _stores) = logs(stores).await;
    let tag = [Name::tag("team:7")];
    let mut eras = BTreeSet::new();
    for call in ["news", "read", "marks", "invalidate"] {
        mark(&*one, None, &tag).await;
        let before = mark(&*one, None, &tag).await.news.position;
        eras.insert(before.era);
        let ahead = Some(Position { number: before.number + 1, ..before });
        let news = match call {
            "news" => other.news(ahead).await.unwrap(),
            "read" => other.read(ahead, "suite:none", None).await.unwrap().1,
            "marks" => {
                let (marks, news) = other.marks(ahead, &tag).await.unwrap();
                assert_eq!(marks, [None], "marks are of an era");
                news
            }
            _ => mark(&*other, ahead, &tag).await.news,
        };
        assert!(eras.insert(news.position.era), "{call}: the era was there before");
        assert_eq!(news.position.number, u64::from(call == "invalidate"), "{call}: it begins anew");
        assert_eq!((news.since, news.floor, news.key_floor), (Some(Vec::new()), 0, 0), "{call}");
        assert_eq!(one.news(Some(before)).await.unwrap().position, news.position, "{call}: for everyone");
        let marked = (call == "invalidate").then_some(1);
        assert_eq!(one.marks(None, &tag).await.unwrap().0, [marked], "{call}");
    }
}

/// Invalidations of many tasks have a number each, and who follows the news misses none.
///
/// # Panics
///
/// If not.
pub async fn concurrent_invalidations_share_no_number_and_none_is_missed<S: ByteStore, T: ByteStore>(
    stores: (S, T),
) {
    const TASKS: usize = 8;
    const EACH: usize = 20;
    let (one, other, _stores) = logs(stores).await;
    let begin = one.news(None).await.unwrap().position;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let log = Arc::clone(if task % 2 == 0 { &one } else { &other });
            tokio::spawn(async move {
                let mut marked = Vec::new();
                for number in 0..EACH {
                    let names = [Name::tag(&format!("{task}-{number}")), Name::key(&format!("users:{task}"))];
                    let done = mark(&*log, Some(begin), &names).await;
                    assert!(done.news.position.number >= done.number);
                    let told = told(&done.news);
                    assert!(names.iter().all(|name| told[name] >= done.number), "its own names are told");
                    marked.push((done.number, names));
                }
                marked
            })
        })
        .collect();

    let follow = |log: Arc<dyn SharedLog>| async move {
        let (mut known, mut heard) = (begin, BTreeMap::new());
        while known.number < (TASKS * EACH) as u64 {
            let news = log.news(Some(known)).await.unwrap();
            assert!(news.position.number >= known.number, "it went back");
            heard.extend(told(&news));
            known = news.position;
            tokio::task::yield_now().await;
        }
        heard
    };
    let followers = [tokio::spawn(follow(Arc::clone(&one))), tokio::spawn(follow(Arc::clone(&other)))];

    let (mut numbers, mut last) = (BTreeSet::new(), BTreeMap::new());
    for task in tasks {
        for (number, names) in task.await.unwrap() {
            assert!(numbers.insert(number), "two have the number {number}");
            for name in names {
                let highest = last.entry(name).or_insert(number);
                *highest = number.max(*highest);
            }
        }
    }
    assert_eq!(numbers, (1..=(TASKS * EACH) as u64).collect(), "none is left out");
    assert_eq!(told(&one.news(Some(begin)).await.unwrap()), last);
    for follower in followers {
        assert_eq!(follower.await.unwrap(), last, "who follows has heard each name's last number");
    }
}
