//! A bus, which each test has twice, as two processes have it.
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails")]

use super::until::{soon, until};
use bytes::Bytes;
use larder_core::{Bus, Listener};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// Begins messages by which it is found out that everybody is connected.
const PROBE: &[u8] = b"\xFEprobe of the suite\xFE";

#[derive(Default)]
struct Ear {
    /// Shared, so that it is seen what comes when the ear has gone.
    heard: Arc<Mutex<Vec<Bytes>>>,
    probes: Arc<Mutex<usize>>,
}

impl Listener for Ear {
    fn heard(&self, message: &[u8]) {
        if message.starts_with(PROBE) {
            *self.probes.lock() += 1;
        } else {
            self.heard.lock().push(Bytes::copy_from_slice(message));
        }
    }
    fn missed(&self) {}
}

fn listen(bus: &impl Bus) -> Arc<Ear> {
    let ear = Arc::new(Ear::default());
    let weak: Weak<Ear> = Arc::downgrade(&ear);
    bus.subscribe(weak);
    ear
}

/// Publishes until all have heard something: from then on, connections are there.
async fn connected(bus: &impl Bus, ears: &[&Arc<Ear>]) {
    soon("a message of a bus on which one publishes all the time", async {
        for ear in ears {
            while *ear.probes.lock() == 0 {
                bus.publish(PROBE.into()).await.unwrap();
                // Somebody who is not there yet would hear thousands.
                for _ in 0..1_000 {
                    tokio::task::yield_now().await;
                }
            }
        }
    })
    .await;
}

async fn has_heard(ear: &Ear, messages: &[Bytes]) {
    until("messages", || ear.heard.lock().len() >= messages.len()).await;
    assert!(*ear.heard.lock() == messages, "it heard other messages than were published");
}

/// Everyone who listens hears each message once, in the order in which they were published.
///
/// # Panics
///
/// If not.
pub async fn every_listener_hears_each_message_in_order<B: Bus, C: Bus>((one, other): (B, C)) {
    let ears = [listen(&other), listen(&other), listen(&other)];
    connected(&one, &ears.each_ref()).await;
    let messages: Vec<Bytes> = (0..500).map(|number| format!("message {number}").into()).collect();
    for message in &messages {
        one.publish(message.clone()).await.unwrap();
    }
    for ear in &ears {
        has_heard(ear, &messages).await;
    }
    assert!(!one.place().is_empty());
}

/// Who listens later hears what comes from then on.
///
/// # Panics
///
/// If not.
pub async fn who_comes_later_hears_what_comes_later<B: Bus, C: Bus>((one, other): (B, C)) {
    let early = listen(&other);
    connected(&one, &[&early]).await;
    one.publish("early".into()).await.unwrap();
    has_heard(&early, &["early".into()]).await;

    let late = listen(&other);
    connected(&one, &[&late]).await;
    one.publish("late".into()).await.unwrap();
    has_heard(&late, &["late".into()]).await;
    has_heard(&early, &["early".into(), "late".into()]).await;
}

/// A bus keeps no listener alive, and one that has gone hears nothing.
///
/// # Panics
///
/// If not.
pub async fn a_listener_that_is_dropped_hears_no_more<B: Bus, C: Bus>((one, other): (B, C)) {
    let (stays, leaves) = (listen(&other), listen(&other));
    connected(&one, &[&stays, &leaves]).await;
    one.publish("for both".into()).await.unwrap();
    has_heard(&stays, &["for both".into()]).await;
    has_heard(&leaves, &["for both".into()]).await;

    let (heard, left) = (Arc::clone(&leaves.heard), Arc::downgrade(&leaves));
    drop(leaves);
    // It may be told something at this very moment.
    until("the end of the listener", || left.strong_count() == 0).await;
    one.publish("for one".into()).await.unwrap();
    has_heard(&stays, &["for both".into(), "for one".into()]).await;
    assert_eq!(*heard.lock(), ["for both"]);
}

/// Messages of any bytes pass, empty ones and those of the greatest size too.
///
/// # Panics
///
/// If one does not, or not whole.
pub async fn messages_of_any_bytes_and_of_the_greatest_size_pass<B: Bus, C: Bus>((one, other): (B, C)) {
    let ear = listen(&other);
    connected(&one, &[&ear]).await;
    let most = one.max_message_bytes();
    assert!(most >= 1_024, "what larder says needs some room: {most}");
    let every_byte: Vec<u8> = (0..=255).collect();
    let greatest: Vec<u8> = every_byte.iter().rev().copied().cycle().take(most).collect();
    let singles = every_byte.iter().map(|byte| Bytes::from(vec![*byte]));
    let others =
        [Bytes::new(), every_byte.clone().into(), greatest.into(), "\r\n*1\r\n".into(), "'\\".into()];
    let messages: Vec<Bytes> = singles.chain(others).collect();
    for message in &messages {
        one.publish(message.clone()).await.unwrap();
    }
    has_heard(&ear, &messages).await;
}

/// What many publish is heard, of each in its order.
///
/// # Panics
///
/// If not.
pub async fn what_many_publish_is_heard_of_each_in_its_order<B: Bus, C: Bus>((one, other): (B, C)) {
    const TASKS: usize = 8;
    const EACH: usize = 50;
    let (one, other) = (Arc::new(one), Arc::new(other));
    let ears = [listen(&other), listen(&one)];
    // Two publish: a healthy connection of each leads to both ears.
    connected(&one, &[&ears[0]]).await;
    connected(&other, &[&ears[1]]).await;
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let one = Arc::clone(&one);
        tasks.push(tokio::spawn(async move {
            for number in 0..EACH {
                one.publish(format!("{task} {number}").into()).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    until("messages", || ears[0].heard.lock().len() >= TASKS * EACH).await;
    let heard = ears[0].heard.lock().clone();
    for task in 0..TASKS {
        let begin = format!("{task} ");
        let own: Vec<_> = heard.iter().filter(|message| message.starts_with(begin.as_bytes())).collect();
        let expected: Vec<_> = (0..EACH).map(|number| format!("{task} {number}")).collect();
        assert_eq!(own, expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
