//! The bus of the cluster: it delays, loses, doubles and reorders, as the seed says.

use super::agenda::Due;
use super::history::Note;
use super::network::{Place, Reply, call};
use super::world::World;
use bytes::Bytes;
use larder_core::{Answer, Bus, Listener};
use std::sync::{Arc, Weak};

/// A node's connection to the bus. Clones are the same connection.
#[derive(Clone)]
pub struct NodeBus {
    world: Arc<World>,
    node: usize,
}

/// Who listens on which node.
pub(crate) struct BusServer {
    listeners: Vec<Vec<Weak<dyn Listener>>>,
}

/// What a node hears.
pub(crate) enum Heard {
    Message(Bytes),
    /// A listener's first connection was made.
    Connected(Weak<dyn Listener>),
    /// The connection was made again.
    Reconnected,
}

impl BusServer {
    pub(crate) fn new(nodes: usize) -> Self {
        BusServer { listeners: vec![Vec::new(); nodes] }
    }

    /// The process ended.
    pub(crate) fn forget(&mut self, node: usize) {
        self.listeners[node].clear();
    }
}

/// Tells the listeners of a node, in its runtime, what it heard.
pub(crate) fn hear(world: &Arc<World>, node: usize, heard: &Heard) {
    if let Heard::Connected(listener) = heard {
        world.bus.lock().listeners[node].push(Weak::clone(listener));
    }
    // They may publish, or subscribe.
    let listeners = world.bus.lock().listeners[node].clone();
    for listener in listeners.iter().filter_map(Weak::upgrade) {
        match heard {
            Heard::Message(message) => listener.heard(message),
            Heard::Connected(_) | Heard::Reconnected => listener.missed(),
        }
    }
}

impl NodeBus {
    pub(crate) fn new(world: &Arc<World>, node: usize) -> Self {
        NodeBus { world: Arc::clone(world), node }
    }
}

impl std::fmt::Debug for NodeBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeBus").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Bus for NodeBus {
    fn publish(&self, message: Bytes) -> Answer<'_, ()> {
        let serve = move |world: &Arc<World>, reply: Reply<()>| {
            world.note(Note::Served { place: Place::Bus, node: reply.node(), what: "publish", key: None });
            let nodes = world.bus.lock().listeners.len();
            for node in 0..nodes {
                let delays = world.network.lock().broadcast(node);
                for delay in delays {
                    world.agenda.after(delay, Due::Hear(node, Heard::Message(message.clone())));
                }
            }
            reply.send(world, Ok(()));
        };
        self.world.history.lock().count(Place::Bus, "publish");
        Box::pin(call(&self.world, self.node, Place::Bus, serve))
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        let delay = self.world.network.lock().delay();
        self.world.agenda.after(delay, Due::Hear(self.node, Heard::Connected(listener)));
    }

    fn place(&self) -> String {
        "the bus of the cluster".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::live::{fair, live, step, world};
    use crate::cluster::network::Weather;
    use parking_lot::Mutex;

    #[derive(Default)]
    struct Ear(Mutex<(Vec<Vec<u8>>, usize)>);

    impl Listener for Ear {
        fn heard(&self, message: &[u8]) {
            self.0.lock().0.push(message.to_vec());
        }
        fn missed(&self) {
            self.0.lock().1 += 1;
        }
    }

    /// Returns what each of two nodes heard of two messages, in order of bytes, and how often it was told that it missed something.
    async fn hears(weather: Weather, trouble: impl FnOnce(&Arc<World>)) -> [(Vec<Vec<u8>>, usize); 2] {
        let world = world(1, weather);
        let ears: [Arc<Ear>; 2] = Default::default();
        let listeners = ears.clone().map(|ear| -> Arc<dyn Listener> { ear });
        for (node, listener) in listeners.iter().enumerate() {
            NodeBus::new(&world, node).subscribe(Arc::downgrade(listener));
        }
        while step(&world) {}
        trouble(&world);
        let bus = NodeBus::new(&world, 0);
        for message in ["a", "b"] {
            live(&world, bus.publish(message.into())).await;
        }
        while step(&world) {}
        ears.map(|ear| {
            let (mut heard, missed) = ear.0.lock().clone();
            heard.sort();
            (heard, missed)
        })
    }

    #[tokio::test]
    async fn everyone_hears_everything_and_is_told_of_its_connection() {
        let both = vec![b"a".to_vec(), b"b".to_vec()];
        assert_eq!(hears(fair(), |_| ()).await, [(both.clone(), 1), (both, 1)]);
    }

    #[tokio::test]
    async fn messages_are_lost_and_doubled() {
        assert_eq!(hears(Weather { bus: (1_000, 0), ..fair() }, |_| ()).await, [(vec![], 1), (vec![], 1)]);
        let twice = ["a", "a", "b", "b"].map(|message| message.as_bytes().to_vec()).to_vec();
        let doubled = hears(Weather { bus: (0, 1_000), ..fair() }, |_| ()).await;
        assert_eq!(doubled, [(twice.clone(), 1), (twice, 1)]);
    }

    #[tokio::test]
    async fn a_node_that_is_cut_off_hears_nothing_and_is_told_when_it_hears_again() {
        use crate::cluster::troubles::{Trouble, suffer};
        let both = vec![b"a".to_vec(), b"b".to_vec()];
        let cut = hears(fair(), |world| suffer(world, &Trouble::Cut(1, Place::Bus))).await;
        assert_eq!(cut, [(both.clone(), 1), (vec![], 1)]);
        let mended = hears(fair(), |world| {
            suffer(world, &Trouble::Cut(1, Place::Bus));
            suffer(world, &Trouble::Mend(1, Place::Bus));
        });
        assert_eq!(mended.await, [(both.clone(), 1), (both, 2)]);
    }
}
