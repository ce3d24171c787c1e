//! A cluster: which node has which slot, and a line to each.
//!
//! A node that does not have a key says who does, and is believed for that slot. A node that does not answer is a
//! reason to ask another for the whole table. Calls to the other nodes notice nothing of either.
//!
//! The driver's own client of clusters is not used: while it looks for a node that is down it serves no other (of 600
//! gets with a time-out of 500 ms, and one of three nodes killed, 120 were answered, and a third as many puts). Nor
//! can it send together what goes to one node.

mod map;
mod slots;

use crate::access::Access;
use crate::address::Endpoint;
use crate::dial::{Dialer, Origin};
use crate::fault;
use crate::line::{Failure, Line, Reply, Why};
use crate::route::Repeat;
use crate::within::within;
use futures::FutureExt;
use futures::future::select_ok;
use larder_core::{Clock, Error, ErrorKind, Result, SystemClock, Time};
pub(crate) use map::Node;
use map::{Map, redirect};
use parking_lot::RwLock;
use redis::{Cmd, Value, cmd};
use slots::slot_of;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How often a call is sent on. Each has a reason: a slot moves, and then its node fails.
const MOST_HOPS: usize = 6;
/// So many nodes are asked for the table at the same time; the first that knows is believed.
const ASKED_AT_ONCE: usize = 5;
/// Between two tables. While a node is down, every call to it would like a new one.
const TABLE_LASTS: Duration = Duration::from_millis(100);

pub(crate) struct Cluster {
    /// Where the cluster was said to be.
    seeds: Vec<Endpoint>,
    /// How to connect; to where is told by the map.
    access: Access,
    connect_timeout: Duration,
    timeout: Duration,
    place: String,
    /// Written when something has changed; held to look, never while something is waited for.
    map: RwLock<Arc<Map>>,
    /// Held while the table is asked for, so that many who miss it ask once.
    asked: tokio::sync::Mutex<Option<Asked>>,
}

/// The last time that the table was asked for.
#[derive(Debug)]
struct Asked {
    at: Time,
    outcome: Result<()>,
}

