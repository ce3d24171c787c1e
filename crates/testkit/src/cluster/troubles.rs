//! What goes wrong in a run, and when.

use super::agenda::Due;
use super::bus::Heard;
use super::history::Note;
use super::network::Place;
use super::options::Fault;
use super::random::Random;
use super::script::Setup;
use super::world::World;
use std::sync::Arc;
use std::time::Duration;

/// One thing that goes wrong, or is well again. Each can be taken out of a script without the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trouble {
    Cut(usize, Place),
    Mend(usize, Place),
    /// The bus's connection of a node is made again.
    Reconnect(usize),
    /// The wall clock of a node steps by so many milliseconds.
    StepClock(usize, i64),
    Crash(usize),
    Begin(usize),
    Pause(usize),
    Resume(usize),
    Flush,
    Restart,
    FailOver(usize),
    LoseMarks,
    Down,
    Up,
    Evict,
    LoseGuards,
}

/// Draws what goes wrong in a run of this length.
pub(crate) fn troubles(
    faults: &[Fault],
    setup: &Setup,
    length: Duration,
    random: &mut Random,
) -> Vec<(Duration, Trouble)> {
    let mut troubles = Vec::new();
    for fault in faults {
        for _ in 0..random.below(4) {
            let at = random.millis(0, u64::try_from(length.as_millis()).expect("runs are shorter"));
            draw(*fault, at, setup, random, &mut troubles);
        }
    }
    troubles.sort_by_key(|(at, _)| *at);
    troubles
}

fn draw(
    fault: Fault,
    at: Duration,
    setup: &Setup,
    random: &mut Random,
    troubles: &mut Vec<(Duration, Trouble)>,
) {
    let node = random.place(setup.nodes);
    let later = at + if random.happens(500) { random.millis(50, 700) } else { random.millis(700, 6_000) };
    match fault {
        Fault::Partitions => {
            let one = [random.one_of(&Place::ALL)];
            let places: &[Place] = if random.happens(400) { &Place::ALL } else { &one };
            for place in places {
                troubles.extend([(at, Trouble::Cut(node, *place)), (later, Trouble::Mend(node, *place))]);
            }
        }
        Fault::Bus => troubles.push((at, Trouble::Reconnect(node))),
        Fault::Clocks => {
            troubles.push((at, Trouble::StepClock(node, random.below(10_001).cast_signed() - 5_000)));
        }
        Fault::Crashes => troubles.extend([(at, Trouble::Crash(node)), (later, Trouble::Begin(node))]),
        Fault::Pauses => troubles.extend([(at, Trouble::Pause(node)), (later, Trouble::Resume(node))]),
        Fault::Flushes => troubles.push((at, Trouble::Flush)),
        Fault::Restarts => troubles.push((at, Trouble::Restart)),
        Fault::Failovers => troubles.push((at, Trouble::FailOver(1 + random.place(6)))),
        Fault::LostMarks => troubles.push((at, Trouble::LoseMarks)),
        Fault::Outages => troubles.extend([(at, Trouble::Down), (later, Trouble::Up)]),
        Fault::Evictions => troubles.extend((0..3).map(|_| (at, Trouble::Evict))),
        Fault::LostGuards => troubles.push((at, Trouble::LoseGuards)),
        // The network and the database have these all the time.
        Fault::LateMessages | Fault::LostMessages | Fault::FailedLoads => {}
    }
}

/// Has the world suffer it. What happens to the processes of nodes is for who runs them.
pub(crate) fn suffer(world: &Arc<World>, trouble: &Trouble) {
    let mut told = format!("{trouble:?}");
    match trouble {
        Trouble::Cut(node, place) => world.network.lock().cut(*node, *place),
        Trouble::Mend(node, place) => mend(world, *node, *place),
        Trouble::Reconnect(node) => reconnect(world, *node),
        Trouble::StepClock(node, by) => world.walls.lock()[*node].ahead += by,
        Trouble::Flush => world.shared.lock().flush(),
        Trouble::Restart => world.shared.lock().restart(),
        Trouble::FailOver(lacking) => {
            let lacking = world.shared.lock().fail_over(*lacking);
            told = format!("a replica takes over that lacks the last {lacking} writes");
        }
        Trouble::LoseMarks => world.shared.lock().lose_marks(),
        Trouble::Down => world.shared.lock().down = true,
        Trouble::Up => world.shared.lock().down = false,
        Trouble::Evict => {
            let evicted = world.shared.lock().evict();
            told = format!("evicted: {evicted:?}");
        }
        Trouble::LoseGuards => world.shared.lock().lose_guards(),
        Trouble::Crash(_) | Trouble::Begin(_) | Trouble::Pause(_) | Trouble::Resume(_) => {}
    }
    world.note(Note::Fault(told));
}

/// Ends all that is wrong outside of the nodes.
pub(crate) fn calm(world: &Arc<World>, nodes: usize) {
    for node in 0..nodes {
        for place in Place::ALL {
            mend(world, node, place);
        }
    }
    world.network.lock().calm();
    world.database.lock().calm();
    world.shared.lock().down = false;
    world.note(Note::Fault("all is well from here on".into()));
}

fn mend(world: &Arc<World>, node: usize, place: Place) {
    let was_cut = world.network.lock().mend(node, place);
    if was_cut && place == Place::Bus {
        reconnect(world, node);
    }
}

fn reconnect(world: &Arc<World>, node: usize) {
    let delay = world.network.lock().delay();
    world.agenda.after(delay, Due::Hear(node, Heard::Reconnected));
}
