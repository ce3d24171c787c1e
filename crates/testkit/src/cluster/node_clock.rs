//! The clock of one node: virtual time, and a wall clock of its own that may be wrong.

use super::world::World;
use larder_core::{Clock, Coherence, Sleep, Tick, Time};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock of one process of a simulated cluster. Clones are the same clock, and caches with it belong to one group.
///
/// Its monotonic time goes on with the world, also while the node stands still. Its time of day is wrong by what the
/// seed says, drifts, and steps.
#[derive(Clone)]
pub struct NodeClock {
    world: Arc<World>,
    node: usize,
    coherence: Coherence,
}

/// How a node's time of day differs from the right one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wall {
    /// Milliseconds ahead.
    pub(crate) ahead: i64,
    /// Microseconds gained each second.
    pub(crate) drift: i64,
}

/// Far from the origin, so that entries can be older than the run.
const YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What a right clock shows.
pub(crate) fn true_wall(now: Duration) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(4_102_444_800) + now
}

impl NodeClock {
    pub(crate) fn new(world: &Arc<World>, node: usize) -> Self {
        NodeClock { world: Arc::clone(world), node, coherence: Coherence::new() }
    }
}

impl std::fmt::Debug for NodeClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeClock")
            .field("node", &self.node)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Time {
        self.world.rest.ask();
        Time::from_nanos(0).after(YEARS + self.world.agenda.now())
    }

    fn wall(&self) -> SystemTime {
        let now = self.world.agenda.now();
        let wall = self.world.walls.lock()[self.node];
        let drifted = i64::try_from(now.as_millis()).unwrap_or(i64::MAX).saturating_mul(wall.drift) / 1_000;
        let micros = wall.ahead.saturating_mul(1_000).saturating_add(drifted);
        let apart = Duration::from_micros(micros.unsigned_abs());
        if micros < 0 { true_wall(now) - apart } else { true_wall(now) + apart }
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let place = self.world.agenda.place_of_timer(span);
        Box::pin(Timer { clock: self.clone(), place })
    }

    fn coherence(&self) -> Coherence {
        self.coherence.clone()
    }

    fn on_tick(&self, job: Weak<dyn Tick>) {
        self.world.jobs.lock()[self.node].push(job);
    }
}

struct Timer {
    clock: NodeClock,
    place: (Duration, u64),
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let NodeClock { world, node, .. } = &self.clock;
        if world.agenda.set(self.place, *node, cx.waker().clone()) { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clock.world.agenda.cancel(self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::live::{fair, live, world};
    use futures::future::join_all;
    use parking_lot::Mutex;

    #[tokio::test]
    async fn the_wall_clock_is_wrong_and_drifts_and_the_monotonic_one_does_not() {
        let world = world(1, fair());
        world.walls.lock()[1] = Wall { ahead: -2_000, drift: 100 };
        let clock = NodeClock::new(&world, 1);
        let start = clock.now();
        live(&world, clock.sleep(Duration::from_secs(10))).await.unwrap();

        let behind = Duration::from_secs(2) - Duration::from_millis(1);
        assert_eq!(clock.wall(), true_wall(Duration::from_secs(10)) - behind);
        assert_eq!(clock.now().since(start), Duration::from_secs(10));
        assert_eq!(NodeClock::new(&world, 0).wall(), true_wall(Duration::from_secs(10)));
    }

    #[tokio::test]
    async fn timers_of_all_nodes_end_in_the_order_of_their_times() {
        let world = world(1, fair());
        let ended = Arc::new(Mutex::new(Vec::new()));
        let sleeps = [(0, 3), (1, 1), (0, 2), (1, 4)].map(|(node, seconds)| {
            let (clock, ended) = (NodeClock::new(&world, node), Arc::clone(&ended));
            async move {
                let start = clock.now();
                clock.sleep(Duration::from_secs(seconds)).await;
                ended.lock().push((seconds, clock.now().since(start).as_secs()));
            }
        });
        live(&world, join_all(sleeps)).await.unwrap();
        assert_eq!(*ended.lock(), [(1, 1), (2, 2), (3, 3), (4, 4)]);
    }

    #[tokio::test]
    async fn a_timer_that_is_dropped_is_forgotten() {
        let world = world(1, fair());
        let mut timer = NodeClock::new(&world, 0).sleep(Duration::from_secs(1));
        let waits = std::future::poll_fn(|cx| Poll::Ready(timer.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        drop(timer);
        assert!(!crate::cluster::live::step(&world));
    }
}
