//! Values that are put again unchanged are not written again, and live for as long as is promised.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod clock;
    pub(crate) mod spy;
}

use larder_codecs::Json;
use larder_core::{ByteStore, Cache, Capabilities, ErrorKind};
use larder_object::Object;
use std::sync::Arc;
use std::time::Duration;
use support::clock::HandClock;
use support::spy::Spy;

const SECOND: Duration = Duration::from_secs(1);

struct Scene {
    spy: Spy,
    clock: HandClock,
    store: Object,
    pages: Cache<str, String, Object, Json>,
}

/// Pages that live for a minute, and are written again once half of it is over.
fn scene() -> Scene {
    let (spy, clock) = (Spy::new(), HandClock::default());
    let store = Object::from_store(Arc::new(spy.clone())).clock(clock.clone()).rewrite_after(0.5).unwrap();
    let pages =
        Cache::new(store.clone()).codec(Json).namespace("pages").ttl(60 * SECOND).clock(clock.clone());
    Scene { spy, clock, store, pages }
}

impl Scene {
    async fn insert(&self, value: &str) -> Vec<String> {
        self.spy.take();
        self.pages.insert("ada", value.into()).await.unwrap();
        let requests = self.spy.take();
        requests.iter().map(|request| request.split(' ').next().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn an_unchanged_value_is_looked_at_until_half_of_its_life_is_over() {
    let scene = scene();
    assert_eq!(scene.insert("x").await, ["PUT"]);
    assert_eq!(scene.insert("x").await, ["HEAD"]);
    scene.clock.advance(30 * SECOND);
    assert_eq!(scene.insert("x").await, ["HEAD"]);
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.insert("x").await, ["PUT"]);
    scene.clock.advance(30 * SECOND);
    assert_eq!(scene.insert("x").await, ["HEAD"]);
}

#[tokio::test]
async fn its_life_is_at_least_half_of_what_was_said_and_never_longer() {
    let scene = scene();
    scene.insert("x").await;
    scene.clock.advance(30 * SECOND);
    assert_eq!(scene.insert("x").await, ["HEAD"]);
    scene.clock.advance(30 * SECOND - Duration::from_millis(1));
    assert!(scene.pages.contains("ada").await.unwrap(), "half a minute after the put");
    scene.clock.advance(Duration::from_millis(1));
    assert!(!scene.pages.contains("ada").await.unwrap(), "the first put's end");
}

#[tokio::test]
async fn a_changed_value_is_written() {
    let scene = scene();
    scene.insert("x").await;
    assert_eq!(scene.insert("y").await, ["PUT"]);
    assert_eq!(scene.pages.get("ada").await.unwrap().as_deref(), Some("y"));
    assert_eq!(scene.insert("x").await, ["PUT"]);
    scene.spy.take();
    let tagged = scene.pages.insert_with("ada", "x".into(), |options| options.tag("people"));
    tagged.await.unwrap();
    assert!(scene.spy.take()[0].starts_with("PUT"), "another tag");
}

#[tokio::test]
async fn a_shorter_or_much_longer_life_is_written() {
    let scene = scene();
    scene.insert("x").await;
    for (ttl, request) in [(59, "PUT"), (118, "HEAD"), (119, "PUT"), (119, "HEAD"), (60, "PUT")] {
        scene.spy.take();
        let put = scene.pages.insert_with("ada", "x".into(), |options| options.ttl(ttl * SECOND));
        put.await.unwrap();
        assert!(scene.spy.take()[0].starts_with(request), "{ttl} s");
    }
    scene.spy.take();
    let put = scene.pages.insert_with("ada", "x".into(), |options| options.stale(SECOND));
    put.await.unwrap();
    assert!(scene.spy.take()[0].starts_with("PUT"), "a stale window");
}

/// Removed, replaced or purged by another process, or by this one.
#[tokio::test]
async fn what_is_no_longer_there_is_written() {
    let scene = scene();
    let other = Object::from_store(Arc::new(scene.spy.clone()));
    scene.insert("x").await;
    other.remove("pages:ada").await.unwrap();
    assert_eq!(scene.insert("x").await, ["HEAD", "PUT"]);

    let same = other.get("pages:ada").await.unwrap().unwrap();
    other.put("pages:ada", same, None).await.unwrap();
    assert_eq!(scene.insert("x").await, ["HEAD", "PUT"]);

    scene.pages.remove("ada").await.unwrap();
    assert_eq!(scene.insert("x").await, ["PUT"]);
    scene.pages.clear().await.unwrap();
    assert_eq!(scene.insert("x").await, ["PUT"]);
    assert_eq!(scene.pages.get("ada").await.unwrap().as_deref(), Some("x"));
}

#[tokio::test]
async fn what_was_read_is_known_too() {
    let scene = scene();
    scene.insert("x").await;
    let restarted = scene.store.clone().rewrite_after(0.5).unwrap();
    let pages: Cache<str, String, Object, Json> =
        Cache::new(restarted).codec(Json).namespace("pages").ttl(60 * SECOND).clock(scene.clock.clone());
    scene.spy.take();
    assert_eq!(pages.get("ada").await.unwrap().as_deref(), Some("x"));
    pages.insert("ada", "x".to_owned()).await.unwrap();
    assert_eq!(scene.spy.take(), ["GET", "HEAD"]);
}

/// 200 reloads of one page of 100 kB, one every 6 s of its life of 60 s: the figures of the documentation.
#[tokio::test]
async fn reloads_that_find_the_same_save_five_uploads_of_six() {
    let scene = scene();
    let page = "x".repeat(100_000);
    let mut bytes = 0;
    let mut uploads = 0;
    for _ in 0..200 {
        scene.pages.insert("ada", page.clone()).await.unwrap();
        for request in scene.spy.take() {
            if let Some(length) = request.strip_prefix("PUT ") {
                (uploads, bytes) = (uploads + 1, bytes + length.parse::<u64>().unwrap());
            }
        }
        scene.clock.advance(6 * SECOND);
    }
    assert_eq!(uploads, 34);
    assert!(bytes < 3_410_000, "{bytes}");
}

#[tokio::test]
async fn files_are_spared_as_well() {
    let (scratch, clock) = (tempfile::tempdir().unwrap(), HandClock::default());
    let store = Object::local(scratch.path()).unwrap().clock(clock.clone()).rewrite_after(0.5).unwrap();
    let pages = Cache::new(store).codec(Json).ttl(60 * SECOND).clock(clock.clone());
    pages.insert("ada", "x".to_owned()).await.unwrap();
    let file = || std::fs::read_dir(scratch.path().join("larder-larder")).unwrap().next().unwrap().unwrap();
    let file = || std::fs::read_dir(file().path()).unwrap().next().unwrap().unwrap();
    let written = file().metadata().unwrap().modified().unwrap();

    clock.advance(10 * SECOND);
    pages.insert("ada", "x".to_owned()).await.unwrap();
    assert_eq!(file().metadata().unwrap().modified().unwrap(), written);
    pages.insert("ada", "y".to_owned()).await.unwrap();
    assert_ne!(file().metadata().unwrap().modified().unwrap(), written);
}

#[test]
fn it_claims_no_compare_and_set_meanwhile() {
    assert_eq!(scene().store.compare_and_set(true).capabilities(), Capabilities::NONE.clear());
}

#[test]
fn a_fraction_out_of_range_is_an_error() {
    for fraction in [0.0, 1.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
        let error = Object::in_memory().rewrite_after(fraction).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
