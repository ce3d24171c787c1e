//! Caches with names: each is made once, by settings that may come from outside.
#![cfg(all(feature = "memory", feature = "object", feature = "json"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "caches/environment.rs"]
mod environment;
#[path = "caches/functions.rs"]
mod functions;
#[path = "caches/pass_through.rs"]
mod pass_through;
#[path = "caches/registry.rs"]
mod registry;
#[cfg(feature = "config")]
#[path = "caches/toml.rs"]
mod toml;

use larder::{CacheSettings, Caches, Error, ErrorKind, Settings, prelude::*};

/// A registry with these variables.
fn with(variables: &[(&str, &str)]) -> Caches {
    Caches::new(Settings::from_vars(variables.iter().copied()).unwrap())
}

/// Makes a cache of ages.
async fn ages(caches: &Caches, name: &str, settings: CacheSettings) -> larder::Result<Cache<str, u32>> {
    caches.get_or_create(name, settings, Json).await
}

/// The text of an error of settings.
#[track_caller]
fn text(error: &Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    error.to_string()
}
