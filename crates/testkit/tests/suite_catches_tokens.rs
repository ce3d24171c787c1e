//! The suite fails stores whose compare-and-set or bulk calls are wrong.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Cleared, Put, PutIf, Record, Result, Token};
use larder_testkit::FakeBytes;
use larder_testkit::conformance::{bulk, raw_bytes, run, tokens};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// A put with any token is done.
    TakesAnyToken,
    /// The token is what the bytes are, as an etag of their hash would be.
    NamesTheContent,
    /// Where there is nothing, the token says just that.
    PlantsNoGuard,
    ShowsGuards,
    GuardsKeepTheBytes,
    /// The record is looked at in one step and replaced in another.
    ComparesThenSets,
    ClaimsTokensOnly,
    HasTokensUnclaimed,
    AnswersInAnotherOrder,
    AnswersRepeatedKeysOnce,
    KeepsTheFirstOfTwoPuts,
    ExpiresNothing,
}

struct Flawed(FakeBytes, Flaw);

const NOTHING: &[u8] = b"nothing";

impl Flawed {
    fn content(&self, key: &str) -> Token {
        Token::new(self.0.raw(key).unwrap_or_else(|| Bytes::from_static(NOTHING)))
    }
}

impl ByteStore for Flawed {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let found = self.0.get(key).await?;
        Ok(if self.1 == Flaw::ShowsGuards { Some(found.unwrap_or_default()) } else { found })
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.0.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(key).await
    }
    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        let mut keys = keys.to_vec();
        match self.1 {
            Flaw::AnswersInAnotherOrder => keys.sort_unstable(),
            Flaw::AnswersRepeatedKeysOnce => {
                let mut seen = std::collections::HashSet::new();
                keys.retain(|key| seen.insert(*key));
            }
            _ => {}
        }
        self.0.get_many(&keys).await
    }
    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let mut puts = puts.to_vec();
        if self.1 == Flaw::KeepsTheFirstOfTwoPuts {
            puts.reverse();
        }
        self.0.put_many(&puts).await
    }
    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        match self.1 {
            Flaw::NamesTheContent | Flaw::ComparesThenSets => {
                Ok(Record::new(self.0.get(key).await?, self.content(key)))
            }
            Flaw::PlantsNoGuard if self.0.raw(key).is_none() => Ok(Record::new(None, Token::new(NOTHING))),
            Flaw::ClaimsTokensOnly => Ok(Record::without_token(self.0.get(key).await?)),
            _ => self.0.get_with_token(key, guard_for).await,
        }
    }
    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        match self.1 {
            Flaw::GuardsKeepTheBytes => Ok(self.0.get_with_token(key, guard_for).await?.token),
            Flaw::ClaimsTokensOnly => Ok(None),
            _ => self.0.guard(key, guard_for).await,
        }
    }
    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        match self.1 {
            Flaw::TakesAnyToken => self.0.put(key, bytes, expires_at).await.map(|()| PutIf::Done),
            Flaw::NamesTheContent | Flaw::ComparesThenSets if self.content(key) != *token => {
                Ok(PutIf::Refused)
            }
            Flaw::PlantsNoGuard if token.as_bytes() == NOTHING && self.0.raw(key).is_some() => {
                Ok(PutIf::Refused)
            }
            Flaw::NamesTheContent | Flaw::PlantsNoGuard if token.as_bytes() == NOTHING => {
                self.0.put(key, bytes, expires_at).await.map(|()| PutIf::Done)
            }
            Flaw::NamesTheContent | Flaw::ComparesThenSets => {
                tokio::task::yield_now().await;
                self.0.put(key, bytes, expires_at).await.map(|()| PutIf::Done)
            }
            _ => self.0.put_if(key, token, bytes, expires_at).await,
        }
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.clear(prefix).await
    }
    fn capabilities(&self) -> Capabilities {
        match self.1 {
            Flaw::HasTokensUnclaimed => Capabilities::NONE.clear(),
            Flaw::ExpiresNothing => Capabilities::NONE.clear().put_if().expires(),
            _ => Capabilities::NONE.clear().put_if(),
        }
    }
}

fn fails(test: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(test))).is_err()
}

fn is_caught(flaw: Flaw) -> bool {
    let store = || Flawed(FakeBytes::new(), flaw);
    fails(tokens::a_token_is_good_for_one_put(store()))
        || fails(tokens::what_happened_since_refuses(store()))
        || fails(tokens::a_guard_is_nothing_to_readers(store()))
        || fails(tokens::of_many_with_one_token_one_puts(store()))
        || fails(bulk::many_keys_are_done_in_one_call(store()))
        || fails(bulk::absent_and_repeated_keys_have_an_answer_each(store()))
        || fails(raw_bytes::what_has_expired_is_gone_if_claimed(store()))
}

#[test]
fn a_store_with_one_flaw_fails_and_a_sound_one_passes() {
    assert!(!is_caught(Flaw::None));
    for flaw in [
        Flaw::TakesAnyToken,
        Flaw::NamesTheContent,
        Flaw::PlantsNoGuard,
        Flaw::ShowsGuards,
        Flaw::GuardsKeepTheBytes,
        Flaw::ComparesThenSets,
        Flaw::ClaimsTokensOnly,
        Flaw::HasTokensUnclaimed,
        Flaw::AnswersInAnotherOrder,
        Flaw::AnswersRepeatedKeysOnce,
        Flaw::KeepsTheFirstOfTwoPuts,
        Flaw::ExpiresNothing,
    ] {
        assert!(is_caught(flaw), "{flaw:?}");
    }
}

/// Racing puts are what `ComparesThenSets` fails, and not the comparison of contents alone.
#[test]
fn a_compare_and_a_set_in_two_steps_fail_the_race() {
    assert!(fails(tokens::of_many_with_one_token_one_puts(Flawed(FakeBytes::new(), Flaw::ComparesThenSets))));
}
