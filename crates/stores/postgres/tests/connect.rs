//! Connecting, and what is said where it fails.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
}

use larder_core::{ByteStore, Error, ErrorKind};
use larder_postgres::Postgres;
use larder_testkit::{Proxy, servers};
use std::time::Duration;
use support::admin::Admin;

/// Checks that an error says all of this, and nothing secret.
fn tells(error: &Error, kind: ErrorKind, told: &[&str]) {
    let shown = format!("{error} {error:?} {:?}", std::error::Error::source(error));
    assert_eq!(error.kind(), kind, "{shown}");
    for piece in told {
        assert!(error.to_string().contains(piece), "`{piece}` is not in: {shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// Has the server ask the user `locked` for a password, and refuse `tls` unless it comes with TLS.
async fn lock(server: &servers::Postgres) {
    let file = server.folder().join("data/pg_hba.conf");
    let rest = std::fs::read_to_string(&file).unwrap();
    let rules = "host all locked 127.0.0.1/32 scram-sha-256\nhostssl all tls 127.0.0.1/32 trust\n\
                 hostnossl all tls 127.0.0.1/32 reject\n";
    std::fs::write(&file, format!("{rules}{rest}")).unwrap();
    let admin = Admin::connect(server.url()).await;
    admin
        .run("CREATE ROLE locked LOGIN PASSWORD 'hunter2'; CREATE ROLE tls LOGIN; SELECT pg_reload_conf()")
        .await;
    server.wait_for_log("received SIGHUP");
}

#[tokio::test]
async fn a_refused_login_names_the_cure_and_not_the_password() {
    let server = servers::Postgres::start();
    lock(&server).await;
    let as_user = |user: &str| server.url().replace("//postgres@", &format!("//{user}@"));
    let error = async |user: &str| Postgres::connect(&as_user(user)).await.unwrap_err();

    let said =
        ["PostgreSQL at 127.0.0.1:", "password authentication failed", "check user and password of the URL"];
    tells(&error("locked:hunter2x").await, ErrorKind::Config, &said);
    tells(&error("locked").await, ErrorKind::Config, &["asks for a password, and the URL has none"]);
    tells(
        &error("nobody").await,
        ErrorKind::Config,
        &["role \"nobody\" does not exist", "check user and database"],
    );
    tells(&error("tls").await, ErrorKind::Config, &["pg_hba.conf"]);

    let right = Postgres::options().schema("pg_temp").lazy(&as_user("locked:hunter2")).unwrap();
    right.get("users:ada").await.unwrap();
    assert!(!format!("{right:?} {right:#?}").contains("hunter2"));
    assert!(format!("{right:?}").contains("PostgreSQL at 127.0.0.1:"));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error_with_its_cure() {
    let url = servers::Postgres::shared().url().replace("/postgres", "/shop");
    let url = url.replace("shop@", "postgres@").replace("//shop", "//postgres");
    let error = Postgres::connect(&url).await.unwrap_err();
    tells(&error, ErrorKind::Config, &["database \"shop\" does not exist", "create the database"]);
}

#[tokio::test]
async fn tls_that_nobody_speaks_is_an_error_with_its_cure() {
    let url = servers::Postgres::shared().url();
    let error = Postgres::connect(&format!("{url}?sslmode=require")).await.unwrap_err();
    tells(&error, ErrorKind::Config, &["no TLS with PostgreSQL at 127.0.0.1:", "`.from_config_and_tls(..)`"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_of_the_store() {
    let server = servers::Postgres::start();
    server.kill();
    let error = Postgres::connect(server.url()).await.unwrap_err();
    let place = format!("no connection to PostgreSQL at 127.0.0.1:{}/postgres", server.port());
    tells(&error, ErrorKind::Store, &[&place, "refused"]);
}

#[tokio::test]
async fn a_service_starts_while_its_database_is_down() {
    let server = servers::Postgres::start();
    server.kill();
    let store = Postgres::options().lazy(server.url()).unwrap();
    assert_eq!(store.get("users:ada").await.unwrap_err().kind(), ErrorKind::Store);

    server.restart();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
}

#[tokio::test]
async fn a_server_that_only_reads_is_an_error_with_its_cure() {
    let url = servers::Postgres::shared().database();
    let name = url.rsplit('/').next().unwrap().to_owned();
    let before = Postgres::connect(&url).await.unwrap();
    before.put("users:ada", "1815".into(), None).await.unwrap();
    let admin = Admin::connect(&url).await;
    let cure = "connect to the primary";

    admin.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    tells(&Postgres::connect(&url).await.unwrap_err(), ErrorKind::Config, &["is read-only", cure]);

    // As after a failover: the connections that there are become read-only.
    let manager = deadpool_postgres::Manager::new(url.parse().unwrap(), tokio_postgres::NoTls);
    let pool = larder_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    let setup = "SET default_transaction_read_only = off";
    pool.get().await.unwrap().batch_execute(setup).await.unwrap();
    let store = Postgres::options().from_pool(pool.clone()).unwrap();
    store.put("users:ada", "1816".into(), None).await.unwrap();
    pool.get().await.unwrap().batch_execute("SET default_transaction_read_only = on").await.unwrap();
    tells(
        &store.put("users:ada", "1817".into(), None).await.unwrap_err(),
        ErrorKind::Store,
        &["read-only", cure],
    );
    assert_eq!(pool.status().size, 0, "the connection is given up, so that another server can be found");

    admin.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = off")).await;
    store.put("users:ada", "1818".into(), None).await.unwrap();
    assert_eq!(before.get("users:ada").await.unwrap(), Some("1818".into()));
}

#[tokio::test]
async fn too_many_connections_are_an_error_with_its_cure() {
    let url = servers::Postgres::shared().database();
    let name = url.rsplit('/').next().unwrap().to_owned();
    let admin = Admin::connect(&url).await;
    let user = format!("user_{name}");
    admin
        .run(&format!("CREATE ROLE {user} LOGIN CONNECTION LIMIT 1; GRANT CREATE ON SCHEMA public TO {user}"))
        .await;
    let url = url.replace("//postgres@", &format!("//{user}@"));

    let first = Postgres::connect(&url).await.unwrap();
    let error = Postgres::connect(&url).await.unwrap_err();
    tells(&error, ErrorKind::Store, &["too many connections", "lower `.max_connections(n)`"]);
    first.get("users:ada").await.unwrap();
}

/// Were a connection given up with the call that wanted it, there would never be one.
#[tokio::test]
async fn a_connection_that_takes_longer_than_a_call_is_there_for_a_later_one() {
    let server = servers::Postgres::start();
    drop(Postgres::connect(server.url()).await.unwrap());
    let admin = Admin::connect(server.url()).await;
    admin.run("ALTER SYSTEM SET post_auth_delay = 1").await;
    admin.run("SELECT pg_reload_conf()").await;
    server.wait_for_log("parameter \"post_auth_delay\" changed");

    let options = Postgres::options().response_timeout(Duration::from_millis(250)).max_connections(1);
    let store = options.lazy(server.url()).unwrap();
    let mut late = 0;
    while let Err(error) = store.get("users:ada").await {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        late += 1;
        assert!(late < 20, "there is never a connection");
    }
    assert!(late > 0, "making a connection takes a second");
}

/// To connect, to make the table, to prepare and to ask are many round trips, of which each is in time.
#[tokio::test]
async fn a_connection_that_takes_several_calls_to_be_of_use_gets_there() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    proxy.delay(Duration::from_millis(40));
    let options = Postgres::options().response_timeout(Duration::from_millis(250)).max_connections(1);
    let store = options.lazy(&proxy.url(server.url())).unwrap();
    let mut late = 0;
    while let Err(error) = store.get("users:ada").await {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        late += 1;
        assert!(late < 20, "none of them is ever in time");
    }
    assert!(late > 1, "{late}");
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn connecting_to_a_server_that_hangs_ends_in_time() {
    let server = servers::Postgres::start();
    server.pause();
    let connect = Postgres::options().connect_timeout(Duration::from_millis(200)).connect(server.url());
    tells(&connect.await.unwrap_err(), ErrorKind::Timeout, &["200ms"]);
    server.resume();
    drop(Postgres::connect(server.url()).await.unwrap());
}
