//! A log that was lost, or a part of it: whoever knew it is told, by another era.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod log;
}

use larder_core::{ErrorKind, Name, Position, SharedLog};
use larder_postgres::Postgres;
use larder_testkit::servers;
use support::admin::Admin;
use support::log::{HOUR, log_of, mark, tags, void};

const KEY: &str = "users:ada";

/// Marks some names and returns where the log stands then.
async fn with_three(log: &dyn SharedLog) -> Position {
    for tag in ["team:7", "team:8"] {
        mark(log, None, &tags(&[tag])).await.unwrap();
    }
    let last = void(log, None, &[KEY]).await.unwrap().news.position;
    assert_eq!(last.number, 3);
    last
}

/// Checks that each operation finds a new era in which there is nothing, and that they find the same.
async fn finds_a_new_era(log: &dyn SharedLog, known: Position) -> Position {
    let (record, news) = log.read(Some(known), KEY, None).await.unwrap();
    assert_eq!(record.bytes, None);
    assert_ne!(news.position.era, known.era);
    assert_eq!((news.position.number, news.floor, news.key_floor), (0, 0, 0));
    assert_eq!(news.since, Some(Vec::new()));
    let (marks, same) = log.marks(Some(known), &tags(&["team:7", "team:8"])).await.unwrap();
    assert_eq!((marks, same), (vec![None, None], news.clone()));
    assert_eq!(log.news(None).await.unwrap(), news);
    assert_eq!(log.news(Some(known)).await.unwrap(), news);
    news.position
}

#[tokio::test]
async fn a_restart_goes_on_with_a_logged_log() {
    let server = servers::Postgres::start();
    let store = Postgres::connect(server.url()).await.unwrap();
    let log = log_of(&store);
    let known = with_three(&*log).await;

    server.kill();
    server.restart();
    assert_eq!(log.news(Some(known)).await.unwrap().position, known);
    assert_eq!(mark(&*log, Some(known), &tags(&["team:9"])).await.unwrap().number, 4);
}

/// Without the flush of its own the numbers that are given out again would be those of other names.
#[tokio::test]
async fn a_number_that_was_given_out_survives_a_crash_where_commits_are_not_waited_for() {
    let server = servers::Postgres::start();
    let admin = Admin::connect(server.url()).await;
    admin.run("ALTER SYSTEM SET synchronous_commit = off").await;
    admin.run("ALTER SYSTEM SET wal_writer_delay = '10s'").await;
    admin.run("SELECT pg_reload_conf()").await;
    server.wait_for_log("parameter \"wal_writer_delay\" changed");
    let store = Postgres::connect(server.url()).await.unwrap();
    let log = log_of(&store);
    let start = with_three(&*log).await;
    for round in 4..8 {
        let known = mark(&*log, Some(start), &tags(&["team:9"])).await.unwrap().news.position;
        server.kill();
        server.restart();
        assert_eq!(log.news(None).await.unwrap().position, known);
        assert_eq!(known, Position { number: round, ..start });
    }
}

#[tokio::test]
async fn a_crash_that_empties_the_tables_begins_a_new_era() {
    let server = servers::Postgres::start();
    let store = Postgres::options().unlogged(true).connect(server.url()).await.unwrap();
    let log = log_of(&store);
    let mut known = with_three(&*log).await;
    for _ in 0..2 {
        server.kill();
        server.restart();
        known = finds_a_new_era(&*log, known).await;
        assert_eq!(with_three(&*log).await.era, known.era);
    }

    let admin = Admin::connect(server.url()).await;
    let unlogged = "SELECT count(*) FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'";
    assert_eq!(admin.number(unlogged).await, 3);
}

/// The log goes by the table of the records, which the option does not change once it is there.
#[tokio::test]
async fn a_log_beside_an_unlogged_table_is_unlogged() {
    for unlogged in [true, false] {
        let url = servers::Postgres::shared().database();
        drop(Postgres::options().unlogged(unlogged).connect(&url).await.unwrap());
        let store = Postgres::options().unlogged(!unlogged).connect(&url).await.unwrap();
        log_of(&store).news(None).await.unwrap();
        let admin = Admin::connect(&url).await;
        let of_log = "SELECT count(*) FROM pg_class WHERE relpersistence = 'u' AND relname LIKE 'larder\\__%' AND relkind = 'r'";
        assert_eq!(admin.number(of_log).await, if unlogged { 2 } else { 0 });
    }
}

