//! Many who invalidate, read and write at the same time, and connections that go away meanwhile.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod log;
}

use larder_core::{ByteStore, ErrorKind, Invalidation, Name, Position, Put};
use larder_postgres::Postgres;
use larder_testkit::{Proxy, servers};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use support::admin::Admin;
use support::log::{HOUR, log_of, mark, tags, void};

const KEY: &str = "users:ada";
const PATIENT: Duration = Duration::from_secs(60);

/// Each invalidation marks its own name and one that all of them mark, so that who sees the number n has to see n names of
/// the first kind, and the other one with n.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sees_a_number_sees_the_marks_up_to_it() {
    const TASKS: u64 = 64;
    const EACH: u64 = 10;
    let url = servers::Postgres::shared().database();
    let options = Postgres::options().max_connections(40).response_timeout(PATIENT);
    let store = options.connect(&url).await.unwrap();
    let log = log_of(&store);
    let start = log.news(None).await.unwrap().position;
    let is_over = Arc::new(AtomicBool::new(false));

    let check = move |since: &[(Name, u64)], position: Position| {
        let own: HashSet<u64> =
            since.iter().filter(|(name, _)| name.as_str() != "t-all").map(|(_, number)| *number).collect();
        assert_eq!(own, (1..=position.number).collect(), "at {position:?}");
        let all = since.iter().find(|(name, _)| name.as_str() == "t-all").map_or(0, |(_, number)| *number);
        assert_eq!(all, position.number);
    };
    let readers: Vec<_> = (0..8)
        .map(|reader| {
            let (log, is_over) = (Arc::clone(&log), Arc::clone(&is_over));
            tokio::spawn(async move {
                let (mut last, mut seen) = (0, 0_u32);
                while !is_over.load(Relaxed) {
                    let news = match reader % 4 {
                        0 => log.news(Some(start)).await.unwrap(),
                        1 => log.read(Some(start), KEY, None).await.unwrap().1,
                        2 => log.read(Some(start), &format!("users:{seen}"), Some(HOUR)).await.unwrap().1,
                        _ => {
                            let (numbers, news) = log.marks(Some(start), &tags(&["all"])).await.unwrap();
                            assert_eq!(numbers[0].unwrap_or(0), news.position.number);
                            news
                        }
                    };
                    check(&news.since.unwrap(), news.position);
                    assert!(news.position.number >= last, "a later answer tells no less");
                    seen += u32::from(news.position.number > last);
                    last = news.position.number;
                }
                seen
            })
        })
        .collect();
    let writers: Vec<_> = (0..TASKS)
        .map(|task| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for round in 0..EACH {
                    let names = tags(&["all", &format!("{task}:{round}")]);
                    let done = mark(&*log, Some(start), &names).await.unwrap();
                    check(&done.news.since.unwrap(), done.news.position);
                }
            })
        })
        .collect();

    for writer in writers {
        writer.await.unwrap();
    }
    is_over.store(true, Relaxed);
    let mut seen = 0;
    for reader in readers {
        seen += reader.await.unwrap();
    }
    assert_eq!(log.news(None).await.unwrap().position.number, TASKS * EACH);
    assert!(seen > 20, "readers have seen the log grow {seen} times");
}

/// The server would end one of two that wait for each other after a second, and say so in its log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalidations_and_writes_of_the_same_keys_do_not_wait_for_each_other() {
    let server = servers::Postgres::start();
    let stores: Vec<_> = (0..2)
        .map(|_| {
            Postgres::options().max_connections(20).response_timeout(PATIENT).lazy(server.url()).unwrap()
        })
        .collect();
    let keys: Vec<String> =
        (0..12).map(|key| format!("{}:{key}", if key % 2 == 0 { "users" } else { "teams" })).collect();
    let keys = Arc::new(keys);
    log_of(&stores[0]).news(None).await.unwrap();

    let tasks: Vec<_> = (0..32_usize)
        .map(|task| {
            let (store, keys) = (stores[task % 2].clone(), Arc::clone(&keys));
            tokio::spawn(async move {
                let log = log_of(&store);
                for round in 0..25_usize {
                    // Some of the keys, in an order of their own.
                    let some: Vec<&str> =
                        (0..6).map(|at| &*keys[(task * 7 + round * 5 + at * 11) % keys.len()]).collect();
                    let names: Vec<Name> = some.iter().map(|key| Name::key(key)).collect();
                    match task % 8 {
                        0..4 => {
                            let both = Invalidation { voids: &some, guard_for: HOUR, names: &names };
                            let done = log.invalidate(None, both).await.unwrap();
                            assert_eq!(done.tokens.len(), 6);
                        }
                        4 => {
                            let record = log.read(None, some[0], Some(HOUR)).await.unwrap().0;
                            let token = record.token.unwrap();
                            let _ = store.put_if(some[0], &token, "1815".into(), None).await.unwrap();
                        }
                        5 => {
                            let put = |key| Put { key, bytes: "1816".into(), expires_at: None };
                            let puts: Vec<_> = some.iter().copied().map(put).collect();
                            assert!(store.put_many(&puts).await.iter().all(Result::is_ok));
                        }
                        6 => drop(store.clear("users:").await.unwrap()),
                        _ => assert!(store.remove_many(&some).await.iter().all(Result::is_ok)),
                    }
                }
            })
        })
        .collect();

    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(log_of(&stores[0]).news(None).await.unwrap().position.number, 16 * 25);
    assert!(!server.log().contains("deadlock"), "{}", server.log());
}

