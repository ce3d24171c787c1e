//! The table is made by whoever comes first, and is looked at before it is used.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
}

use larder_core::{Bus, ByteStore, ErrorKind, Invalidation, Lock};
use larder_postgres::Postgres;
use larder_testkit::servers;
use std::process::{Command, Stdio};
use support::admin::Admin;

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

/// A table as it should be, with room for what is wrong.
fn table(columns: &str) -> String {
    format!("CREATE TABLE larder ({columns})")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_that_start_at_once_make_one_table() {
    let server = servers::Postgres::start();
    for _ in 0..5 {
        let url = server.database();
        let starts: Vec<_> = (0..20)
            .map(|number| {
                let url = url.clone();
                tokio::spawn(async move {
                    let store = Postgres::options().max_connections(1).connect(&url).await?;
                    store.put(&format!("users:{number}"), "1815".into(), None).await
                })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
        let admin = Admin::connect(&url).await;
        assert_eq!(admin.number("SELECT count(*) FROM larder").await, 20);
        assert_eq!(admin.number("SELECT count(*) FROM pg_indexes WHERE tablename = 'larder'").await, 2);
    }
    assert!(!server.log().contains("ERROR"), "none tried what another did: {}", server.log());
}

const PROCESS: &str = "LARDER_TEST_STARTS_AS_A_PROCESS";

/// What each of twenty processes does.
#[tokio::test]
async fn a_process_starts() {
    let url = std::env::var(PROCESS).unwrap_or_else(|_| servers::Postgres::shared().database());
    let store = Postgres::connect(&url).await.unwrap();
    store.put(&format!("users:{}", std::process::id()), "1815".into(), None).await.unwrap();
}

#[tokio::test]
async fn twenty_processes_that_start_at_once_make_one_table() {
    let url = servers::Postgres::shared().database();
    let mut processes: Vec<_> = (0..20)
        .map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "a_process_starts"]).env(PROCESS, &url);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();

    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(Admin::connect(&url).await.number("SELECT count(*) FROM larder").await, 20);
}

#[tokio::test]
async fn a_table_that_is_there_is_used_on() {
    let url = servers::Postgres::shared().database();
    let first = Postgres::connect(&url).await.unwrap();
    first.put("users:ada", "1815".into(), None).await.unwrap();
    drop(first);
    let admin = Admin::connect(&url).await;
    admin.run("ALTER TABLE larder ADD noted timestamptz NOT NULL DEFAULT now(), ADD remark text").await;

    let second = Postgres::connect(&url).await.unwrap();
    assert_eq!(second.get("users:ada").await.unwrap(), Some("1815".into()));
    second.put("users:ada", "1816".into(), None).await.unwrap();
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused_with_what_it_lacks() {
    let all = "namespace text NOT NULL, key bytea NOT NULL, value bytea, token bytea NOT NULL, expires_at timestamptz";
    let key = "PRIMARY KEY (namespace, key)";
    let cases = [
        ("id int".to_owned(), "the column namespace of type text, the column key of type bytea"),
        (
            format!("{}, {key}", all.replace(", token bytea NOT NULL", "")),
            "it lacks the column token of type bytea;",
        ),
        (
            format!("{}, {key}", all.replace("timestamptz", "timestamp")),
            "the type timestamp with time zone of the column expires_at (it is timestamp without time zone)",
        ),
        (
            format!("{}, {key}", all.replace("value bytea", "value bytea NOT NULL")),
            "NULL in the column value",
        ),
        (format!("{all}, {key}, owner text NOT NULL"), "a default for the column owner"),
        (all.to_owned(), "a primary key or unique index of namespace and key"),
        (format!("{all}, PRIMARY KEY (key)"), "a primary key or unique index of namespace and key"),
        (
            format!("{all}, UNIQUE (namespace, key, token)"),
            "a primary key or unique index of namespace and key",
        ),
    ];
    for (columns, lacks) in cases {
        let url = servers::Postgres::shared().database();
        Admin::connect(&url).await.run(&table(&columns)).await;

        let error = Postgres::connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{columns}");
        let told = error.to_string();
        assert!(told.contains("the table \"larder\" in PostgreSQL at 127.0.0.1:"), "{told}");
        assert!(told.contains(lacks), "{told}");
        assert!(told.contains("choose another name with `.table(..)`"), "{told}");
    }
}

#[tokio::test]
async fn a_unique_index_in_place_of_the_primary_key_will_do() {
    let url = servers::Postgres::shared().database();
    let columns = "expires_at timestamptz, token bytea NOT NULL, value bytea, key bytea, namespace text";
    let admin = Admin::connect(&url).await;
    admin.run(&table(columns)).await;
    admin.run("CREATE UNIQUE INDEX ON larder (key, namespace) INCLUDE (token)").await;

    let store = Postgres::connect(&url).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_an_error_with_its_cure() {
    let url = servers::Postgres::shared().database();
    let error = Postgres::options().schema("caches").connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let told = error.to_string();
    assert!(
        told.contains("schema \"caches\" does not exist") && told.contains("create the schema"),
        "{told}"
    );
}

#[tokio::test]
async fn a_user_who_may_not_is_an_error_with_its_cure() {
    let url = servers::Postgres::shared().database();
    let admin = Admin::connect(&url).await;
    let user = url.rsplit('/').next().unwrap().to_owned();
    admin.run(&format!("CREATE ROLE {user} LOGIN")).await;
    let as_user = url.replace("//postgres@", &format!("//{user}@"));

    let error = Postgres::connect(&as_user).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().contains("permission denied for schema public (42501); grant SELECT"),
        "{error}"
    );

    drop(Postgres::connect(&url).await.unwrap());
    let store = Postgres::connect(&as_user).await.unwrap();
    let error = store.get("users:ada").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("permission denied for table larder"), "{error}");

    admin.run(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON larder TO {user}")).await;
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
}

/// By somebody who may, with the statements that are given out for it.
#[tokio::test]
async fn a_user_who_may_make_nothing_uses_what_is_there() {
    for unlogged in [false, true] {
        let url = servers::Postgres::shared().database();
        let admin = Admin::connect(&url).await;
        let user = url.rsplit('/').next().unwrap().to_owned();
        let options = Postgres::options().table("pages \"1\"").unlogged(unlogged);
        admin.run(&options.setup_sql()).await;
        let rights = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public";
        admin.run(&format!("CREATE ROLE {user} LOGIN; GRANT {rights} TO {user}")).await;

        let store = options.connect(&url.replace("//postgres@", &format!("//{user}@"))).await.unwrap();
        let (log, lock) = (store.log().unwrap(), store.lock());
        let names = [larder_core::Name::tag("team:7")];
        let both = Invalidation { voids: &["users:ada"], guard_for: HOUR, names: &names };
        assert_eq!(log.invalidate(None, both).await.unwrap().number, 1);
        assert_eq!(log.read(None, "users:ada", Some(HOUR)).await.unwrap().1.position.number, 1);
        assert!(lock.acquire("users:ada", HOUR).await.unwrap().is_some());
        store.bus().unwrap().publish("anything".into()).await.unwrap();
        let logged = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p' AND relname LIKE 'pages%'";
        assert_eq!(admin.number(logged).await, if unlogged { 0 } else { 3 });
    }
}

#[tokio::test]
async fn a_table_that_was_dropped_is_made_anew() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();

    let admin = Admin::connect(&url).await;
    admin.run("DROP TABLE larder").await;
    assert_eq!(store.get("users:ada").await.unwrap(), None);
    store.put("users:ada", "1816".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1816".into()));
}

#[tokio::test]
async fn prepared_statements_that_were_lost_are_prepared_anew() {
    let url = servers::Postgres::shared().database();
    let manager = deadpool_postgres::Manager::new(url.parse().unwrap(), tokio_postgres::NoTls);
    let pool = larder_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    let store = Postgres::options().from_pool(pool.clone()).unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));

    pool.get().await.unwrap().batch_execute("DEALLOCATE ALL").await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
}

