//! The log of invalidations: what it tells, what it forgets, and what it costs.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod log;
}

use larder_core::{ByteStore, ErrorKind, Invalidation, Name, Position, PutIf};
use larder_postgres::Postgres;
use larder_testkit::{Proxy, servers};
use std::sync::Arc;
use support::admin::Admin;
use support::log::{HOUR, log_of, mark, since, tags, void};

const KEY: &str = "users:ada";

#[tokio::test]
async fn all_clones_have_the_same_log() {
    let store = Postgres::options().lazy("postgres://ada:secret@127.0.0.1:1/shop").unwrap();
    assert!(Arc::ptr_eq(&log_of(&store), &log_of(&store.clone())));
    assert_eq!(log_of(&store).place(), "the log larder in PostgreSQL at 127.0.0.1:1/shop");
}

#[tokio::test]
async fn an_invalidation_is_told_to_those_who_know_less() {
    let store = Postgres::connect(&servers::Postgres::shared().database()).await.unwrap();
    let log = log_of(&store);
    let start = log.news(None).await.unwrap();
    assert_eq!((start.position.number, start.floor, start.key_floor), (0, 0, 0));
    assert_eq!(start.since, Some(Vec::new()));
    let known = Some(start.position);
    assert_eq!(log.news(known).await.unwrap(), start);

    let first = mark(&*log, known, &tags(&["team:7", "team:8"])).await.unwrap();
    let all =
        [Name::key(KEY), Name::tag("team:8"), Name::namespace("users:"), Name::tag("team:9").expiring()];
    let second = mark(&*log, known, &all).await.unwrap();
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(second.news.position, Position { number: 2, ..start.position });
    let expected = [("k-users:ada", 2), ("n-users:", 2), ("t-team:7", 1), ("t-team:8", 2), ("t~team:9", 2)];
    let expected = expected.map(|(name, number)| (name.to_owned(), number));
    assert_eq!(since(&second.news), expected);
    assert_eq!(since(&log.news(known).await.unwrap()), expected);
    let after_first = Some(first.news.position);
    assert_eq!(since(&log.news(after_first).await.unwrap()).len(), 4);
    assert!(log.news(Some(second.news.position)).await.unwrap().since.unwrap().is_empty());

    let asked = [Name::tag("team:9"), Name::tag("team:7"), Name::namespace("users:"), Name::tag("team:7")];
    let (numbers, news) = log.marks(after_first, &asked).await.unwrap();
    assert_eq!(numbers, [None, Some(1), Some(2), Some(1)]);
    assert_eq!(since(&news).len(), 4);
    assert_eq!(log.marks(None, &[]).await.unwrap().0, []);
}

#[tokio::test]
async fn names_of_any_length_and_with_any_characters_are_told_as_they_are() {
    let store = Postgres::connect(&servers::Postgres::shared().database()).await.unwrap();
    let log = log_of(&store);
    let start = log.news(None).await.unwrap().position;
    let long = ["x".repeat(100_000), "x".repeat(100_001)];
    let names = tags(&["", "\0", "ä\u{1F980}", "'\";--", "{a,b}", "\\x00", &long[0], &long[1]]);

    mark(&*log, None, &names).await.unwrap();
    let mut told: Vec<_> = log.news(Some(start)).await.unwrap().since.unwrap();
    told.sort();
    let mut expected: Vec<_> = names.iter().map(|name| (name.clone(), 1)).collect();
    expected.sort();
    assert_eq!(told, expected);
    assert_eq!(log.marks(None, &names).await.unwrap().0, vec![Some(1); names.len()]);
}

#[tokio::test]
async fn a_voided_record_is_gone_and_only_its_new_token_puts_there() {
    let store = Postgres::connect(&servers::Postgres::shared().database()).await.unwrap();
    let log = log_of(&store);
    let keys = ["users:zoe", KEY, "teams:7", KEY];
    store.put(KEY, "1815".into(), None).await.unwrap();
    let old = store.get_with_token(KEY, HOUR).await.unwrap().token.unwrap();

    let done = void(&*log, None, &keys).await.unwrap();
    assert_eq!(done.tokens.len(), 4);
    assert_eq!(done.tokens[1], done.tokens[3]);
    assert_eq!(store.get(KEY).await.unwrap(), None);
    assert_eq!(store.put_if(KEY, &old, "1816".into(), None).await.unwrap(), PutIf::Refused);
    for (key, token) in [(keys[0], &done.tokens[0]), (KEY, &done.tokens[1]), (keys[2], &done.tokens[2])] {
        assert_eq!(store.put_if(key, token, "1817".into(), None).await.unwrap(), PutIf::Done, "{key}");
    }
    let nothing = Invalidation { voids: &[], guard_for: HOUR, names: &[] };
    let counted = log.invalidate(Some(done.news.position), nothing).await.unwrap();
    assert_eq!((counted.number, counted.tokens.len()), (2, 0));
}

