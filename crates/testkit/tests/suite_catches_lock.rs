//! The suite fails locks that are wrong in one way.

use larder_core::{Answer, LocalLock, Lock, Token};
use larder_testkit::MockClock;
use larder_testkit::conformance::{impatient, lock, run};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(1_000_000);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    LooksThenTakes,
    GivesToAll,
    GivesOneToken,
    HasOneName,
    NeverEnds,
    ReleasesAnybodys,
    RenewsAnybodys,
    CutsShortForAnybody,
    RenewsWhatHasEnded,
    RenewsNothing,
    OnlyProlongs,
    SaysItIsLost,
    ReleasesNothing,
    WakesNobody,
    WaitsForTheMessageOnly,
    WaitsForEver,
}

#[derive(Clone)]
struct Flawed {
    flaw: Flaw,
    lock: LocalLock,
    last: Arc<Mutex<HashMap<String, Token>>>,
}

impl Flawed {
    fn new(flaw: Flaw, clock: MockClock) -> Self {
        Flawed { flaw, lock: LocalLock::new(clock), last: Arc::default() }
    }

    fn last(&self, name: &str) -> Option<Token> {
        self.last.lock().get(name).cloned()
    }

    async fn is_taken(&self, name: &str) -> larder_core::Result<bool> {
        Ok(self.lock.acquire(name, Duration::ZERO).await?.is_none())
    }

    fn name<'a>(&self, name: &'a str) -> &'a str {
        if self.flaw == Flaw::HasOneName { "one" } else { name }
    }
}

impl Lock for Flawed {
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>> {
        Box::pin(async move {
            let name = self.name(name);
            match self.flaw {
                Flaw::LooksThenTakes => {
                    let Some(looked) = self.lock.acquire(name, lease).await? else { return Ok(None) };
                    self.lock.release(name, &looked).await?;
                    tokio::task::yield_now().await;
                    return Ok(Some(self.lock.acquire(name, lease).await?.unwrap_or(looked)));
                }
                Flaw::GivesToAll => return Ok(Some(Token::new(&b"yes"[..]))),
                _ => {}
            }
            let lease = if self.flaw == Flaw::NeverEnds { LONG } else { lease };
            let taken = self.lock.acquire(name, lease).await?;
            if let Some(token) = &taken {
                self.last.lock().insert(name.into(), token.clone());
            }
            Ok(taken
                .map(|token| if self.flaw == Flaw::GivesOneToken { Token::new(&b"one"[..]) } else { token }))
        })
    }

    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let name = self.name(name);
            let last = self.last(name);
            match (self.flaw, last) {
                (Flaw::RenewsAnybodys | Flaw::GivesOneToken, Some(last)) => {
                    self.lock.renew(name, &last, lease).await
                }
                (Flaw::CutsShortForAnybody, Some(last)) => {
                    self.lock.renew(name, &last, lease).await?;
                    self.lock.renew(name, token, lease).await
                }
                (Flaw::RenewsWhatHasEnded, Some(last)) if last == *token => {
                    if !self.lock.renew(name, token, lease).await? {
                        self.lock.acquire(name, lease).await?;
                    }
                    Ok(true)
                }
                (Flaw::RenewsNothing, Some(last)) => Ok(last == *token),
                (Flaw::OnlyProlongs, _) => self.lock.renew(name, token, lease.max(LONG)).await,
                (Flaw::SaysItIsLost, _) => self.lock.renew(name, token, lease).await.map(|_| false),
                _ => self.lock.renew(name, token, lease).await,
            }
        })
    }

    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move {
            let name = self.name(name);
            let last = self.last(name);
            match (self.flaw, last) {
                (Flaw::ReleasesNothing, _) => Ok(()),
                (Flaw::ReleasesAnybodys | Flaw::GivesOneToken, Some(last)) => {
                    self.lock.release(name, &last).await
                }
                _ => self.lock.release(name, token).await,
            }
        })
    }

    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()> {
        Box::pin(async move {
            let name = self.name(name);
            match self.flaw {
                Flaw::WaitsForEver => pending().await,
                // Who comes in time sees that nobody has it, and is not what this is about.
                Flaw::WakesNobody if self.is_taken(name).await? => {
                    if at_most < Duration::from_secs(1) {
                        self.lock.wait(name, at_most).await
                    } else {
                        pending().await
                    }
                }
                Flaw::WaitsForTheMessageOnly if !self.is_taken(name).await? => pending().await,
                _ => self.lock.wait(name, at_most).await,
            }
        })
    }

    fn place(&self) -> String {
        "a flawed lock".into()
    }
}

fn fails(test: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(test))).is_err()
}

fn is_caught(flaw: Flaw) -> bool {
    let clock = MockClock::new;
    let pair = |clock: &MockClock| {
        let lock = Flawed::new(flaw, clock.clone());
        (lock.clone(), lock)
    };
    macro_rules! fails_at {
        ($($behaviour:ident),*) => { false $(|| {
            let clock = clock();
            fails(lock::$behaviour(pair(&clock), clock))
        })* };
    }
    fails_at!(
        of_many_one_gets_the_lease,
        names_that_differ_do_not_meet,
        a_foreign_token_does_nothing,
        a_lease_that_is_not_renewed_ends,
        a_renewed_lease_lasts_as_long_as_was_said,
        a_release_wakes_those_who_wait,
        a_wait_ends_in_time_or_where_nobody_has_the_lease
    )
}

#[test]
fn a_lock_with_one_flaw_fails_and_a_sound_one_passes() {
    impatient();
    assert!(!is_caught(Flaw::None));
    for flaw in [
        Flaw::LooksThenTakes,
        Flaw::GivesToAll,
        Flaw::GivesOneToken,
        Flaw::HasOneName,
        Flaw::ReleasesAnybodys,
        Flaw::RenewsAnybodys,
        Flaw::CutsShortForAnybody,
        Flaw::RenewsWhatHasEnded,
        Flaw::RenewsNothing,
        Flaw::SaysItIsLost,
        Flaw::ReleasesNothing,
        Flaw::NeverEnds,
        Flaw::OnlyProlongs,
        Flaw::WakesNobody,
        Flaw::WaitsForTheMessageOnly,
        Flaw::WaitsForEver,
    ] {
        assert!(is_caught(flaw), "{flaw:?}");
    }
}
