//! What TOML says.

use super::{ages, text};
use larder::{CacheSettings, Caches, Settings, prelude::*};

const TEXT: &str = r#"
enabled = true
namespace_prefix = "staging"

[caches.ages]
ttl = "90s"
stale = 0
jitter = 0.0
capacity = 50
url = "memory:///"
enabled = "yes"

[caches."app::square"]
capacity = "70"
"#;

#[tokio::test]
async fn toml_comes_before_the_code_and_variables_before_toml() {
    let variables = [("LARDER_AGES_CAPACITY", "60")];
    let one = Settings::from_toml(TEXT).unwrap().with_vars(variables).unwrap();
    let other = Settings::from_vars(variables).unwrap().with_toml(TEXT).unwrap();
    assert_eq!(one, other);
    let caches = Caches::new(one);
    let ages = ages(&caches, "ages", CacheSettings::new().ttl(secs(5)).capacity(5)).await.unwrap();
    ages.insert("ada", 36).await.unwrap();
    let left = ages.lookup("ada").await.unwrap().unwrap().ttl_left().unwrap();
    assert!(left > secs(80) && left <= secs(90), "{left:?}");
    assert_eq!(ages.stats().levels[0].usage.unwrap().capacity, Some(60));
    assert!(format!("{ages:?}").ends_with("namespace staging.ages"), "{ages:?}");

    assert_eq!(caches.unused_settings(), ["[caches.app::square] in line 13"]);
    let squares = caches.memory::<u64, u64>("app::square", CacheSettings::new()).unwrap();
    assert_eq!(squares.stats().levels[0].usage.unwrap().capacity, Some(70));
    assert_eq!(caches.unused_settings(), [""; 0]);
}

#[tokio::test]
async fn all_caches_can_be_turned_off_and_the_environment_decides() {
    let off = Settings::from_toml("enabled = false").unwrap();
    let cache = ages(&Caches::new(off.clone()), "ages", CacheSettings::new()).await.unwrap();
    assert!(!cache.is_reading());
    let on = off.with_vars([("LARDER_ENABLED", "1")]).unwrap();
    assert!(ages(&Caches::new(on), "ages", CacheSettings::new()).await.unwrap().is_reading());
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let wrong = [
        ("enabled = 3", "line 1: `enabled` is `3`; right is `true`"),
        ("\nnamespace_prefix = 3", "line 2: `namespace_prefix` is a text"),
        ("caches = 3", "line 1: `caches` is a table"),
        (
            "\n\n[cache.ages]",
            "line 3: nobody knows `cache`; there are `enabled`, `namespace_prefix` and `[caches.<name>]`",
        ),
        ("[caches]\nages = '5s'", "line 2: the settings of a cache are a table: `[caches.ages]`"),
        ("[caches.'-']", "`-` is no name of a cache"),
        (
            "[caches.ages]\ntll = '5s'",
            "line 2: `tll` is no setting of the cache `ages`; there are `enabled`, `ttl`",
        ),
        (
            "[caches.ages]\n\nttl = 60",
            "line 3: `ttl` is `60` (a unit is missing after `60`); right is a span",
        ),
        ("[caches.ages]\nttl = true", "line 2: `ttl` is `true`"),
        ("[caches.ages]\nttl = [1]", "line 2: `ttl` is a text, a number, or"),
        ("[caches.ages]\ncapacity = -1", "line 2: `capacity` is `-1`; right is a number of entries"),
        ("[caches.ages]\nnamespace = 5", "line 2: `namespace` is a text"),
        ("[caches.ages]\nurl = 'cache:6379'", "line 2: `url` cannot be used: this is no URL"),
        ("[caches.ages]\nttl = '5s'\nttl = '6s'", "line 3: "),
        ("a b", "line 1: "),
    ];
    for (toml, part) in wrong {
        let error = text(&Settings::from_toml(toml).unwrap_err());
        assert!(error.contains(part), "{toml}: {error}");
    }
}

#[test]
fn an_address_is_not_repeated_in_errors() {
    let wrong = [
        "[caches.ages]\nulr = 'redis://:hunter2@cache'",
        "[caches.ages]\nttl = 'redis://:hunter2@cache'",
        "[caches.ages]\nurl = 'rodis://:hunter2@cache'",
        "[caches.ages]\nurl = 'redis://:hunter2@cache",
        "[caches.ages]\nurl = redis://:hunter2@cache",
    ];
    for toml in wrong {
        let error = Settings::from_toml(toml).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    let settings = Settings::from_toml("[caches.ages]\nurl = 'redis://:hunter2@cache'").unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
}
