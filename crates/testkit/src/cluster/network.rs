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
use larder_core::{Error, Result};
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
                    reply.send(world, Err(Error::store("connection refused")));
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
    Error::store("the connection broke")
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
