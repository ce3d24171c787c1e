//! What a node's cache is assembled from.

use super::bus::NodeBus;
use super::lower_store::LowerStore;
use super::memory::NodeMemory;
use super::node_clock::NodeClock;
use super::random::Random;
use super::script::Setup;
use super::shared_store::SharedStore;
use super::world::World;
use std::sync::Arc;

/// What one process of a simulated cluster has to assemble its cache from. Clones are the same.
#[derive(Clone)]
pub struct Seams {
    world: Arc<World>,
    node: usize,
    setup: Arc<Setup>,
    clock: NodeClock,
    memory: NodeMemory,
    shared: SharedStore,
}

impl Seams {
    pub(crate) fn new(world: &Arc<World>, node: usize, life: u32, setup: &Arc<Setup>) -> Self {
        let random = Random::of(setup.seed, &format!("memory {node} {life}"));
        Seams {
            world: Arc::clone(world),
            node,
            setup: Arc::clone(setup),
            clock: NodeClock::new(world, node),
            memory: NodeMemory::new(setup.memory_room, random),
            shared: SharedStore::new(world, node),
        }
    }

    /// Returns the number of the node; the first one is 0.
    pub fn node(&self) -> usize {
        self.node
    }

    /// Returns the seed of the run, for whatever else is to depend on it.
    pub fn seed(&self) -> u64 {
        self.setup.seed
    }

    /// Returns the clock of the node.
    pub fn clock(&self) -> NodeClock {
        self.clock.clone()
    }

    /// Returns the memory of this process. Whether its cache has it in front is up to who assembles the cache;
    /// the seed wants it where [`has_memory`](Self::has_memory) says so.
    pub fn memory(&self) -> NodeMemory {
        self.memory.clone()
    }

    /// Returns the store that all nodes share, with its log.
    pub fn shared(&self) -> SharedStore {
        self.shared.clone()
    }

    /// Returns the store below the shared one.
    pub fn lower(&self) -> LowerStore {
        LowerStore::new(&self.world, self.node)
    }

    /// Returns the bus.
    pub fn bus(&self) -> NodeBus {
        NodeBus::new(&self.world, self.node)
    }

    /// Whether the seed wants a memory in front on this node.
    pub fn has_memory(&self) -> bool {
        self.setup.memory[self.node]
    }

    /// Whether the seed wants the lower store behind the shared one.
    pub fn has_lower(&self) -> bool {
        self.setup.lower
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }
}

impl std::fmt::Debug for Seams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seams").field("node", &self.node).field("seed", &self.seed()).finish_non_exhaustive()
    }
}
