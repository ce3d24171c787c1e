//! The network between the nodes and what they share: it delays, loses and reorders, as the seed says.
//!
//! ```text
//! node ── request ──▶ server: the operation takes effect there, in one step ── answer ──▶ node
//!          delayed, lost, cut off                                               delayed, lost, cut off
//! ```
//!
//! A call that lost its request or its answer hears nothing, and ends by the time-out of who called; or its connection
//! breaks, and it ends with an error. Whether the operation was carried out it cannot know. What goes over one
//! connection keeps its order; a node has several.

use super::agenda::Due;
use super::random::Random;
use super::world::World;
use larder_core::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What nodes talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Shared,
    Lower,
    Bus,
}

impl Place {
    pub(crate) const ALL: [Place; 3] = [Place::Shared, Place::Lower, Place::Bus];
}

/// How the network of a run behaves.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    /// Microseconds that a message takes, at least and at most.
    pub(crate) usual: (u64, u64),
    /// How many of a thousand messages are late, and by how many milliseconds at most.
    pub(crate) late: (u64, u64),
    /// How many of a thousand messages are lost.
    pub(crate) lost: u64,
    /// How many of a thousand messages on the bus are lost, and how many come twice.
    pub(crate) bus: (u64, u64),
    /// How many connections a node has to each place.
    pub(crate) connections: usize,
}

pub(crate) struct Network {
    weather: Weather,
    random: Random,
    cut: BTreeSet<(usize, Place)>,
    /// When the last message of a connection arrives, for each direction.
    last: BTreeMap<(usize, Place, usize, bool), Duration>,
}

/// What becomes of a message.
pub(crate) enum Fate {
    Arrives(Duration),
    /// Nobody hears of it again.
    Vanishes,
    /// The connection breaks, which the node notices then.
    Breaks(Duration),
}

impl Network {
    pub(crate) fn new(weather: Weather, random: Random) -> Self {
        Network { weather, random, cut: BTreeSet::new(), last: BTreeMap::new() }
    }

    pub(crate) fn cut(&mut self, node: usize, place: Place) {
        self.cut.insert((node, place));
    }

    pub(crate) fn mend(&mut self, node: usize, place: Place) -> bool {
        self.cut.remove(&(node, place))
    }

    pub(crate) fn is_cut(&self, node: usize, place: Place) -> bool {
        self.cut.contains(&(node, place))
    }

    /// From now on everything arrives, in its usual time.
    pub(crate) fn calm(&mut self) {
        self.weather.late.0 = 0;
        self.weather.lost = 0;
        self.weather.bus = (0, 0);
        self.cut.clear();
    }

    fn connection(&mut self) -> usize {
        self.random.place(self.weather.connections)
    }

    /// How long a message takes.
    pub(crate) fn delay(&mut self) -> Duration {
        let (least, most) = self.weather.usual;
        let usual = self.random.micros(least, most);
        let (often, late) = self.weather.late;
        if often > 0 && self.random.happens(often) { usual + self.random.millis(0, late) } else { usual }
    }

    /// Sends a message at `now`, in order behind those of its connection.
    fn send(&mut self, now: Duration, line: (usize, Place, usize, bool)) -> Fate {
        let delay = self.delay();
        if self.is_cut(line.0, line.1) || self.random.happens(self.weather.lost) {
            return if self.random.happens(500) { Fate::Vanishes } else { Fate::Breaks(now + delay) };
        }
        let last = self.last.entry(line).or_default();
        *last = (*last).max(now + delay);
        Fate::Arrives(*last)
    }

    /// The delays of the copies of one message on the bus to one node: none if it is lost.
    pub(crate) fn broadcast(&mut self, node: usize) -> Vec<Duration> {
        let (lost, twice) = self.weather.bus;
        if self.is_cut(node, Place::Bus) || self.random.happens(lost) {
            return Vec::new();
        }
        let copies = if self.random.happens(twice) { 2 } else { 1 };
        (0..copies).map(|_| self.delay()).collect()
    }
}

/// The way back of an answer.
pub(crate) struct Reply<T> {
    slot: Slot<T>,
    node: usize,
    place: Place,
    connection: usize,
}

impl<T: Send + 'static> Reply<T> {
    /// Which node asked.
    pub(crate) fn node(&self) -> usize {
        self.node
    }

    /// Sends the answer, over the connection that the request came by.
    pub(crate) fn send(self, world: &Arc<World>, answer: Result<T>) {
        let Reply { slot, node, place, connection } = self;
        let now = world.agenda.now();
        let fate = world.network.lock().send(now, (node, place, connection, true));
        match fate {
            Fate::Vanishes => {}
            Fate::Breaks(at) => slot.fill_at(world, at, node, Err(broken())),
            Fate::Arrives(at) => {
                let arrive = move |world: &Arc<World>| {
                    if !world.network.lock().is_cut(node, place) {
                        slot.fill(answer);
                    }
                };
                world.agenda.add(at, Due::Act(Some(node), Box::new(arrive)));
            }
        }
    }
}

