//! The callers: all at once, every ten seconds, on every node.

use crate::database::Database;
use larder::prelude::*;
use larder::{Clock, Time};
use larder_testkit::{MockClock, settle};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

pub(crate) const NODES: usize = 3;
/// Ten minutes, ten seconds each.
pub(crate) const TICKS: usize = 60;

/// The nodes of a real shop are not asked at the same moment.
const NODES_APART: Duration = secs(3);
/// When something may happen after the callers have come: the database answers, or is waited for long enough.
const MOMENTS: [Duration; 6] =
    [Duration::ZERO, millis(20), millis(100), millis(1_000), millis(2_000), millis(3_000)];

pub(crate) struct Shop {
    products: u32,
    callers: u32,
}

/// What ten minutes were like.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) queries: u64,
    pub(crate) failed: u64,
    /// Answers that took more than 100 ms.
    pub(crate) slow: u64,
    pub(crate) longest: Duration,
}

impl Told {
    fn note<T>(&mut self, answer: &Result<T, ()>, waited: Duration) {
        self.failed += u64::from(answer.is_err());
        self.slow += u64::from(waited > millis(100));
        self.longest = self.longest.max(waited);
    }
}

struct Waiting<Fut> {
    call: Pin<Box<Fut>>,
    since: Time,
}

impl Shop {
    pub(crate) fn from_args() -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let mut shop = Shop { products: 1_000, callers: 100 };
        let mut args = lexopt::Parser::from_env();
        while let Some(arg) = args.next()? {
            match arg {
                Long("products") => shop.products = args.value()?.parse()?,
                Long("callers") => shop.callers = args.value()?.parse()?,
                Long("help") => {
                    println!("step_by_step [--products 1000] [--callers 100]");
                    std::process::exit(0);
                }
                other => return Err(other.unexpected()),
            }
        }
        Ok(shop)
    }

    pub(crate) fn calls(&self) -> u64 {
        u64::from(self.products) * u64::from(self.callers) * (NODES * TICKS) as u64
    }

    /// Runs ten minutes, in which each call is answered by `ask(node, product)`.
    pub(crate) async fn open<T, Fut>(
        &self,
        clock: &MockClock,
        database: &Database,
        ask: impl Fn(usize, u32) -> Fut,
        mut ticked: impl FnMut(),
    ) -> Told
    where
        Fut: Future<Output = Result<T, ()>>,
    {
        let opened = clock.now();
        let (mut told, mut waiting) = (Told::default(), Vec::new());
        for tick in 0..TICKS {
            let begins = secs(10) * u32::try_from(tick).expect("there are few");
            for node in 0..NODES {
                let comes = begins + NODES_APART * u32::try_from(node).expect("there are few");
                for product in 0..self.products {
                    for _ in 0..self.callers {
                        let call = Box::pin(ask(node, product));
                        waiting.extend(begun(call, clock.now(), &mut told));
                    }
                }
                for moment in MOMENTS {
                    clock.advance((comes + moment).saturating_sub(clock.now().since(opened)));
                    // Loads are tasks of their own; they run, and then their callers see what came of it.
                    settle().await;
                    waiting.retain_mut(|waiting| !answered(waiting, clock.now(), &mut told));
                }
            }
            clock.advance((begins + secs(10)).saturating_sub(clock.now().since(opened)));
            ticked();
        }
        assert!(waiting.is_empty(), "{} calls were never answered", waiting.len());
        told.queries = database.queries();
        told
    }
}

/// Begins a call; `None` if it is answered at once.
fn begun<T, Fut>(call: Pin<Box<Fut>>, now: Time, told: &mut Told) -> Option<Waiting<Fut>>
where
    Fut: Future<Output = Result<T, ()>>,
{
    let mut waiting = Waiting { call, since: now };
    (!answered(&mut waiting, now, told)).then_some(waiting)
}

fn answered<T, Fut>(waiting: &mut Waiting<Fut>, now: Time, told: &mut Told) -> bool
where
    Fut: Future<Output = Result<T, ()>>,
{
    match waiting.call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(answer) => {
            told.note(&answer, now.since(waiting.since));
            true
        }
        std::task::Poll::Pending => false,
    }
}