#[tokio::test]
async fn a_read_brings_the_record_and_the_news() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().max_value_bytes(10).connect(&url).await.unwrap();
    let log = log_of(&store);
    let admin = Admin::connect(&url).await;
    let start = log.news(None).await.unwrap().position;
    mark(&*log, None, &tags(&["team:7"])).await.unwrap();

    let (record, news) = log.read(Some(start), KEY, None).await.unwrap();
    assert_eq!((record.bytes, record.token, since(&news).len()), (None, None, 1));
    assert_eq!(admin.number("SELECT count(*) FROM larder").await, 0, "no guard was asked for");

    let (guard, news) = log.read(Some(start), KEY, Some(HOUR)).await.unwrap();
    assert_eq!((guard.bytes, since(&news).len()), (None, 1));
    let token = guard.token.unwrap();
    assert_eq!(log.read(None, KEY, Some(HOUR)).await.unwrap().0.token, Some(token.clone()));
    assert_eq!(store.put_if(KEY, &token, "1815".into(), None).await.unwrap(), PutIf::Done);
    for guard_for in [None, Some(HOUR)] {
        let (record, news) = log.read(None, KEY, guard_for).await.unwrap();
        assert_eq!((record.bytes, news.since), (Some("1815".into()), Some(Vec::new())));
    }

    let large = Postgres::connect(&url).await.unwrap();
    large.put(KEY, "more than ten".into(), None).await.unwrap();
    assert_eq!(log.read(None, KEY, None).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn each_operation_is_one_round_trip() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Postgres::options().max_connections(1).connect(&proxy.url(server.url())).await.unwrap();
    let log = log_of(&store);
    let names = tags(&["team:7", "team:8"]);
    for round in 0..3 {
        let mut before = proxy.round_trips();
        let mut trips = || {
            let trips = proxy.round_trips() - before;
            before += trips;
            trips
        };
        let start = log.news(None).await.unwrap().position;
        let news = trips();
        log.read(Some(start), KEY, None).await.unwrap();
        let read = trips();
        log.read(Some(start), KEY, Some(HOUR)).await.unwrap();
        let read_with_guard = trips();
        log.marks(Some(start), &names).await.unwrap();
        let marks = trips();
        let both = Invalidation { voids: &[KEY, "users:bob"], guard_for: HOUR, names: &names };
        log.invalidate(Some(start), both).await.unwrap();
        let invalidate = trips();
        // Each statement is prepared at its first use.
        if round > 0 {
            assert_eq!([news, read, read_with_guard, marks, invalidate], [1; 5]);
        }
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn the_oldest_marks_are_forgotten_and_the_floor_says_so() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().max_marks(10).connect(&url).await.unwrap();
    let log = log_of(&store);
    let start = mark(&*log, None, &[Name::namespace("users:")]).await.unwrap().news.position;
    for number in 0..10 {
        mark(&*log, None, &[Name::tag(&format!("{number}")), Name::key(&format!("users:{number}"))])
            .await
            .unwrap();
    }
    // Names that are there already take no place.
    let full = mark(&*log, Some(start), &tags(&["9", "8"])).await.unwrap().news;
    assert_eq!((full.floor, full.key_floor, since(&full).len()), (0, 0, 20));

    let eleventh = mark(&*log, Some(start), &tags(&["10"])).await.unwrap().news;
    assert_eq!((eleventh.floor, eleventh.key_floor, eleventh.since), (2, 0, None));
    let at = |number| Some(Position { number, ..start });
    assert_eq!(log.news(at(1)).await.unwrap().since, None);
    assert_eq!(since(&log.news(at(2)).await.unwrap()).len(), 10 + 9);
    assert_eq!(log.marks(None, &tags(&["0", "1"])).await.unwrap().0, [None, Some(3)]);

    let many: Vec<Name> = (0..25).map(|number| Name::key(&format!("teams:{number}"))).collect();
    let key_floor = mark(&*log, at(10), &many).await.unwrap();
    assert_eq!(key_floor.news.key_floor, key_floor.number, "some of its own are forgotten too");
    assert_eq!((key_floor.news.floor, key_floor.news.since), (2, None));
    let admin = Admin::connect(&url).await;
    let count = "SELECT count(*) FROM larder_marks WHERE class = ";
    assert_eq!(admin.number(&format!("{count}'k'")).await, 10);
    assert_eq!(admin.number(&format!("{count}'t'")).await, 10);
    let namespaces = log.marks(None, &[Name::namespace("users:")]).await.unwrap().0;
    assert_eq!(namespaces, [Some(1)], "those of namespaces stay");
}

#[tokio::test]
async fn marks_that_somebody_else_removed_do_not_count() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().max_marks(10).connect(&url).await.unwrap();
    let log = log_of(&store);
    let names = |from: u32| (from..from + 10).map(|tag| Name::tag(&format!("{tag}"))).collect::<Vec<_>>();
    mark(&*log, None, &names(0)).await.unwrap();
    Admin::connect(&url).await.run("DELETE FROM larder_marks WHERE class = 't'").await;

    // The count is too high until it is taken anew.
    mark(&*log, None, &names(10)).await.unwrap();
    let before = mark(&*log, None, &names(20)).await.unwrap();
    mark(&*log, None, &names(20)).await.unwrap();
    assert_eq!(log.news(None).await.unwrap().floor, before.number - 1);
}

