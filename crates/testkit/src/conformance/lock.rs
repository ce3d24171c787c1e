//! A lock, which each test has twice, as two processes have it. Time is that of the mock clock for a lock that goes by
//! it; a lock in a server goes by its own, and is waited for.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use super::until::{soon, until};
use crate::MockClock;
use larder_core::{Lock, Token};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const BRIEF: Duration = Duration::from_millis(30);

/// A name that no other test has: they may share a server.
fn name(text: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("suite-{}-{}:{text}", std::process::id(), NEXT.fetch_add(1, SeqCst))
}

async fn acquire(lock: &impl Lock, name: &str, lease: Duration) -> Option<Token> {
    lock.acquire(name, lease).await.unwrap()
}

/// Takes a lease as soon as it can be had.
async fn acquire_at_last(lock: &impl Lock, name: &str, clock: &MockClock) -> Token {
    soon("the end of a lease", async {
        loop {
            if let Some(token) = acquire(lock, name, HOUR).await {
                return token;
            }
            clock.advance(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// Of many who ask at the same time one gets the lease, and who comes after its release the next.
///
/// # Panics
///
/// If not.
pub async fn of_many_one_gets_the_lease<L: Lock, M: Lock>((one, other): (L, M), _clock: MockClock) {
    let (one, other, name) = (Arc::new(one), Arc::new(other), name("ada"));
    let mut tokens: Vec<Token> = Vec::new();
    for _ in 0..5 {
        let asking: Vec<_> = (0..16)
            .map(|caller| {
                let (one, other, name) = (Arc::clone(&one), Arc::clone(&other), name.clone());
                tokio::spawn(async move {
                    if caller % 2 == 0 {
                        acquire(&one, &name, HOUR).await
                    } else {
                        acquire(&other, &name, HOUR).await
                    }
                })
            })
            .collect();
        let mut won = Vec::new();
        for asked in asking {
            won.extend(asked.await.unwrap());
        }
        assert_eq!(won.len(), 1, "one gets it");
        assert!(!tokens.contains(&won[0]), "a token names one lease");
        assert_eq!(acquire(&other, &name, HOUR).await, None);
        one.release(&name, &won[0]).await.unwrap();
        tokens.append(&mut won);
    }
}

/// Leases of different names have nothing to do with each other.
///
/// # Panics
///
/// If they have.
pub async fn names_that_differ_do_not_meet<L: Lock, M: Lock>((one, other): (L, M), _clock: MockClock) {
    let ada = name("ada");
    let long = "x".repeat(10_000);
    let names: Vec<_> =
        ["", " ", "\r\n\0", "{a}b", "ä\u{1F980}", "*", &long].map(|text| format!("{ada}{text}")).into();
    let mut tokens = Vec::new();
    for name in &names {
        tokens.push(acquire(&one, name, HOUR).await.expect("nobody has it"));
    }
    for (number, name) in names.iter().enumerate() {
        let foreign = &tokens[(number + 1) % names.len()];
        other.release(name, foreign).await.unwrap();
        assert!(!other.renew(name, foreign, HOUR).await.unwrap(), "the token of another name");
        assert_eq!(acquire(&other, name, HOUR).await, None);
        other.release(name, &tokens[number]).await.unwrap();
        assert!(acquire(&other, name, HOUR).await.is_some());
    }
    assert!(!one.place().is_empty());
}

/// With a token of an earlier lease nothing can be done to the one that somebody has now.
///
/// # Panics
///
/// If it can.
pub async fn a_foreign_token_does_nothing<L: Lock, M: Lock>((one, other): (L, M), clock: MockClock) {
    let (ada, bob) = (name("ada"), name("bob"));
    let ended = acquire(&one, &ada, HOUR).await.unwrap();
    one.release(&ada, &ended).await.unwrap();
    one.release(&ada, &ended).await.unwrap();
    assert!(!one.renew(&ada, &ended, HOUR).await.unwrap(), "nobody has it");
    let token = acquire(&other, &ada, HOUR).await.expect("a lease that has ended is not renewed");

    one.release(&ada, &ended).await.unwrap();
    assert!(!one.renew(&ada, &ended, BRIEF).await.unwrap());
    assert_eq!(acquire(&one, &ada, HOUR).await, None);
    // When this has ended, the other would have, had it been given so little.
    acquire(&one, &bob, 2 * BRIEF).await.unwrap();
    acquire_at_last(&one, &bob, &clock).await;
    assert_eq!(acquire(&one, &ada, HOUR).await, None, "it was cut short by a foreign token");
    assert!(other.renew(&ada, &token, HOUR).await.unwrap());
    other.release(&ada, &token).await.unwrap();
    assert!(acquire(&one, &ada, HOUR).await.is_some());
}

/// A lease that is not renewed ends, and cannot be renewed then.
///
/// # Panics
///
/// If not.
pub async fn a_lease_that_is_not_renewed_ends<L: Lock, M: Lock>((one, other): (L, M), clock: MockClock) {
    let (ada, bob) = (name("ada"), name("bob"));
    let unrenewed = acquire(&one, &ada, BRIEF).await.unwrap();
    let later = acquire(&one, &bob, BRIEF).await.unwrap();
    let next = acquire_at_last(&other, &bob, &clock).await;
    assert!(!one.renew(&bob, &later, HOUR).await.unwrap(), "somebody else has it");
    one.release(&bob, &later).await.unwrap();
    assert!(
        other.renew(&bob, &next, HOUR).await.unwrap(),
        "it was released with the token of an ended lease"
    );
    // It began earlier, so it has ended too.
    assert!(!one.renew(&ada, &unrenewed, HOUR).await.unwrap(), "it has ended");
    assert!(acquire(&other, &ada, HOUR).await.is_some());
}

/// A renewed lease lasts from the renewal on for as long as was said then, be it longer or less long.
///
/// # Panics
///
/// If not.
pub async fn a_renewed_lease_lasts_as_long_as_was_said<L: Lock, M: Lock>(
    (one, other): (L, M),
    clock: MockClock,
) {
    const SHORT: Duration = Duration::from_millis(200);
    for _ in 0..50 {
        let (ada, bob) = (name("ada"), name("bob"));
        let token = acquire(&one, &ada, SHORT).await.unwrap();
        if !one.renew(&ada, &token, HOUR).await.unwrap() {
            // So slow is the machine at times.
            continue;
        }
        acquire(&one, &bob, SHORT).await.unwrap();
        acquire_at_last(&other, &bob, &clock).await;
        assert_eq!(acquire(&other, &ada, HOUR).await, None, "it ended as if it were not renewed");
        assert!(one.renew(&ada, &token, BRIEF).await.unwrap());
        acquire_at_last(&other, &ada, &clock).await;
        return;
    }
    panic!("a lease of {SHORT:?} could not be renewed, fifty times");
}

/// Those who wait are woken by the release, in whichever process.
///
/// # Panics
///
/// If they are not.
pub async fn a_release_wakes_those_who_wait<L: Lock, M: Lock>((one, other): (L, M), _clock: MockClock) {
    let (one, other, name) = (Arc::new(one), Arc::new(other), name("ada"));
    // What is made for the first wait is there for the second.
    for _ in 0..2 {
        let token = acquire(&one, &name, HOUR).await.expect("it was released");
        let (begun, woken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for waiter in 0..8 {
            let (one, other, name) = (Arc::clone(&one), Arc::clone(&other), name.clone());
            let (begun, woken) = (Arc::clone(&begun), Arc::clone(&woken));
            tokio::spawn(async move {
                let mut wait = if waiter % 2 == 0 { one.wait(&name, HOUR) } else { other.wait(&name, HOUR) };
                let mut is_first = true;
                let waited = poll_fn(|cx| {
                    let polled = wait.as_mut().poll(cx);
                    if std::mem::take(&mut is_first) {
                        begun.fetch_add(1, SeqCst);
                    }
                    polled
                });
                waited.await.unwrap();
                woken.fetch_add(1, SeqCst);
            });
        }
        until("eight to wait", || begun.load(SeqCst) == 8).await;
        one.release(&name, &token).await.unwrap();
        until("those who wait to be woken", || woken.load(SeqCst) == 8).await;
    }
}

/// A wait ends with the time that it was given, and at once where nobody has the lease: the message may have been sent
/// before anybody listened.
///
/// # Panics
///
/// If not.
pub async fn a_wait_ends_in_time_or_where_nobody_has_the_lease<L: Lock, M: Lock>(
    (one, other): (L, M),
    clock: MockClock,
) {
    let (ada, other) = (name("ada"), Arc::new(other));
    soon("a wait for what nobody has", other.wait(&ada, HOUR)).await.unwrap();
    let token = acquire(&one, &ada, HOUR).await.unwrap();
    let waiting = tokio::spawn({
        let (other, ada) = (Arc::clone(&other), ada.clone());
        async move { other.wait(&ada, BRIEF).await }
    });
    until("the end of a wait", || {
        clock.advance(Duration::from_millis(1));
        waiting.is_finished()
    })
    .await;
    waiting.await.unwrap().unwrap();
    assert!(one.renew(&ada, &token, HOUR).await.unwrap(), "who waits changes nothing");
    one.release(&ada, &token).await.unwrap();
    soon("a wait for what was released", other.wait(&ada, HOUR)).await.unwrap();
}
