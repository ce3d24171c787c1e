//! What surrounds the nodes: time, network, servers, the database, and the record of what happened.

use super::agenda::Agenda;
use super::bus::BusServer;
use super::database::Database;
use super::history::{History, Note};
use super::lower_store::LowerServer;
use super::network::{Network, Place};
use super::node_clock::Wall;
use super::rest::Rest;
use super::script::Script;
use super::shared_server::SharedServer;
use larder_core::Tick;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// See the module. Each lock is held for one look or change, and none while another one is taken, but the agenda's and
/// the history's.
pub(crate) struct World {
    pub(crate) agenda: Agenda,
    pub(crate) rest: Arc<Rest>,
    pub(crate) walls: Mutex<Vec<Wall>>,
    pub(crate) jobs: Mutex<Vec<Vec<Weak<dyn Tick>>>>,
    pub(crate) network: Mutex<Network>,
    pub(crate) shared: Mutex<SharedServer>,
    pub(crate) lower: Mutex<LowerServer>,
    pub(crate) bus: Mutex<BusServer>,
    pub(crate) database: Mutex<Database>,
    pub(crate) history: Mutex<History>,
    /// What each node is doing to each key: calls, loads, and reads and writes of its record.
    busy: Mutex<BTreeMap<(usize, u64), usize>>,
}

impl World {
    pub(crate) fn new(seed: u64, script: &Script) -> Arc<Self> {
        use super::random::Random;
        Arc::new(World {
            agenda: Agenda::default(),
            rest: Arc::default(),
            walls: Mutex::new(script.setup.walls.clone()),
            jobs: Mutex::new(vec![Vec::new(); script.setup.nodes]),
            network: Mutex::new(Network::new(script.setup.weather.clone(), Random::of(seed, "network"))),
            shared: Mutex::new(SharedServer::new(script.setup.shared.clone(), Random::of(seed, "shared"))),
            lower: Mutex::default(),
            bus: Mutex::new(BusServer::new(script.setup.nodes)),
            database: Mutex::new(Database::new(Random::of(seed, "database"), script.setup.failing_loads)),
            history: Mutex::default(),
            busy: Mutex::default(),
        })
    }

    pub(crate) fn is_down(&self, place: Place) -> bool {
        place == Place::Shared && self.shared.lock().down
    }

    pub(crate) fn note(&self, note: Note) {
        let at = self.agenda.moment();
        self.history.lock().note(at, note);
    }

    /// Whether this node is doing something to the key.
    pub(crate) fn is_busy(&self, node: usize, key: u64) -> bool {
        self.busy.lock().get(&(node, key)).is_some_and(|doing| *doing > 0)
    }

    /// Notes that this node does something to the key, until the result is dropped.
    pub(crate) fn doing(self: &Arc<Self>, node: usize, key: Option<u64>) -> Option<Doing> {
        let key = key?;
        *self.busy.lock().entry((node, key)).or_default() += 1;
        Some(Doing { world: Arc::clone(self), of: (node, key) })
    }
}

/// Something that a node does to a key.
pub(crate) struct Doing {
    world: Arc<World>,
    of: (usize, u64),
}

impl Drop for Doing {
    fn drop(&mut self) {
        if let Some(doing) = self.world.busy.lock().get_mut(&self.of) {
            *doing -= 1;
        }
    }
}
