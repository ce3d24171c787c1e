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
pub(crate) fn hear(world: &Arc<World>, node: usize, heard: Heard) {
    if let Heard::Connected(listener) = &heard {
        world.bus.lock().listeners[node].push(Weak::clone(listener));
    }
    // They may publish, or subscribe.
    let listeners = world.bus.lock().listeners[node].clone();
    for listener in listeners.iter().filter_map(Weak::upgrade) {
        match &heard {
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
