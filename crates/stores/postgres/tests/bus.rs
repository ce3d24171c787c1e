//! What processes tell each other, and connections that are lost.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod admin;
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) mod ear;
}

use bytes::Bytes;
use larder_core::{Bus, ErrorKind};
use larder_postgres::{Postgres, PostgresBus};
use larder_testkit::{Proxy, servers};
use std::collections::HashSet;
use std::pin::Pin;
use std::time::Duration;
use support::admin::Admin;
use support::ear::{Ears, Told, in_time};

const LISTENERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'larder listening' \
                         AND datname = current_database()";

fn bus_at(url: &str) -> PostgresBus {
    Postgres::options().lazy(url).unwrap().bus().unwrap()
}

#[tokio::test]
async fn whatever_is_said_is_heard_by_all_and_by_ourselves() {
    let url = servers::Postgres::shared().database();
    let (ours, theirs) = (bus_at(&url), bus_at(&url));
    let (here, there) = (Ears::new(), Ears::new());
    ours.subscribe(here.weak());
    theirs.subscribe(there.weak());
    assert_eq!((here.next().await, there.next().await), (Told::Missed, Told::Missed));

    let most = ours.max_message_bytes();
    assert_eq!(most, 5_998);
    let all_bytes: Vec<u8> = (0..=255).collect();
    for message in [vec![], vec![0], all_bytes.repeat(8), vec![255; most - 1], vec![255; most]] {
        ours.publish(message.clone().into()).await.unwrap();
        assert_eq!(here.next().await, Told::Heard(message.clone()));
        assert_eq!(there.next().await, Told::Heard(message));
    }
    let error = ours.publish(vec![0; most + 1].into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("5999 bytes, where PostgreSQL carries 5998"), "{error}");
}

#[tokio::test]
async fn one_connection_serves_all_listeners_and_goes_with_the_last_handle() {
    let url = servers::Postgres::shared().database();
    let store = Postgres::options().lazy(&url).unwrap();
    let listeners: Vec<_> = (0..5).map(|_| Ears::new()).collect();
    for listener in &listeners {
        store.clone().bus().unwrap().subscribe(listener.weak());
    }
    let bus = store.bus().unwrap();
    for listener in &listeners {
        listener.miss().await;
    }
    let late = Ears::new();
    bus.subscribe(late.weak());
    assert_eq!(late.next().await, Told::Missed, "the connection was there already");
    let admin = Admin::connect(&url).await;
    assert_eq!(admin.number(LISTENERS).await, 1);
    drop(store);
    bus.publish("on".into()).await.unwrap();
    for listener in listeners.iter().chain([&late]) {
        assert_eq!(listener.hear().await, b"on");
    }

    drop(bus);
    in_time(async { while admin.number(LISTENERS).await != 0 {} }).await;
}

#[tokio::test]
async fn a_listener_that_has_gone_is_told_nothing() {
    let bus = bus_at(&servers::Postgres::shared().database());
    let (stays, goes) = (Ears::new(), Ears::new());
    bus.subscribe(goes.weak());
    bus.subscribe(stays.weak());
    stays.miss().await;
    let gone = goes.weak();
    drop(goes);
    bus.publish("hello".into()).await.unwrap();
    assert_eq!(stays.hear().await, b"hello");
    assert_eq!(gone.strong_count(), 0);
}