/// Its detail would show the row, and with it the value.
#[tokio::test]
async fn an_error_that_shows_the_row_is_told_without_it() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let admin = Admin::connect(&url).await;
    admin.run("ALTER TABLE larder ADD CONSTRAINT small CHECK (length(value) < 10)").await;

    let error = store.put("users:ada", "a very secret value".into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("violates check constraint \"small\""), "{error}");
    let bytes = "6120766572792073656372657420";
    let told = format!("{error} {error:?} {error:#?}");
    assert!(!told.contains("secret") && !told.contains(bytes) && !told.contains("Failing row"), "{told}");
}

#[tokio::test]
async fn a_serializable_database_is_no_trouble() {
    let url = servers::Postgres::shared().database();
    let name = url.rsplit('/').next().unwrap().to_owned();
    let admin = Admin::connect(&url).await;
    admin.run(&format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")).await;
    let store = Postgres::connect(&url).await.unwrap();
    let isolation = "SELECT setting FROM pg_settings WHERE name = 'default_transaction_isolation'";
    assert_eq!(Admin::connect(&url).await.text(isolation).await, "serializable");

    // Whoever waits for another's transaction has seen too little when that ends.
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let mut other = Admin::connect(&url).await;
    let transaction = other.0.transaction().await.unwrap();
    transaction.batch_execute("UPDATE larder SET value = '1816', token = '\\x01'").await.unwrap();
    let put = tokio::spawn({
        let store = store.clone();
        async move { store.put("users:ada", "1817".into(), None).await }
    });
    admin.wait_for_lock_waiters(1).await;
    transaction.commit().await.unwrap();
    put.await.unwrap().unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1817".into()));
}

#[tokio::test]
async fn a_table_that_someone_else_makes_at_the_moment_is_used() {
    let url = servers::Postgres::shared().database();
    let admin = Admin::connect(&url).await;
    let columns = "namespace text NOT NULL, key bytea NOT NULL, value bytea, token bytea NOT NULL, \
                   expires_at timestamptz, PRIMARY KEY (namespace, key)";
    admin.run(&format!("BEGIN; {}", table(columns))).await;
    let connect = tokio::spawn({
        let url = url.clone();
        async move { Postgres::connect(&url).await }
    });
    Admin::connect(&url).await.wait_for_lock_waiters(1).await;
    admin.run("COMMIT").await;
    connect.await.unwrap().unwrap().put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(admin.number("SELECT count(*) FROM larder").await, 1);
}
