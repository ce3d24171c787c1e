//! The suite fails buses that are wrong in one way.

use bytes::Bytes;
use larder_core::{Answer, Bus, Listener, LocalBus};
use larder_testkit::conformance::{bus, impatient, run};
use parking_lot::Mutex;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Weak};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    LosesSome,
    Doubles,
    SwapsTwo,
    TellsTheLastListenerOnly,
    TellsTheFirstListenersOnly,
    KeepsListeners,
    EndsAtZero,
    PassesOverNothing,
    CutsTheGreatest,
    RefusesTheGreatest,
    AllowsNothing,
}

#[derive(Clone)]
struct Flawed(Arc<Inner>);

struct Inner {
    flaw: Flaw,
    bus: LocalBus,
    number: AtomicUsize,
    back: Mutex<Option<Bytes>>,
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
    kept: Mutex<Vec<Arc<dyn Listener>>>,
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        Flawed(Arc::new(Inner {
            flaw,
            bus: LocalBus::new(),
            number: AtomicUsize::new(0),
            back: Mutex::default(),
            listeners: Mutex::default(),
            kept: Mutex::default(),
        }))
    }
}

impl Bus for Flawed {
    fn publish(&self, mut message: Bytes) -> Answer<'_, ()> {
        let inner = &self.0;
        let number = inner.number.fetch_add(1, SeqCst);
        let most = inner.bus.max_message_bytes();
        Box::pin(async move {
            match inner.flaw {
                Flaw::LosesSome if number % 7 == 6 => return Ok(()),
                Flaw::Doubles if number % 7 == 6 => inner.bus.publish(message.clone()).await?,
                Flaw::SwapsTwo => {
                    let back = inner.back.lock().take();
                    if number % 7 == 5 {
                        *inner.back.lock() = Some(message);
                        return Ok(());
                    }
                    if let Some(back) = back {
                        inner.bus.publish(message).await?;
                        message = back;
                    }
                }
                Flaw::TellsTheLastListenerOnly => {
                    let last = inner.listeners.lock().last().and_then(Weak::upgrade);
                    last.inspect(|last| last.heard(&message));
                    return Ok(());
                }
                Flaw::EndsAtZero => {
                    let end = message.iter().position(|byte| *byte == 0).unwrap_or(message.len());
                    message.truncate(end);
                }
                Flaw::PassesOverNothing if message.is_empty() => return Ok(()),
                Flaw::CutsTheGreatest => message.truncate(most - 1),
                Flaw::RefusesTheGreatest if message.len() >= most => {
                    return Err(larder_core::Error::new(larder_core::ErrorKind::TooLarge, "too long"));
                }
                _ => {}
            }
            inner.bus.publish(message).await
        })
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        let inner = &self.0;
        inner.listeners.lock().push(Weak::clone(&listener));
        if inner.flaw == Flaw::KeepsListeners {
            inner.kept.lock().extend(listener.upgrade());
        }
        if inner.flaw == Flaw::TellsTheFirstListenersOnly && inner.number.load(SeqCst) > 0 {
            return;
        }
        inner.bus.subscribe(listener);
    }

    fn max_message_bytes(&self) -> usize {
        if self.0.flaw == Flaw::AllowsNothing { 0 } else { self.0.bus.max_message_bytes() }
    }

    fn place(&self) -> String {
        "a flawed bus".into()
    }
}

fn fails(test: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(test))).is_err()
}

fn is_caught(flaw: Flaw) -> bool {
    let pair = || {
        let bus = Flawed::new(flaw);
        (bus.clone(), bus)
    };
    fails(bus::messages_of_any_bytes_and_of_the_greatest_size_pass(pair()))
        || fails(bus::every_listener_hears_each_message_in_order(pair()))
        || fails(bus::who_comes_later_hears_what_comes_later(pair()))
        || fails(bus::a_listener_that_is_dropped_hears_no_more(pair()))
        || fails(bus::what_many_publish_is_heard_of_each_in_its_order(pair()))
}

#[test]
fn a_bus_with_one_flaw_fails_and_a_sound_one_passes() {
    impatient();
    assert!(!is_caught(Flaw::None));
    for flaw in [
        Flaw::LosesSome,
        Flaw::Doubles,
        Flaw::SwapsTwo,
        Flaw::TellsTheLastListenerOnly,
        Flaw::TellsTheFirstListenersOnly,
        Flaw::KeepsListeners,
        Flaw::EndsAtZero,
        Flaw::PassesOverNothing,
        Flaw::CutsTheGreatest,
        Flaw::RefusesTheGreatest,
        Flaw::AllowsNothing,
    ] {
        assert!(is_caught(flaw), "{flaw:?}");
    }
}