/// Has `serve` done at `place`, when the request arrives there, and returns its answer, if that arrives.
pub(crate) async fn call<T: Send + 'static>(
    world: &Arc<World>,
    node: usize,
    place: Place,
    serve: impl FnOnce(&Arc<World>, Reply<T>) + Send + 'static,
) -> Result<T> {
    let slot = Slot::default();
    let now = world.agenda.now();
    let (connection, fate) = {
        let mut network = world.network.lock();
        let connection = network.connection();
        (connection, network.send(now, (node, place, connection, false)))
    };
    match fate {
        Fate::Vanishes => {}
        Fate::Breaks(at) => slot.clone().fill_at(world, at, node, Err(broken())),
        Fate::Arrives(at) => {
            let reply = Reply { slot: slot.clone(), node, place, connection };
            let arrive = move |world: &Arc<World>| {
                if world.network.lock().is_cut(node, place) {
                    return;
                }
                if world.is_down(place) {
                    reply.send(world, Err(Error::new(ErrorKind::Store, "connection refused")));
                } else {
                    serve(world, reply);
                }
            };
            world.agenda.add(at, Due::Act(None, Box::new(arrive)));
        }
    }
    slot.await
}

fn broken() -> Error {
    Error::new(ErrorKind::Store, "the connection broke")
}

/// Where an answer arrives. One that never does keeps its caller waiting.
struct Slot<T>(Arc<Mutex<(Option<Result<T>>, Option<Waker>)>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot(Arc::new(Mutex::new((None, None))))
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot(Arc::clone(&self.0))
    }
}

impl<T: Send + 'static> Slot<T> {
    fn fill(self, answer: Result<T>) {
        let waker = {
            let mut slot = self.0.lock();
            slot.0 = Some(answer);
            slot.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn fill_at(self, world: &World, at: Duration, node: usize, answer: Result<T>) {
        world.agenda.add(at, Due::Act(Some(node), Box::new(move |_| self.fill(answer))));
    }
}

impl<T> Future for Slot<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let mut slot = self.0.lock();
        match slot.0.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                let before = slot.1.replace(cx.waker().clone());
                drop(slot);
                drop(before);
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::live::{fair, live, world};
    use futures::future::join_all;

    /// Makes calls that note their numbers when they are served, and returns these in order, and how each call ended.
    async fn calls(world: &Arc<World>, place: Place) -> (Vec<usize>, Vec<Option<Result<usize>>>) {
        let served = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(Mutex::new(vec![None; 100]));
        let calls = (0..100).map(|number| {
            let (served, ended) = (Arc::clone(&served), Arc::clone(&ended));
            async move {
                let serve = move |world: &Arc<World>, reply: Reply<usize>| {
                    served.lock().push(number);
                    reply.send(world, Ok(number));
                };
                let answer = call(world, 0, place, serve).await;
                ended.lock()[number] = Some(answer);
            }
        });
        live(world, join_all(calls)).await;
        let served = served.lock().clone();
        let ended = ended.lock().clone();
        (served, ended)
    }

    #[tokio::test]
    async fn a_connection_keeps_the_order_and_several_do_not() {
        let one = Weather { connections: 1, ..fair() };
        let (served, ended) = calls(&world(1, one), Place::Lower).await;
        assert!(served.is_sorted() && served.len() == 100);
        assert!((0..100).all(|number| matches!(&ended[number], Some(Ok(answer)) if *answer == number)));

        let (served, _) = calls(&world(1, fair()), Place::Lower).await;
        assert!(!served.is_sorted() && served.len() == 100);
    }

    #[tokio::test]
    async fn what_is_lost_was_carried_out_or_not_and_its_caller_cannot_tell() {
        let (served, ended) = calls(&world(1, Weather { lost: 300, ..fair() }), Place::Lower).await;
        let ends = |wanted: fn(&Option<Result<usize>>) -> bool, carried_out: bool| {
            let mut numbers = (0..100).filter(|number| wanted(&ended[*number]));
            numbers.any(|number| served.contains(&number) == carried_out)
        };
        for carried_out in [false, true] {
            assert!(ends(|end| matches!(end, Some(Err(_))), carried_out), "an error");
            assert!(ends(Option::is_none, carried_out), "no answer");
        }
        assert!(
            ends(|end| matches!(end, Some(Ok(_))), true) && !ends(|end| matches!(end, Some(Ok(_))), false)
        );
    }

    #[tokio::test]
    async fn a_node_that_is_cut_off_reaches_nothing_and_hears_no_answer() {
        let cut = world(1, fair());
        cut.network.lock().cut(0, Place::Lower);
        let (served, ended) = calls(&cut, Place::Lower).await;
        assert!(served.is_empty() && !ended.iter().any(|end| matches!(end, Some(Ok(_)))));
        assert_eq!(calls(&cut, Place::Shared).await.0.len(), 100, "other places are reached");

        let half = world(1, fair());
        let serve = |world: &Arc<World>, reply: Reply<()>| {
            reply.send(world, Ok(()));
            world.network.lock().cut(0, Place::Lower);
        };
        let answered = live(&half, call(&half, 0, Place::Lower, serve)).await;
        assert!(answered.is_none(), "cut off while the answer was on its way");
    }

    #[tokio::test]
    async fn a_server_that_is_down_refuses() {
        let world = world(1, fair());
        world.shared.lock().down = true;
        let (served, ended) = calls(&world, Place::Shared).await;
        assert!(served.is_empty() && ended.iter().all(|end| matches!(end, Some(Err(_)))));
    }

    #[tokio::test]
    async fn a_message_that_is_late_arrives_seconds_later() {
        let world = world(1, Weather { late: (100, 4_000), ..fair() });
        let (served, _) = calls(&world, Place::Lower).await;
        assert_eq!(served.len(), 100);
        assert!(world.agenda.now() > Duration::from_secs(1));
    }
}
