//! What a seed decides before a run begins: how everything is set up, what is done, and what goes wrong.

use super::database::{COMMON_ROW, rows_of};
use super::log_state::Kept;
use super::network::Weather;
use super::node_clock::Wall;
use super::operations::{Operation, invalidations_of};
use super::options::{ClusterOptions, Fault};
use super::random::Random;
use super::shared_server::SharedSettings;
use super::troubles::{Trouble, troubles};
use std::time::Duration;

/// See the module. Steps and troubles can be taken out, and the rest stays as it is.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) setup: Setup,
    pub(crate) steps: Vec<Step>,
    pub(crate) troubles: Vec<(Duration, Trouble)>,
    /// When the last step has begun and troubles end.
    pub(crate) length: Duration,
}

/// How a cluster is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) keys: u64,
    pub(crate) walls: Vec<Wall>,
    pub(crate) weather: Weather,
    pub(crate) shared: SharedSettings,
    pub(crate) failing_loads: u64,
    /// Which nodes have a memory in front.
    pub(crate) memory: Vec<bool>,
    pub(crate) memory_room: usize,
    pub(crate) memory_ttl: Duration,
    pub(crate) ttl: Duration,
    pub(crate) stale: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) lower: bool,
    /// Whether the shared level, and the lower one, are written behind.
    pub(crate) behind: (bool, bool),
    pub(crate) behind_every: Duration,
    /// How long copies in memory are served without asking.
    pub(crate) bound: Duration,
    pub(crate) has_bus: bool,
    /// Whether calls are for several keys at once.
    pub(crate) in_bulk: bool,
}

/// Something that a node does: changes a row, perhaps, and then makes these calls, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) node: usize,
    pub(crate) writes: Option<u64>,
    pub(crate) operations: Vec<Operation>,
}

impl Script {
    pub(crate) fn of(seed: u64, options: &ClusterOptions) -> Self {
        let mut random = Random::of(seed, "script");
        // A run in which everything goes wrong shows less than many in which a few things do.
        let faults: Vec<_> = options.faults.iter().copied().filter(|_| random.happens(500)).collect();
        let setup = setup(seed, options, &faults, &mut random);
        let span = options.steps.end() - options.steps.start() + 1;
        let count = options.steps.start() + random.place(span);
        let mut at = Duration::ZERO;
        let steps: Vec<_> = (0..count)
            .map(|_| {
                at += pause(&mut random);
                step(at, &setup, &mut random)
            })
            .collect();
        let troubles = troubles(&faults, &setup, at, &mut random);
        Script { setup, steps, troubles, length: at + Duration::from_secs(1) }
    }
}

/// Steps come in bursts, so that what they begin is under way together.
fn pause(random: &mut Random) -> Duration {
    match random.below(10) {
        0..6 => random.millis(0, 20),
        6..9 => random.millis(10, 300),
        _ => random.millis(300, 3_000),
    }
}

fn step(at: Duration, setup: &Setup, random: &mut Random) -> Step {
    let node = random.place(setup.nodes);
    let key = random.below(setup.keys);
    let row = if random.happens(150) { COMMON_ROW } else { rows_of(key)[0] };
    let (writes, operations) = match random.below(100) {
        0..38 => (None, vec![Operation::Load(key)]),
        38..50 => (None, vec![Operation::Get(key)]),
        50..58 => (None, vec![Operation::Lookup(key)]),
        58..64 => (None, vec![Operation::GetNow(key)]),
        64..84 => (Some(row), invalidations_of(row, setup.keys, random.happens(600))),
        84..91 => (Some(rows_of(key)[0]), vec![Operation::Insert(key)]),
        91..93 => (Some(rows_of(key)[0]), vec![Operation::Expire(key)]),
        93..95 => (Some(row), vec![Operation::ExpireTag(row)]),
        95..97 => (None, vec![Operation::Remove(key), Operation::Load(key)]),
        97..99 => {
            (Some(rows_of(key)[0]), vec![Operation::Remove(key), Operation::Get(key), Operation::Load(key)])
        }
        _ => (None, vec![Operation::Clear]),
    };
    Step { at, node, writes, operations }
}

fn setup(seed: u64, options: &ClusterOptions, faults: &[Fault], random: &mut Random) -> Setup {
    let has = |fault| faults.contains(&fault);
    let nodes = options.nodes.start() + random.place(options.nodes.end() - options.nodes.start() + 1);
    let wall = |random: &mut Random| {
        if !has(Fault::Clocks) {
            return Wall::default();
        }
        // From 5 s behind to 5 s ahead; up to 200 microseconds a second too slow or too fast.
        let [ahead, drift] =
            [5_000, 200].map(|most| random.below(2 * most + 1).cast_signed() - most.cast_signed());
        Wall { ahead, drift }
    };
    let weather = Weather {
        usual: random.one_of(&[(100, 800), (200, 5_000), (500, 30_000)]),
        late: if has(Fault::LateMessages) { (random.one_of(&[10, 50, 150]), 4_000) } else { (0, 0) },
        lost: if has(Fault::LostMessages) { random.one_of(&[5, 30, 100]) } else { 0 },
        bus: if has(Fault::Bus) { (random.one_of(&[0, 100, 600, 1_000]), 200) } else { (0, 0) },
        connections: random.one_of(&[1, 2, 8]),
    };
    let kept = Kept {
        tags: random.one_of(&[1, 3, 1_000]),
        keys: random.one_of(&[1, 3, 1_000]),
        tail: random.one_of(&[1, 4, 1_000]),
    };
    let lag = if has(Fault::Failovers) { 6 } else { 0 };
    let secs = Duration::from_secs;
    Setup {
        seed,
        nodes,
        keys: 2 + random.below(5),
        walls: (0..nodes).map(|_| wall(random)).collect(),
        weather,
        shared: SharedSettings { split: random.happens(250), kept, lag },
        failing_loads: if has(Fault::FailedLoads) { 150 } else { 0 },
        memory: (0..nodes).map(|_| random.happens(850)).collect(),
        memory_room: random.one_of(&[2, 4, 100]),
        memory_ttl: random.one_of(&[secs(2), secs(60), secs(600)]),
        ttl: random.one_of(&[secs(3), secs(60), secs(600)]),
        stale: random.happens(300).then(|| secs(60)),
        stale_if_error: random.happens(300).then(|| secs(600)),
        lower: random.happens(400),
        behind: (random.happens(150), random.happens(250)),
        behind_every: random.one_of(&[Duration::ZERO, secs(1)]),
        bound: options.bound.unwrap_or(secs(1)),
        has_bus: random.happens(600),
        in_bulk: options.in_bulk,
    }
}
