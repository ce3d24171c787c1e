//! What a store of bytes does with its rows.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
}

use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Clock, ErrorKind, Put, PutIf, SystemClock};
use larder_postgres::Postgres;
use larder_testkit::servers;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::admin::Admin;

const HOUR: Duration = Duration::from_secs(3600);

async fn store() -> (String, Postgres) {
    let url = servers::Postgres::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    (url, store)
}

fn now() -> SystemTime {
    SystemClock.wall()
}

#[tokio::test]
async fn a_table_may_have_any_name() {
    let url = servers::Postgres::shared().database();
    let admin = Admin::connect(&url).await;
    admin.run("CREATE SCHEMA \"a schema; --\"").await;
    let names =
        ["larder", "Larder", "la rder", "a.b", "a\"b", "select", "'); --", "ä", "%s$1", &"x".repeat(63)];
    let mut stores = Vec::new();
    for (number, name) in names.iter().enumerate() {
        for options in [Postgres::options(), Postgres::options().schema("a schema; --")] {
            let store = options.table(*name).max_connections(1).connect(&url).await.unwrap();
            store.put("users:ada", name.to_string().into(), None).await.unwrap();
            stores.push((number, store));
        }
    }

    for (number, store) in stores {
        let found = store.get("users:ada").await.unwrap();
        assert_eq!(found, Some(names[number].to_string().into()), "a table of its own");
    }
    let tables = admin.number(
        "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    );
    assert_eq!(tables.await, 2 * 10);
}

#[tokio::test]
async fn options_that_cannot_be_are_refused() {
    let options = Postgres::options;
    let cases = [
        (options().table(""), "no table can be called \"\""),
        (options().table("x".repeat(64)), "1 to 63 bytes"),
        (options().table("a\0b"), "no NUL"),
        (options().schema(""), "no schema can be called"),
        (options().max_connections(0), "takes 1 or more"),
        (options().max_value_bytes(u64::MAX), "takes 536870912 at most"),
    ];
    for (options, told) in cases {
        let error = options.lazy("postgres://db.test/shop").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn every_key_has_a_row_of_its_own() {
    let (_, store) = store().await;
    let mut keys: Vec<String> = ["ada", "", " ", "a\0b", "\0", "a\nb", "ä", "'", "\\x00", "a:b", "%"]
        .map(|text| format!("users:{text}"))
        .into();
    keys.extend(["Users:ada", "\0:ada", "ä:ada", "#:ada", ":ada", ":", "", "ada"].map(String::from));
    keys.push(format!("users:{}", "x".repeat(100_000)));
    keys.push(format!("{}:ada", "x".repeat(100_000)));
    for key in &keys {
        assert_eq!(store.get(key).await.unwrap(), None, "{key:.40?}");
        store.put(key, Bytes::from(key.clone()), None).await.unwrap();
    }
    for key in &keys {
        assert_eq!(store.get(key).await.unwrap(), Some(Bytes::from(key.clone())), "{key:.40?}");
    }
}

#[tokio::test]
async fn the_rows_are_as_documented() {
    let (url, store) = store().await;
    let admin = Admin::connect(&url).await;
    let deadline = UNIX_EPOCH + Duration::from_millis(4_102_444_800_001);
    store.put("users:ada", "1815".into(), Some(deadline)).await.unwrap();

    let row = "SELECT concat_ws(' ', namespace, encode(key, 'hex'), convert_from(value, 'UTF8'), length(token), \
               expires_at AT TIME ZONE 'UTC') FROM larder";
    let expected = "users 118bf66e0e9ceff1967017b7d485751e 1815 16 2100-01-01 00:00:00.001";
    assert_eq!(admin.text(row).await, expected);
    assert_eq!(admin.text("SELECT relpersistence::text FROM pg_class WHERE relname = 'larder'").await, "p");
    let index =
        "SELECT count(*) FROM pg_indexes WHERE tablename = 'larder' AND indexdef LIKE '%(expires_at)'";
    assert_eq!(admin.number(index).await, 1);
}

#[tokio::test]
async fn a_table_may_be_unlogged() {
    let url = servers::Postgres::shared().database();
    drop(Postgres::options().unlogged(true).connect(&url).await.unwrap());

    let admin = Admin::connect(&url).await;
    assert_eq!(admin.text("SELECT relpersistence::text FROM pg_class WHERE relname = 'larder'").await, "u");
}

#[tokio::test]
async fn deadlines_are_judged_by_the_clock_of_this_process() {
    let (_, store) = store().await;
    let cases = [
        (now() - Duration::from_millis(1), false),
        (UNIX_EPOCH - HOUR, false),
        (now() + HOUR, true),
        (UNIX_EPOCH + Duration::from_secs(1 << 60), true),
    ];
    for (deadline, is_there) in cases {
        store.put("users:ada", "1815".into(), Some(deadline)).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap().is_some(), is_there, "{deadline:?}");
        assert_eq!(store.get_many(&["users:ada"]).await[0].clone().unwrap().is_some(), is_there);
        let put = [Put { key: "users:bob", bytes: "1816".into(), expires_at: Some(deadline) }];
        store.put_many(&put).await.pop().unwrap().unwrap();
        assert_eq!(store.get("users:bob").await.unwrap().is_some(), is_there, "{deadline:?}");
        let token = store.get_with_token("users:cat", HOUR).await.unwrap().token.unwrap();
        assert_eq!(store.put_if("users:cat", &token, "7".into(), Some(deadline)).await.unwrap(), PutIf::Done);
        assert_eq!(store.get("users:cat").await.unwrap().is_some(), is_there, "{deadline:?}");
    }
}

#[tokio::test]
async fn the_largest_value_is_kept_and_one_byte_more_is_neither_written_nor_read() {
    let (url, store) = store().await;
    let small = Postgres::options().max_value_bytes(1_000).connect(&url).await.unwrap();
    small.put("users:ada", vec![0; 1_000].into(), None).await.unwrap();
    assert_eq!(small.get("users:ada").await.unwrap().unwrap().len(), 1_000);

    store.put("users:ada", vec![0; 1_001].into(), None).await.unwrap();
    store.put("users:bob", "1816".into(), None).await.unwrap();
    for error in [
        small.get("users:ada").await.unwrap_err(),
        small.get_with_token("users:ada", HOUR).await.unwrap_err(),
        small.get_many(&["users:bob", "users:ada"]).await.pop().unwrap().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(
            error.to_string().contains("1001 bytes, where 1000 are allowed; `.max_value_bytes(n)`"),
            "{error}"
        );
    }
    assert_eq!(
        small.get_many(&["users:ada", "users:bob"]).await.pop().unwrap().unwrap(),
        Some("1816".into())
    );
}

#[tokio::test]
async fn a_put_that_is_refused_leaves_no_older_value() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().max_value_bytes(1_000).connect(&url).await.unwrap();
    let large: Bytes = vec![0; 1_001].into();

    store.put("users:ada", "older".into(), None).await.unwrap();
    assert_eq!(store.put("users:ada", large.clone(), None).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(store.get("users:ada").await.unwrap(), None);

    store.put("users:ada", "older".into(), None).await.unwrap();
    let put = |key, bytes: &Bytes| Put { key, bytes: bytes.clone(), expires_at: None };
    let puts = [put("users:ada", &large), put("users:bob", &"1816".into())];
    let kinds: Vec<_> =
        store.put_many(&puts).await.into_iter().map(|put| put.map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Err(ErrorKind::TooLarge), Ok(())]);
    assert_eq!(store.get("users:ada").await.unwrap(), None);
    assert_eq!(store.get("users:bob").await.unwrap(), Some("1816".into()));

    store.put("users:ada", "older".into(), None).await.unwrap();
    let token = store.get_with_token("users:ada", HOUR).await.unwrap().token.unwrap();
    store.put("users:bob", "newer".into(), None).await.unwrap();
    let error = store.put_if("users:bob", &token, large.clone(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(
        store.get("users:bob").await.unwrap(),
        Some("newer".into()),
        "what the token is not for stays"
    );
    let error = store.put_if("users:ada", &token, large, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(store.get("users:ada").await.unwrap(), None);
}

#[tokio::test]
async fn a_pool_that_is_there_already_is_used() {
    let url = servers::Postgres::shared().database();
    let manager = deadpool_postgres::Manager::new(url.parse().unwrap(), tokio_postgres::NoTls);
    let pool = larder_postgres::Pool::builder(manager).max_size(2).build().unwrap();
    let store = Postgres::options().from_pool(pool.clone()).unwrap();

    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
    assert_eq!(pool.status().size, 1);
    pool.close();
    assert_eq!(store.get("users:ada").await.unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn it_claims_to_clear_to_expire_and_to_compare_and_set() {
    let store = Postgres::options().lazy("postgres://db.test/shop").unwrap();
    assert_eq!(store.capabilities(), Capabilities::NONE.clear().put_if().expires());
    assert_eq!(store.usage(), None);
}
