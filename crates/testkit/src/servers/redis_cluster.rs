//! Redis in cluster mode.

use super::port;
use super::process::PortTaken;
use super::redis::{Redis, RedisOptions};
use std::fmt::Write;
use std::sync::OnceLock;

const NODES: usize = 3;
const SLOTS: usize = 16_384;
const ATTEMPTS: usize = 10;

/// A Redis cluster of three masters without replicas, each with a third of the slots.
///
/// With one of them down the others go on serving their slots (`cluster-require-full-coverage no`).
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::RedisCluster;
///
/// let cluster = RedisCluster::start();
/// assert_eq!(cluster.nodes().len(), 3);
/// cluster.node_of(12_182).kill(); // the slot of the key "foo"
/// ```
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts a cluster. It takes two seconds: a master does not serve earlier.
    ///
    /// # Panics
    ///
    /// If there is no `redis-server` here, or one does not start.
    pub fn start() -> Self {
        for _ in 0..ATTEMPTS {
            if let Ok(cluster) = Self::start_on(std::array::from_fn(|_| port::free())) {
                return cluster;
            }
        }
        panic!("the nodes of a Redis cluster found one of their ports taken by others, {ATTEMPTS} times")
    }

    /// Returns the cluster of this process, started with the first call.
    ///
    /// # Panics
    ///
    /// If there is no `redis-server` here, or one does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisCluster> = OnceLock::new();
        SHARED.get_or_init(RedisCluster::start)
    }

    /// Returns its nodes, in the order of their slots.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// Returns the URL of each node.
    pub fn urls(&self) -> Vec<&str> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// Returns the node that has this slot.
    ///
    /// # Panics
    ///
    /// If a cluster has no such slot: there are 16384.
    pub fn node_of(&self, slot: u16) -> &Redis {
        assert!(usize::from(slot) < SLOTS, "a cluster has the slots 0 to 16383, not {slot}");
        let holds = |node: &usize| slots(*node).1 >= usize::from(slot);
        let node = (0..NODES).find(holds).expect("the nodes have all slots");
        &self.nodes[node]
    }

    /// Each node knows all from its configuration. `redis-cli --cluster create` would have to introduce them to each
    /// other and wait for word to spread.
    fn start_on(ports: [u16; NODES]) -> Result<Self, PortTaken> {
        let starting: Vec<_> = (0..NODES).map(|node| start_node(node, ports)).collect();
        let nodes = starting.into_iter().collect::<Result<Vec<_>, _>>()?;
        for node in &nodes {
            node.wait_for_log("Cluster state changed: ok");
        }
        Ok(RedisCluster { nodes })
    }
}

fn start_node(node: usize, ports: [u16; NODES]) -> Result<Redis, PortTaken> {
    let mut configuration = String::new();
    for (other, port) in ports.into_iter().enumerate() {
        let (first, last) = slots(other);
        let (id, bus, epoch) = (other + 1, port + 10_000, other + 1);
        let myself = if other == node { "myself," } else { "" };
        let _ = writeln!(
            configuration,
            "{id:040x} 127.0.0.1:{port}@{bus} {myself}master - 0 0 {epoch} connected {first}-{last}"
        );
    }
    let _ = writeln!(configuration, "vars currentEpoch {NODES} lastVoteEpoch 0");
    RedisOptions::default()
        .arguments("--cluster-enabled yes --cluster-config-file nodes.conf --cluster-node-timeout 1000")
        .arguments("--cluster-require-full-coverage no")
        .file("nodes.conf", configuration)
        .start_on(ports[node])
}

/// The first and the last slot of a node.
fn slots(node: usize) -> (usize, usize) {
    (node * SLOTS / NODES, (node + 1) * SLOTS / NODES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_have_all_slots_and_none_twice() {
        assert_eq!((slots(0).0, slots(NODES - 1).1), (0, SLOTS - 1));
        assert!((1..NODES).all(|node| slots(node - 1).1 + 1 == slots(node).0));
    }
}