#[tokio::test]
async fn more_news_than_ten_thousand_are_not_told() {
    let store = Postgres::connect(&servers::Postgres::shared().database()).await.unwrap();
    let log = log_of(&store);
    let start = log.news(None).await.unwrap().position;
    let names: Vec<Name> = (0..10_000).map(|number| Name::tag(&format!("{number}"))).collect();
    let all = mark(&*log, Some(start), &names).await.unwrap().news;
    assert_eq!(all.since.unwrap().len(), 10_000);
    assert_eq!(log.news(Some(start)).await.unwrap().since.unwrap().len(), 10_000);

    let more = mark(&*log, Some(start), &tags(&["one more"])).await.unwrap().news;
    assert_eq!((more.since, more.floor), (None, 0));
    assert_eq!(log.news(Some(start)).await.unwrap().since, None);
    assert_eq!(since(&log.news(Some(all.position)).await.unwrap()).len(), 1);
}

#[tokio::test]
async fn logs_of_other_names_and_tables_know_nothing_of_each_other() {
    let url = servers::Postgres::shared().database();
    let long = "t".repeat(63);
    let first = Postgres::options().connect(&url).await.unwrap();
    let second = Postgres::options().log("other").connect(&url).await.unwrap();
    let third = Postgres::options().table(&long).connect(&url).await.unwrap();
    let fourth = Postgres::options().table(format!("{}ä", &long[2..])).connect(&url).await.unwrap();
    let fifth = Postgres::options().table("@log@ $function$ $$ {news} '\"").connect(&url).await.unwrap();
    let logs = [&first, &second, &third, &fourth, &fifth].map(log_of);

    for (number, log) in logs.iter().enumerate() {
        for _ in 0..number {
            mark(&**log, None, &tags(&["team:7"])).await.unwrap();
        }
    }
    let mut eras = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        let position = log.news(None).await.unwrap().position;
        assert_eq!(position.number, number as u64);
        eras.push(position.era);
    }
    eras.sort_unstable();
    eras.dedup();
    assert_eq!(eras.len(), 5);
}

#[tokio::test]
async fn names_and_limits_that_cannot_be_are_errors_with_their_cure() {
    let url = "postgres://ada:secret@127.0.0.1:1/shop";
    for (options, cure) in [
        (Postgres::options().log(""), "`.log(name)` takes 1 to 100 printable ASCII characters"),
        (Postgres::options().log("ä"), "`.log(name)` takes 1 to 100 printable ASCII characters"),
        (Postgres::options().log("x".repeat(101)), "`.log(name)` takes 1 to 100 printable ASCII characters"),
        (Postgres::options().max_marks(0), "`.max_marks(n)` takes 1 or more"),
    ] {
        let error = options.lazy(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(cure), "{error}");
    }
}

#[tokio::test]
async fn tables_of_another_shape_are_refused_with_what_they_lack() {
    let url = servers::Postgres::shared().database();
    Admin::connect(&url).await.run("CREATE TABLE larder_marks (log text, name bytea)").await;
    let store = Postgres::connect(&url).await.unwrap();
    let error = log_of(&store).news(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let told = error.to_string();
    assert!(told.contains("the table \"larder_marks\" in PostgreSQL at 127.0.0.1:"), "{told}");
    assert!(told.contains("it lacks the column id of type bytea, the column class"), "{told}");
    store.put(KEY, "1815".into(), None).await.unwrap();
}

#[tokio::test]
async fn a_name_in_the_table_that_is_none_is_an_error_and_not_a_panic() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let log = log_of(&store);
    let start = log.news(None).await.unwrap().position;
    mark(&*log, None, &tags(&["team:7"])).await.unwrap();
    let admin = Admin::connect(&url).await;
    for name in ["\\xff", "\\x", "\\x78"] {
        admin.run("DELETE FROM larder_marks WHERE class = 'k'").await;
        let row = format!("('larder', '\\x07', 'k', '{name}', 1)");
        admin.run(&format!("INSERT INTO larder_marks (log, id, class, name, number) VALUES {row}")).await;
        assert_eq!(log.news(Some(start)).await.unwrap_err().kind(), ErrorKind::Corrupt, "{name}");
    }
}
