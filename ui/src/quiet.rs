//! Functions with the attributes as they are meant. Neither the compiler nor clippy has anything to say to them, also where
//! everything is denied, in a public module: that this compiles is the test.

#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    unused,
    clippy::all,
    clippy::pedantic
)]
#![expect(clippy::unused_async, reason = "what is looked at is what stands around the bodies")]

use larder::{Cache, cached, invalidates, scheduled};
use std::fmt::{Display, Error};
use std::hash::Hash;
use std::sync::Arc;

/// Where users are.
#[derive(Clone, Debug)]
pub struct Db;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its number.
    pub number: u32,
}

/// What users are known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserId(u64);

/// Returns the number of a user.
#[cached]
#[must_use]
pub async fn of_a_key(id: &UserId) -> u64 {
    id.0
}

/// Returns the number of a user, and how much is known.
#[cached]
#[must_use]
pub fn of_several_keys(id: UserId, known: &[u8], rest: Option<String>) -> (u64, usize) {
    (id.0, known.len() + rest.map_or(0, |rest| rest.len()))
}

/// Returns a user.
///
/// # Errors
///
/// If there is none.
#[cached(ttl = "60s", stale = "30s", capacity = 100, skip(db), tags = ["user:{id}"])]
pub async fn user(db: &Db, id: u64) -> Result<String, Error> {
    let Db = db;
    if id == 0 { Err(Error) } else { Ok(format!("user {id}")) }
}

/// Returns a number of the text.
#[cached]
#[must_use]
pub async fn of_a_text(text: &str, times: usize) -> usize {
    text.len() * times
}

/// Returns the length.
#[cached(ttl = "5m")]
#[must_use]
pub fn length(text: &str) -> usize {
    text.len()
}

/// Returns a number.
///
/// # Errors
///
/// If the text is none.
#[cached]
pub fn number(text: String) -> Result<u64, Error> {
    text.parse().map_err(|_| Error)
}

/// Returns what never changes.
#[cached]
#[must_use]
pub fn settings() -> Vec<String> {
    Vec::new()
}

/// Returns a list.
#[cached(key = "{id}:{page.number:03}", cache_if = |list| !list.is_empty(), name = "lists")]
#[must_use]
pub async fn list(id: u64, page: &Page, mut length: usize) -> Vec<u64> {
    length += page.number as usize;
    vec![id; length]
}

/// Returns a page for all who have a role.
#[cached(key = |id, role| format!("{}:{role}", id % 10))]
#[must_use]
pub async fn by_role(id: u64, role: &str) -> String {
    format!("{id} for {role}")
}

/// Returns the last digit.
#[cached(key = |id| -> u64 { id % 10 })]
#[must_use]
pub fn digit(id: u64) -> u64 {
    id % 10
}

/// Returns how often a letter is in a text, elsewhere.
#[cached(blocking)]
#[must_use]
pub async fn letters(text: &str, letter: char) -> usize {
    text.chars().filter(|other| *other == letter).count()
}

/// Returns the length, without taking it along.
#[cached(scoped, skip(db))]
#[must_use]
pub async fn scoped(db: &Db, text: &str) -> usize {
    let Db = db;
    text.len()
}

async fn lengths(texts: Vec<String>) -> Vec<(String, usize)> {
    texts.into_iter().map(|text| (text.clone(), text.len())).collect()
}

async fn users(ids: Vec<u64>) -> Result<Vec<(u64, String)>, Error> {
    Ok(ids.into_iter().map(|id| (id, format!("user {id}"))).collect())
}

/// Returns the length, with others.
#[cached(batch = lengths)]
#[must_use]
pub async fn length_of_many(text: &str) -> Option<usize>;

/// Returns a user, with others.
///
/// # Errors
///
/// If there are none.
#[cached(batch(users, window = "1ms", max_batch = 10), negative = "5s")]
pub async fn one_of_many(id: u64) -> Result<Option<String>, Error>;

/// Returns the text of it.
#[cached(cache = cache, skip(cache))]
#[must_use]
pub async fn shown<T: Display + Clone + Eq + Hash + Send + Sync + 'static>(
    cache: &Cache<T, String>,
    what: T,
) -> String {
    what.to_string()
}

/// Returns a user of a given cache.
#[cached(cache = cache, key = "user:{id}", ttl = "60s", negative = "5s", cache_if = Option::is_some)]
#[must_use]
pub async fn given(cache: &Cache<str, Option<u64>>, id: u64) -> Option<u64> {
    Some(id)
}

/// Changes a user.
///
/// # Errors
///
/// If it cannot be.
#[invalidates(length(&name), of_a_text(&name, 7), tags = ["user:{id}", "user:{result}"])]
pub async fn rename(id: u64, name: String) -> Result<u64, Error> {
    if name.is_empty() { Err(Error) } else { Ok(id + name.len() as u64) }
}

/// Forgets a text.
#[invalidates(length(text))]
pub fn forget(text: &str) {
    assert!(!text.is_empty());
}

/// Returns the rate.
///
/// # Errors
///
/// If nobody knows.
#[scheduled(every = "5m", jitter = 0.1, retry_after = "10s")]
pub async fn rate() -> Result<f64, Error> {
    Ok(1.08)
}

/// Returns how many there are.
#[scheduled(every = "1h")]
#[must_use]
pub fn many() -> u64 {
    7
}

/// Users, each with its results.
#[derive(Clone, Debug)]
pub struct Users {
    cache: Cache<u64, String>,
    name: String,
}

impl Users {
    /// Returns a user.
    ///
    /// # Errors
    ///
    /// If there is none.
    #[cached(cache = self.cache)]
    pub async fn user(&self, id: u64) -> Result<String, Error> {
        if id == 0 { Err(Error) } else { Ok(format!("{} {id}", self.name)) }
    }

    /// Returns a user.
    #[cached(cache = self.cache)]
    #[must_use]
    pub fn at_once(&self, id: u64) -> String {
        format!("{} {id}", self.name)
    }

    /// Returns a user.
    #[cached(cache = self.cache)]
    #[must_use]
    pub async fn of_an_arc(self: Arc<Self>, id: u64) -> String {
        format!("{} {id}", self.name)
    }

    /// Returns the area of a square.
    #[cached(associated)]
    #[must_use]
    pub fn area(side: u64) -> u64 {
        side * side
    }

    /// Returns the volume of a cube.
    ///
    /// # Errors
    ///
    /// None.
    #[cached(associated)]
    pub async fn volume(side: u64) -> Result<u64, Error> {
        Ok(Self::area(side) * side)
    }

    /// Changes a user.
    #[invalidates(self.cache.remove(&id), tags = ["users"])]
    pub async fn rename(&mut self, id: u64) {
        self.name = id.to_string();
    }
}
