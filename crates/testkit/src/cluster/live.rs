//! A world for tests of its parts, without processes.

use super::agenda::Due;
use super::bus::hear;
use super::network::Weather;
use super::options::ClusterOptions;
use super::script::Script;
use super::world::World;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A network on which nothing is lost or late.
pub(crate) fn fair() -> Weather {
    Weather { usual: (100, 5_000), late: (0, 0), lost: 0, bus: (0, 0), connections: 8 }
}

/// A world of two nodes with this network.
pub(crate) fn world(seed: u64, weather: Weather) -> Arc<World> {
    let mut script = Script::of(seed, &ClusterOptions::new().nodes(2..=2).faults(&[]));
    script.setup.weather = weather;
    World::new(seed, &script)
}

/// Has one thing happen that is due. Returns whether there was any.
pub(crate) fn step(world: &Arc<World>) -> bool {
    match world.agenda.next(Duration::MAX) {
        None => return false,
        Some(Due::Wake(_, waker)) => waker.wake(),
        Some(Due::Act(_, act)) => act(world),
        Some(Due::Hear(node, heard)) => hear(world, node, &heard),
        Some(Due::Step(_) | Due::Fault(_) | Due::Tick) => {}
    }
    true
}

/// Has the world go on until `future` ends; `None` if it never does.
pub(crate) async fn live<T>(world: &Arc<World>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        if step(world) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(None)
    })
    .await
}

/// Has the world go on in a task, for as long as the runtime does.
pub(crate) fn live_on(world: Arc<World>) {
    tokio::spawn(async move {
        loop {
            step(&world);
            tokio::task::yield_now().await;
        }
    });
}
