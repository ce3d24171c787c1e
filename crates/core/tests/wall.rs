//! What governs loads belongs to the whole: `.chain` refuses it on its right side, and `.codec` what is of another type.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{Cache, Codec, Coherence, Format, LoadContext, Native, Raw, Result};
use larder_testkit::{Fake, FakeBytes, Loader, MockClock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Ages = Cache<str, Option<u32>, Fake<str, Option<u32>>, Native>;
type Texts = Cache<str, Bytes, FakeBytes, Raw>;
type Saying<C> = [(&'static str, fn(C) -> C); 13];

fn ages() -> Ages {
    Cache::new(Fake::new())
}

fn panics(work: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(work)).err()?;
    Some(
        panic
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).into()),
    )
}

const METHODS: Saying<Ages> = [
    ("retry_after", |cache| cache.retry_after(SECOND)),
    ("soft_timeout", |cache| cache.soft_timeout(SECOND)),
    ("hard_timeout", |cache| cache.hard_timeout(SECOND)),
    ("max_load_time", |cache| cache.max_load_time(SECOND)),
    ("refresh_ahead", |cache| cache.refresh_ahead(0.5)),
    ("early_expiration", |cache| cache.early_expiration(1.0)),
    ("cache_if", |cache| cache.cache_if(|_| true)),
    ("negative", |cache| cache.negative(SECOND)),
    ("cache_errors", |cache| cache.cache_errors(SECOND, |_: &String| true)),
    ("fallback", |cache| cache.fallback(|_| None)),
    ("tags", |cache| cache.tags(|_, _| ["a"])),
    ("capped_by_dependencies", Cache::capped_by_dependencies),
    ("coherence", |cache| cache.coherence(&Coherence::new())),
];

#[test]
fn each_method_that_governs_loads_is_refused_by_its_name_on_the_right_side() {
    for (method, say) in METHODS {
        let message = panics(|| drop(ages().chain(say(ages())))).unwrap_or_else(|| panic!("{method} passed"));
        assert!(message.contains(&format!("`.{method}`")), "{message}");
        assert!(message.contains("say it after `.chain`"), "{message}");
    }
}

#[test]
fn what_a_chain_on_the_right_side_says_is_refused_too() {
    let back = ages().chain(ages()).fallback(|_| None);
    assert!(panics(|| drop(ages().chain(back))).unwrap().contains("`.fallback`"));
}

#[test]
fn on_the_left_side_and_after_it_each_is_welcome() {
    for (method, say) in METHODS {
        assert_eq!(panics(|| drop(say(ages()).chain(ages()))), None, "{method}");
    }
    assert_eq!(panics(|| drop(ages().chain(ages()).fallback(|_| None).negative(SECOND))), None);
}

#[tokio::test]
async fn what_the_left_side_says_of_loads_is_the_wholes() {
    let cache =
        ages().fallback(|_| Some(0)).negative(SECOND).chain(ages().ttl(60 * SECOND)).clock(MockClock::new());
    let failing: Loader<Option<u32>, &str> = Loader::failing("down");
    assert_eq!(cache.get_or_load("ada", failing.load()).await.unwrap(), Some(0));
    cache.insert("ada", None).await.unwrap();
    let behind = cache.with(|call| call.skip_read(0));
    assert_eq!(behind.lookup("ada").await.unwrap().unwrap().ttl_left(), Some(SECOND));
}

/// Another type of value than bytes.
struct Length;

impl Format for Length {
    const ID: u8 = 94;
}

impl Codec<usize> for Length {
    fn encode(&self, value: &usize, out: &mut Vec<u8>) -> Result<()> {
        out.resize(out.len() + value, 0);
        Ok(())
    }
    fn decode(&self, bytes: &Bytes) -> Result<usize> {
        Ok(bytes.len())
    }
}

#[test]
fn a_rule_for_values_of_another_type_is_refused_by_its_name() {
    let typed: [(&str, fn(Texts) -> Texts); 2] = [
        ("cache_if", |cache| cache.cache_if(|bytes| !bytes.is_empty())),
        ("fallback", |cache| cache.fallback(|_| Bytes::new())),
    ];
    for (method, say) in typed {
        let message = panics(|| drop(say(Cache::new(FakeBytes::new())).codec::<usize, _>(Length))).unwrap();
        assert!(
            message.contains(&format!("`.{method}`")) && message.contains("say `.codec` first"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn what_does_not_know_the_type_passes_a_codec() {
    let clock = MockClock::new();
    let cache = Cache::<str, Bytes, _, _>::new(FakeBytes::new())
        .ttl(60 * SECOND)
        .refresh_ahead(0.5)
        .cache_errors(10 * SECOND, |_: &&'static str| true)
        .codec::<usize, _>(Length)
        .clock(clock.clone());
    let failing: Loader<usize, &'static str> = Loader::failing("down");
    for _ in 0..2 {
        assert!(cache.get_or_load("bob", failing.load()).await.is_err());
    }
    assert_eq!(failing.loads(), 1);

    cache.insert("ada", 5).await.unwrap();
    clock.advance(30 * SECOND);
    let load = async |_: LoadContext<str, usize>| Ok::<_, String>(6);
    cache.get_or_load_with("ada", load).await.unwrap();
    larder_testkit::settle().await;
    assert_eq!(cache.get("ada").await.unwrap(), Some(6), "reloaded ahead of its end");
}