impl Cluster {
    pub(crate) fn new(
        seeds: Vec<Endpoint>,
        access: Access,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Self {
        let (map, asked) = (RwLock::new(Arc::new(Map::default())), tokio::sync::Mutex::new(None));
        let names: Vec<_> = seeds.iter().map(ToString::to_string).collect();
        let place = format!("the cluster of {}", names.join(", "));
        Cluster { seeds, access, connect_timeout, timeout, place, map, asked }
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Sends a command to the node that has the key, and on to another as long as it is told to.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        key: &str,
        make: impl Fn() -> Cmd + Send + Sync,
        bytes: usize,
        repeat: Repeat,
        deadline: Time,
    ) -> std::result::Result<Reply, Failure> {
        let slot = slot_of(key);
        let mut last: Option<Failure> = None;
        for _ in 0..MOST_HOPS {
            let map = Arc::clone(&self.map.read());
            let Some(node) = map.owner(slot) else {
                let changed = self.has_changed_since(&map, deadline).await;
                if changed.map_err(|error| Failure::new(error, Why::NotSent))? {
                    continue;
                }
                return Err(last.unwrap_or_else(|| Failure::new(unserved(slot), Why::NotSent)));
            };
            let failure = match self.hop(node, &make, bytes, slot, deadline).await {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => continue,
                Err(failure) => failure,
            };
            match failure.why {
                Why::Late => {
                    // No time is left for this call, but for those after it.
                    self.ask_in_background(map);
                    return Err(failure);
                }
                Why::Lost | Why::NotSent => {
                    let _ = self.has_changed_since(&map, deadline).await;
                    let has_moved =
                        self.map.read().owner(slot).is_some_and(|owner| !Arc::ptr_eq(owner, node));
                    let was_idle = failure.why == Why::Lost && last.is_none();
                    if !repeat.allows(&failure.why) || !has_moved && !was_idle {
                        return Err(failure);
                    }
                    last = Some(failure);
                }
                _ => return Err(failure),
            }
        }
        Err(last.unwrap_or_else(|| {
            let message =
                format!("the nodes of the Redis cluster sent a call from one to another {MOST_HOPS} times");
            Failure::new(Error::new(ErrorKind::Store, message), Why::Other)
        }))
    }

    /// Sends a command to one node; `None` if another has the slot now.
    async fn hop(
        &self,
        node: &Node,
        make: &(impl Fn() -> Cmd + Send + Sync),
        bytes: usize,
        slot: usize,
        deadline: Time,
    ) -> std::result::Result<Option<Reply>, Failure> {
        let mut answer = node.line.call(make(), bytes, deadline).await;
        if let Err(Failure { why: Why::Ask(detail), .. }) = &answer
            && let Some(endpoint) = redirect(detail, &node.endpoint)
        {
            // The slot is on its way there. The node answers for it only who says so.
            answer = self.node(&endpoint).line.call_after(true, make(), bytes, deadline).await;
        }
        match answer {
            Err(Failure { why: Why::Moved(detail), error }) => {
                let Some(endpoint) = redirect(&detail, &node.endpoint) else {
                    return Err(Failure::new(error, Why::Other));
                };
                let owner = self.node(&endpoint);
                let mut map = self.map.write();
                *map = Arc::new(map.with(slot, owner));
                Ok(None)
            }
            // It came back in the middle of its way; who has it is found out by asking again.
            Err(Failure { why: Why::Ask(_), .. }) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Asks for the table, unless there is another than `seen` or one was asked for just now. Returns whether there
    /// is another now.
    async fn has_changed_since(&self, seen: &Arc<Map>, deadline: Time) -> Result<bool> {
        let asking = async {
            let mut asked = self.asked.lock().await;
            if !Arc::ptr_eq(seen, &self.map.read()) {
                return Ok(true);
            }
            let now = SystemClock.now_exact();
            if let Some(last) = &*asked
                && now.since(last.at) < TABLE_LASTS
            {
                return last.outcome.clone().map(|()| false);
            }
            let outcome = self.refresh(deadline).await;
            *asked = Some(Asked { at: now, outcome: outcome.clone() });
            outcome.map(|()| true)
        };
        let left = deadline.since(SystemClock.now_exact());
        within(left, asking).await.unwrap_or_else(|| Err(self.nobody_answered()))
    }

    /// Asks for the table, for at most as long as a call takes.
    fn ask_in_background(self: &Arc<Self>, seen: Arc<Map>) {
        let cluster = Arc::clone(self);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let deadline = SystemClock.now_exact().after(self.timeout);
            runtime.spawn(async move { cluster.has_changed_since(&seen, deadline).await });
        }
    }

    /// Asks the nodes who has which slot.
    pub(crate) async fn refresh(&self, deadline: Time) -> Result<()> {
        let known = Arc::clone(&self.map.read());
        let seeds = self.seeds.iter().filter(|seed| known.node(seed).is_none()).map(|seed| self.node(seed));
        let nodes: Vec<_> = known.nodes().iter().cloned().chain(seeds).collect();
        let mut last = None;
        for nodes in nodes.chunks(ASKED_AT_ONCE) {
            match select_ok(nodes.iter().map(|node| table(node, deadline).boxed())).await {
                Ok(((table, asked), _)) => {
                    let map = Map::from_table(&table, &asked.endpoint, |endpoint| self.node(endpoint))?;
                    *self.map.write() = Arc::new(map);
                    return Ok(());
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| self.nobody_answered()))
    }

    /// All nodes that have slots.
    pub(crate) async fn masters(&self, deadline: Time) -> Result<Vec<Arc<Node>>> {
        let map = Arc::clone(&self.map.read());
        if map.nodes().is_empty() {
            self.has_changed_since(&map, deadline).await?;
        }
        Ok(self.map.read().nodes().to_vec())
    }

    /// The node that is known, or a new one.
    fn node(&self, endpoint: &Endpoint) -> Arc<Node> {
        let known = self.map.read().node(endpoint).cloned();
        known.unwrap_or_else(|| {
            let client = self.access.client(endpoint);
            let client =
                client.expect("the settings were good for another node, and only the address differs");
            let origin = Origin::Client(Box::new(client));
            let dialer = Dialer::new(origin, endpoint.to_string(), self.connect_timeout, None);
            Arc::new(Node { endpoint: endpoint.clone(), line: Line::new(dialer, self.timeout) })
        })
    }

    pub(crate) fn nobody_answered(&self) -> Error {
        let message =
            format!("no node of the Redis cluster said within {:?} who has which slot", self.timeout);
        Error::new(ErrorKind::Timeout, message)
    }
}

async fn table(node: &Arc<Node>, deadline: Time) -> Result<(Vec<Value>, Arc<Node>)> {
    let mut slots = cmd("CLUSTER");
    slots.arg("SLOTS");
    match node.line.call(slots, 0, deadline).await.map_err(|failure| failure.error)?.value {
        Value::Array(table) => Ok((table, Arc::clone(node))),
        _ => Err(fault::unexpected(node.line.place())),
    }
}

fn unserved(slot: usize) -> Error {
    let cure = "`redis-cli --cluster check` says what is missing";
    Error::new(ErrorKind::Store, format!("no node of the Redis cluster has the slot {slot}; {cure}"))
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("place", &self.place).finish_non_exhaustive()
    }
}