#[tokio::test]
async fn a_log_of_which_a_part_is_gone_begins_a_new_era() {
    for loss in [
        "DELETE FROM larder_log",
        "TRUNCATE larder_log",
        "TRUNCATE larder_marks",
        "DELETE FROM larder_marks",
        "DELETE FROM larder_marks WHERE id = ''",
        "DROP TABLE larder_log",
        "DROP TABLE larder_marks",
        "DROP TABLE larder_log, larder_marks, larder",
        "UPDATE larder_log SET era = era + 1",
        // As in a copy of the database.
        "UPDATE larder_log SET server = '7710741365761795081/00000001'",
        "UPDATE larder_log SET server = replace(server, '/00000001', '/00000002')",
    ] {
        let url = servers::Postgres::shared().database();
        let store = Postgres::connect(&url).await.unwrap();
        let log = log_of(&store);
        let known = with_three(&*log).await;
        let admin = Admin::connect(&url).await;
        admin.run(loss).await;
        let new = finds_a_new_era(&*log, known).await;

        assert_eq!(with_three(&*log).await.era, new.era, "{loss}");
        admin.run(loss).await;
        let next = void(&*log, Some(new), &[KEY]).await.unwrap();
        assert_ne!(next.news.position.era, new.era, "{loss}");
        assert_eq!((next.number, next.news.since, next.tokens.len()), (1, Some(Vec::new()), 1), "{loss}");
    }
}

#[tokio::test]
async fn a_log_that_went_back_begins_a_new_era() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let log = log_of(&store);
    let stands = with_three(&*log).await;
    let other_era = Position { era: stands.era ^ 1, number: 1_000 };
    assert_eq!(log.news(Some(other_era)).await.unwrap().position, stands, "of another log that says nothing");

    let known = Position { number: 4, ..stands };
    let new = finds_a_new_era(&*log, known).await;
    assert_eq!(log.news(Some(known)).await.unwrap().position, new);

    let mut stands = with_three(&*log).await;
    for number in [4, 1 << 40, u64::MAX] {
        let known = Position { number, ..stands };
        let next = mark(&*log, Some(known), &tags(&["team:9"])).await.unwrap();
        assert_ne!(next.news.position.era, stands.era);
        assert_eq!(next.number, 1);
        stands = next.news.position;
    }
}

/// What begins again with what was saved some time ago has another history from there.
#[tokio::test]
async fn a_server_that_was_restored_begins_a_new_era() {
    let server = servers::Postgres::start();
    let store = Postgres::connect(server.url()).await.unwrap();
    let log = log_of(&store);
    let known = with_three(&*log).await;
    Admin::connect(server.url()).await.run("ALTER SYSTEM SET restore_command = 'false'").await;

    server.kill();
    std::fs::write(server.folder().join("data/recovery.signal"), "").unwrap();
    server.restart();
    let new = finds_a_new_era(&*log, known).await;
    assert_eq!(log.news(Some(new)).await.unwrap().position, new);
}

/// It refuses to say where it stands. Here a function of that name does it, which is found first.
#[tokio::test]
async fn a_standby_is_not_read_from_and_the_error_says_what_to_do() {
    let url = servers::Postgres::shared().database();
    let name = url.rsplit('/').next().unwrap().to_owned();
    let store = Postgres::options().max_connections(1).connect(&url).await.unwrap();
    let log = log_of(&store);
    let known = with_three(&*log).await;
    let admin = Admin::connect(&url).await;
    admin.run(
        "CREATE FUNCTION pg_current_wal_lsn() RETURNS pg_lsn LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'recovery is in progress' USING ERRCODE = 'object_not_in_prerequisite_state'; END $$",
    ).await;
    admin.run(&format!("ALTER DATABASE {name} SET search_path = public, pg_catalog")).await;
    let terminate = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
                     WHERE application_name = 'larder' AND datname = current_database()";
    assert_eq!(admin.number(terminate).await, 1);

    for _ in 0..2 {
        let error = log.read(Some(known), KEY, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(
            error.to_string().contains("recovery is in progress (55000); connect to the primary"),
            "{error}"
        );
        // It is closed, so that the next call looks for another server.
        while !admin.backends().await.is_empty() {}
    }
    admin.run("DROP FUNCTION public.pg_current_wal_lsn()").await;
    assert_eq!(log.news(Some(known)).await.unwrap().position, known);
}

#[tokio::test]
async fn a_function_that_was_dropped_is_made_anew() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let log = log_of(&store);
    let known = with_three(&*log).await;
    let admin = Admin::connect(&url).await;
    let name =
        admin.text("SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'larder\\_%'").await;
    admin.run(&format!("DROP FUNCTION {name}")).await;
    assert_eq!(mark(&*log, Some(known), &tags(&["team:9"])).await.unwrap().number, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_find_no_log_begin_one_era() {
    let url = servers::Postgres::shared().database();
    for round in 0..10 {
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let url = url.clone();
                tokio::spawn(async move {
                    let options = Postgres::options().table(format!("t{round}")).max_connections(1);
                    let store = options.connect(&url).await.unwrap();
                    let log = log_of(&store);
                    match number % 3 {
                        0 => log.news(None).await.unwrap().position,
                        1 => log.read(None, KEY, Some(HOUR)).await.unwrap().1.position,
                        _ => mark(&*log, None, &[Name::tag("team:7")]).await.unwrap().news.position,
                    }
                })
            })
            .collect();
        let mut eras = Vec::new();
        for task in tasks {
            eras.push(task.await.unwrap().era);
        }
        eras.dedup();
        assert_eq!(eras.len(), 1, "{eras:?}");
    }
}