#[tokio::test]
async fn channels_and_databases_do_not_hear_each_other_and_noise_is_nothing() {
    let url = servers::Postgres::shared().database();
    let strange = "a \"strange\" Channel";
    let on = |channel: &str| Postgres::options().channel(channel).lazy(&url).unwrap().bus().unwrap();
    let (ours, other) = (on(strange), on("other"));
    let ears = Ears::new();
    ours.subscribe(ears.weak());
    ears.miss().await;

    other.publish("on another channel".into()).await.unwrap();
    let elsewhere = servers::Postgres::shared().database();
    let there = Postgres::options().channel(strange).lazy(&elsewhere).unwrap().bus().unwrap();
    there.publish("in another database".into()).await.unwrap();
    let admin = Admin::connect(&url).await;
    for noise in ["", "m", "x", "m\u{e4}", "mA", "m====", "r00"] {
        admin.0.execute("SELECT pg_notify($1, $2)", &[&strange, &noise]).await.unwrap();
    }
    ours.publish("ours".into()).await.unwrap();
    // An empty message is one, and `m` is how it looks.
    assert_eq!(ears.next().await, Told::Heard(Vec::new()));
    assert_eq!(ears.next().await, Told::Heard(b"ours".to_vec()));

    let error = Postgres::options().channel("x".repeat(64)).lazy(&url).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no channel can be called"), "{error}");
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_listeners_are_told_that_they_missed_something() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (bus, direct) = (bus_at(&proxy.url(server.url())), bus_at(server.url()));
    let ears = Ears::new();
    bus.subscribe(ears.weak());
    ears.miss().await;

    for round in 0..3_u8 {
        proxy.cut();
        assert_eq!(ears.next().await, Told::Missed);
        direct.publish(vec![round].into()).await.unwrap();
        assert_eq!(ears.next().await, Told::Heard(vec![round]));
    }
    server.kill();
    server.restart();
    assert_eq!(in_time(ears.next()).await, Told::Missed);
    direct.publish("after".into()).await.unwrap();
    assert_eq!(ears.hear().await, b"after");
    assert!(ears.is_quiet().await);
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_found_when_it_comes() {
    let server = servers::Postgres::start();
    server.kill();
    let bus = bus_at(server.url());
    let ears = Ears::new();
    bus.subscribe(ears.weak());
    assert_eq!(bus.publish("lost".into()).await.unwrap_err().kind(), ErrorKind::Store);
    server.restart();
    assert_eq!(ears.next().await, Told::Missed);
    bus.publish("heard".into()).await.unwrap();
    assert_eq!(ears.next().await, Told::Heard(b"heard".to_vec()));
}

/// Nothing comes and nothing is closed, as where a machine is switched off.
#[tokio::test]
async fn a_connection_that_went_silent_is_given_up() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let options = Postgres::options().response_timeout(Duration::from_millis(100));
    let bus = options.lazy(&proxy.url(server.url())).unwrap().bus().unwrap();
    let ears = Ears::new();
    bus.subscribe(ears.weak());
    ears.miss().await;

    proxy.blackhole();
    in_time(async {
        while proxy.connections() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    proxy.heal();
    ears.miss().await;
    in_time(async { while bus.publish("again".into()).await.is_err() {} }).await;
    assert_eq!(ears.hear().await, b"again");
}

#[tokio::test]
async fn what_is_said_at_the_same_time_is_sent_together() {
    let server = servers::Postgres::start();
    let proxy = Proxy::to(("127.0.0.1", server.port()));
    let (bus, listening) = (bus_at(&proxy.url(server.url())), bus_at(server.url()));
    let ears = Ears::new();
    listening.subscribe(ears.weak());
    ears.miss().await;
    bus.publish("prepared".into()).await.unwrap();
    ears.hear().await;

    let before = proxy.round_trips();
    let messages: Vec<Vec<u8>> = (0..100_u8).map(|number| vec![number; 5_000]).collect();
    let publish = |message: Vec<u8>| {
        let bus = bus.clone();
        tokio::spawn(async move { bus.publish(Bytes::from(message)).await.unwrap() })
    };
    let tasks: Vec<_> = messages.iter().cloned().map(publish).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let trips = proxy.round_trips() - before;
    assert!(trips <= 10, "{trips} round trips for 100 messages");
    let mut heard = HashSet::new();
    for _ in 0..100 {
        assert!(heard.insert(ears.hear().await));
    }
    assert_eq!(heard, messages.into_iter().collect());
}

/// What is left of a dropped call is sent by itself or by the next.
#[tokio::test]
async fn calls_that_are_dropped_hold_up_no_other() {
    let url = servers::Postgres::shared().database();
    let bus = bus_at(&url);
    let ears = Ears::new();
    bus.subscribe(ears.weak());
    ears.miss().await;
    for round in 0..50_usize {
        let mut call = bus.publish("dropped".into());
        for _ in 0..round % 5 {
            let _ =
                std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
        }
        drop(call);
        bus.publish(vec![u8::try_from(round).unwrap()].into()).await.unwrap();
        in_time(async { while ears.hear().await == b"dropped" {} }).await;
    }
}

/// The second is sent by the first, which waits for the one under way and is dropped once it sends.
#[tokio::test]
async fn what_a_dropped_call_sends_for_others_is_sent() {
    let bus = bus_at(&servers::Postgres::shared().database());
    let ears = Ears::new();
    bus.subscribe(ears.weak());
    ears.miss().await;
    for _ in 0..20 {
        let (mut under_way, mut first, mut second) =
            (bus.publish("1".into()), bus.publish("2".into()), bus.publish("3".into()));
        assert!(!polled(&mut under_way).await && !polled(&mut first).await && !polled(&mut second).await);
        under_way.await.unwrap();
        assert!(!polled(&mut first).await);
        drop(first);
        second.await.unwrap();
        for heard in ["1", "2", "3"] {
            assert_eq!(ears.hear().await, heard.as_bytes());
        }
    }
}

/// Polls a call once, and says whether it has ended.
async fn polled<F: Future + Unpin>(call: &mut F) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(Pin::new(&mut *call).poll(cx).is_ready())).await
}

#[tokio::test]
async fn a_given_pool_has_no_bus_and_the_error_says_what_has() {
    let manager = deadpool_postgres::Manager::new(larder_postgres::Config::new(), tokio_postgres::NoTls);
    let pool = larder_postgres::Pool::builder(manager).build().unwrap();
    let error = Postgres::options().from_pool(pool).unwrap().bus().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("make another store with `.from_config(..)`"), "{error}");
}