/// The record is held by somebody else, and the log is not.
#[tokio::test]
async fn an_invalidation_that_waits_for_a_record_holds_up_no_other() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().response_timeout(PATIENT).connect(&url).await.unwrap();
    let log = log_of(&store);
    store.put(KEY, "1815".into(), None).await.unwrap();
    log.news(None).await.unwrap();
    let admin = Admin::connect(&url).await;
    admin.run("BEGIN; SELECT FROM larder FOR UPDATE").await;
    let waiting = tokio::spawn({
        let log = Arc::clone(&log);
        async move { void(&*log, None, &[KEY]).await.unwrap().number }
    });
    Admin::connect(&url).await.wait_for_lock_waiters(1).await;

    assert_eq!(mark(&*log, None, &tags(&["team:7"])).await.unwrap().number, 1);
    assert_eq!(log.read(None, KEY, Some(HOUR)).await.unwrap().0.bytes, Some("1815".into()));
    admin.run("COMMIT").await;
    assert_eq!(waiting.await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serializable_database_is_no_trouble_to_many() {
    let url = servers::Postgres::shared().database();
    let name = url.rsplit('/').next().unwrap().to_owned();
    let isolation = format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'");
    Admin::connect(&url).await.run(&isolation).await;
    let options = Postgres::options().max_connections(40).response_timeout(PATIENT);
    let store = options.connect(&url).await.unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let log = log_of(&store);
            tokio::spawn(async move {
                for _ in 0..5 {
                    void(&*log, None, &[KEY]).await.unwrap();
                    log.read(None, KEY, Some(HOUR)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(log_of(&store).news(None).await.unwrap().position.number, 64 * 5);
}

#[tokio::test]
async fn an_invalidation_that_was_cut_is_carried_out_at_most_once() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Postgres::options().max_connections(2).connect(&proxy.url(server.url())).await.unwrap();
    let log = log_of(&store);
    let (mut failed, mut carried_out) = (0, 0);
    let mut before = void(&*log, None, &[KEY]).await.unwrap().number;
    for after in [0, 1, 10, 50, 100, 150, 200, 300, 10_000] {
        for request in [true, false] {
            if request {
                proxy.cut_requests_after(after);
            } else {
                proxy.cut_answers_after(after);
            }
            let done = void(&*log, None, &[KEY]).await;
            proxy.heal();
            let number = log.news(None).await.unwrap().position.number;
            match done {
                Ok(done) => assert_eq!((done.number, number), (before + 1, before + 1)),
                Err(_) => {
                    failed += 1;
                    carried_out += number - before;
                    assert!(number <= before + 1, "{after}");
                }
            }
            before = number;
        }
    }
    assert!(failed > 8 && carried_out > 0, "{failed} failed, {carried_out} of them were carried out");
}

/// The connection is lost while the server is at work, which carries it out all the same.
#[tokio::test]
async fn an_invalidation_whose_answer_was_lost_is_not_repeated() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let store = Postgres::options().response_timeout(PATIENT).lazy(&proxy.url(server.url())).unwrap();
    let log = log_of(&store);
    let start = void(&*log, None, &[KEY]).await.unwrap().news.position;
    let (admin, other) = (Admin::connect(server.url()).await, Admin::connect(server.url()).await);
    admin.run("BEGIN; SELECT FROM larder FOR UPDATE").await;
    let lost = tokio::spawn({
        let log = Arc::clone(&log);
        async move { void(&*log, None, &[KEY]).await }
    });
    other.wait_for_lock_waiters(1).await;
    proxy.half_close();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    // A second attempt would wait behind the first.
    while !lost.is_finished() {
        assert_eq!(other.number(waits).await, 1, "it was repeated");
    }
    assert_eq!(lost.await.unwrap().unwrap_err().kind(), ErrorKind::Store);
    admin.run("COMMIT").await;
    while other.number(waits).await != 0 {}
    assert_eq!(void(&*log, None, &[KEY]).await.unwrap().news.position, Position { number: 3, ..start });
}

/// The server closes what was idle; only what is not written is asked again.
#[tokio::test]
async fn reads_of_the_log_outlive_connections_that_the_server_closes() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().max_connections(2).connect(&url).await.unwrap();
    let log = log_of(&store);
    let known = mark(&*log, None, &tags(&["team:7"])).await.unwrap().news.position;
    let admin = Admin::connect(&url).await;
    let terminate = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
                     WHERE application_name = 'larder' AND datname = current_database()";
    for round in 0..3 {
        assert!(admin.number(terminate).await > 0);
        let position = match round {
            0 => log.news(Some(known)).await.unwrap().position,
            1 => log.read(Some(known), KEY, Some(HOUR)).await.unwrap().1.position,
            _ => log.marks(Some(known), &[]).await.unwrap().1.position,
        };
        assert_eq!(position, known);
    }
}
