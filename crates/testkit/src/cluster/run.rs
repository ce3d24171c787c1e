//! Runs a script: takes what is due next, lets the node that it concerns come to rest, and so on to the end.

use super::agenda::Due;
use super::bus::{Heard, hear};
use super::checker::{Breach, Promises, check};
use super::history::History;
use super::operations::Operation;
use super::process::{Assemble, Process};
use super::rest::Spins;
use super::script::{Script, Setup, Step};
use super::seams::Seams;
use super::troubles::{Trouble, calm, suffer};
use super::world::World;
use larder_core::{Clock, Tick};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) history: History,
    pub(crate) verdict: Result<(), Wrong>,
    /// Events that the world went through, and its time at the end.
    pub(crate) events: u64,
    pub(crate) time: Duration,
}

/// What was wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Breach(Breach),
    /// A node's tasks never came to rest.
    Spins(usize),
    Panicked(String),
}

/// A node, and the process on it, if it is up.
struct Node {
    process: Option<Process>,
    life: u32,
    is_paused: bool,
    /// What waits for the node to go on.
    heard: Vec<Heard>,
    steps: Vec<Step>,
}

struct Run<'a> {
    world: Arc<World>,
    script: &'a Script,
    setup: Arc<Setup>,
    assemble: &'a Assemble,
    nodes: Vec<Node>,
    events: u64,
}

/// For how long calls may take when all is well. A clear has 30 s for each level that does not answer.
const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) fn run(script: &Script, assemble: &Assemble, promises: &Promises) -> Ran {
    let world = World::new(script.setup.seed, script);
    let mut run = Run {
        world: Arc::clone(&world),
        setup: Arc::new(script.setup.clone()),
        nodes: Vec::new(),
        events: 0,
        script,
        assemble,
    };
    let ran = catch_unwind(AssertUnwindSafe(|| run.play()));
    let (events, time) = (run.events, world.agenda.now());
    drop(run);
    // Messages that nobody waits for any more hold on to the world.
    world.agenda.clear();
    let history = std::mem::take(&mut *world.history.lock());
    let verdict = match ran {
        Err(panic) => Err(Wrong::Panicked(message(&*panic))),
        Ok(Err(wrong)) => Err(wrong),
        Ok(Ok(())) => check(&history, promises).map_err(Wrong::Breach),
    };
    Ran { history, verdict, events, time }
}

impl Run<'_> {
    fn play(&mut self) -> Result<(), Wrong> {
        for node in 0..self.setup.nodes {
            let empty =
                Node { process: None, life: 0, is_paused: false, heard: Vec::new(), steps: Vec::new() };
            self.nodes.push(empty);
            self.begin(node)?;
        }
        for (number, step) in self.script.steps.iter().enumerate() {
            self.world.agenda.add(step.at, Due::Step(number));
        }
        for (number, (at, _)) in self.script.troubles.iter().enumerate() {
            self.world.agenda.add(*at, Due::Fault(number));
        }
        self.world.agenda.add(Duration::from_secs(1), Due::Tick);
        self.until(self.script.length)?;

        self.calm()?;
        // What was under way ends, bounds pass, breakers close.
        self.until(self.script.length + Duration::from_secs(5))?;
        for node in 0..self.setup.nodes {
            for key in 0..self.setup.keys {
                let operations = vec![Operation::Get(key), Operation::Load(key)];
                self.take(node, Step { at: Duration::ZERO, node, writes: None, operations })?;
            }
        }
        let patience = self.world.agenda.now() + PATIENCE;
        while !self.is_quiet() && self.one(patience)? {}
        for node in &mut self.nodes {
            node.process.as_mut().into_iter().for_each(Process::pass_on_panics);
        }
        Ok(())
    }

    fn until(&mut self, last: Duration) -> Result<(), Wrong> {
        while self.one(last)? {}
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        self.world.history.lock().open == 0
    }

    /// Does what is due next. Returns whether there was anything until `last`.
    fn one(&mut self, last: Duration) -> Result<bool, Wrong> {
        let Some(due) = self.world.agenda.next(last) else { return Ok(false) };
        self.events += 1;
        match due {
            Due::Wake(node, waker) => {
                waker.wake();
                self.settle(node)?;
            }
            Due::Act(node, act) => {
                act(&self.world);
                node.map_or(Ok(()), |node| self.settle(node))?;
            }
            Due::Hear(node, heard) => self.hear(node, heard)?,
            Due::Step(number) => {
                let step = self.script.steps[number].clone();
                self.take(step.node, step)?;
            }
            Due::Fault(number) => self.suffer(&self.script.troubles[number].1)?,
            Due::Tick => self.tick()?,
        }
        Ok(true)
    }

    /// Lets the tasks of a node run until they wait, unless it stands still.
    fn settle(&mut self, node: usize) -> Result<(), Wrong> {
        match &self.nodes[node] {
            Node { process: Some(process), is_paused: false, .. } => {
                process.settle().map_err(|Spins| Wrong::Spins(node))
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, number: usize, step: Step) -> Result<(), Wrong> {
        let node = &mut self.nodes[number];
        match &mut node.process {
            // Nobody calls a process that is not there.
            None => return Ok(()),
            Some(_) if node.is_paused => node.steps.push(step),
            Some(process) => process.take(&step),
        }
        self.settle(number)
    }

    fn hear(&mut self, number: usize, heard: Heard) -> Result<(), Wrong> {
        let node = &mut self.nodes[number];
        match &node.process {
            None => return Ok(()),
            Some(_) if node.is_paused => node.heard.push(heard),
            Some(process) => process.inside(|| hear(&self.world, number, &heard)),
        }
        self.settle(number)
    }

    fn tick(&mut self) -> Result<(), Wrong> {
        for number in 0..self.nodes.len() {
            let node = &self.nodes[number];
            if let Some(process) = node.process.as_ref().filter(|_| !node.is_paused) {
                let jobs: Vec<Weak<dyn Tick>> = {
                    let mut jobs = self.world.jobs.lock();
                    jobs[number].retain(|job| job.strong_count() > 0);
                    jobs[number].clone()
                };
                let now = super::NodeClock::new(&self.world, number).now();
                process.inside(|| jobs.iter().filter_map(Weak::upgrade).for_each(|job| job.tick(now)));
                self.settle(number)?;
            }
        }
        self.world.agenda.after(Duration::from_secs(1), Due::Tick);
        Ok(())
    }

    fn suffer(&mut self, trouble: &Trouble) -> Result<(), Wrong> {
        suffer(&self.world, trouble);
        match *trouble {
            Trouble::Crash(node) => {
                self.crash(node);
                Ok(())
            }
            Trouble::Begin(node) => self.begin(node),
            Trouble::Pause(node) => {
                self.nodes[node].is_paused = true;
                Ok(())
            }
            Trouble::Resume(node) => self.resume(node),
            _ => Ok(()),
        }
    }

    /// Has a process begin on a node, unless one is there.
    fn begin(&mut self, number: usize) -> Result<(), Wrong> {
        let node = &mut self.nodes[number];
        if node.process.is_none() {
            let seams = Seams::new(&self.world, number, node.life, &self.setup);
            node.process = Some(Process::begin(seams, node.life, self.assemble));
        }
        self.settle(number)
    }

    fn crash(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.is_paused = false;
        node.heard.clear();
        node.steps.clear();
        if let Some(mut process) = node.process.take() {
            process.pass_on_panics();
            node.life += 1;
            drop(process);
            self.world.bus.lock().forget(number);
            self.world.jobs.lock()[number].clear();
            let at = self.world.agenda.moment();
            self.world.history.lock().cut_off(number, at);
        }
    }

    fn resume(&mut self, number: usize) -> Result<(), Wrong> {
        let node = &mut self.nodes[number];
        if !std::mem::replace(&mut node.is_paused, false) {
            return Ok(());
        }
        let (heard, steps) = (std::mem::take(&mut node.heard), std::mem::take(&mut node.steps));
        for heard in heard {
            self.hear(number, heard)?;
        }
        for step in steps {
            self.take(number, step)?;
        }
        self.settle(number)
    }

    /// Ends all troubles.
    fn calm(&mut self) -> Result<(), Wrong> {
        calm(&self.world, self.nodes.len());
        for node in 0..self.nodes.len() {
            self.resume(node)?;
            self.begin(node)?;
        }
        Ok(())
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::history::Answer;
    use crate::cluster::operations::assemble;
    use crate::cluster::options::ClusterOptions;

    const PROMISES: Promises = Promises { bound: None };

    /// A node which loads key 0, suffers this, and looks at key 0 again without loading.
    fn look_after(troubles: &[(u64, Trouble)]) -> History {
        let options = ClusterOptions::new().nodes(1..=1).faults(&[]);
        let mut script = Script::of(1, &options);
        (script.setup.memory, script.setup.memory_ttl) = (vec![true], Duration::from_secs(60));
        (script.setup.ttl, script.setup.bound) = (Duration::from_secs(60), Duration::from_secs(60));
        let step = |at, operation| Step {
            at: Duration::from_secs(at),
            node: 0,
            writes: None,
            operations: vec![operation],
        };
        script.steps = vec![step(1, Operation::Load(0)), step(11, Operation::GetNow(0))];
        let troubles = troubles.iter().map(|(at, trouble)| (Duration::from_secs(*at), trouble.clone()));
        script.troubles = troubles.collect();
        script.length = Duration::from_secs(20);
        let ran = run(&script, &assemble, &PROMISES);
        assert_eq!(ran.verdict, Ok(()));
        ran.history
    }

    fn answer(history: &History, call: usize) -> &Answer {
        &history.calls[call].end.as_ref().unwrap().1
    }

    #[test]
    fn a_crash_loses_the_memory() {
        assert!(matches!(answer(&look_after(&[]), 1), Answer::Read(Some(_))));
        let crashed = look_after(&[(9, Trouble::Crash(0)), (10, Trouble::Begin(0))]);
        assert_eq!(*answer(&crashed, 1), Answer::Read(None));
        assert_eq!((crashed.calls[0].life, crashed.calls[1].life), (0, 1));
    }

    #[test]
    fn nobody_calls_a_process_that_is_not_there() {
        let crashed = look_after(&[(9, Trouble::Crash(0)), (12, Trouble::Begin(0))]);
        assert!(!crashed.calls.iter().any(|call| call.operation == Operation::GetNow(0)));
    }

    #[test]
    fn a_process_that_stands_still_goes_on_where_it_was() {
        let paused = look_after(&[(9, Trouble::Pause(0)), (15, Trouble::Resume(0))]);
        assert!(matches!(answer(&paused, 1), Answer::Read(Some(_))));
        assert_eq!(paused.calls[1].began.time, Duration::from_secs(15));

        let loading = look_after(&[(1, Trouble::Pause(0)), (9, Trouble::Resume(0))]);
        let (ended, _) = loading.calls[0].end.as_ref().unwrap();
        assert!(ended.time >= Duration::from_secs(9), "nothing ran meanwhile");
        assert!(matches!(answer(&loading, 0), Answer::Read(Some(_))));
    }

    #[test]
    fn who_may_join_what_is_under_way_is_not_taken_for_one_who_asks_alone() {
        let mut script = Script::of(1, &ClusterOptions::new().nodes(1..=1).faults(&[]));
        let load = |at| {
            let operations = vec![Operation::Load(0)];
            Step { at: Duration::from_millis(at), node: 0, writes: None, operations }
        };
        script.setup.memory = vec![true];
        (script.steps, script.troubles) = (vec![load(0), load(0)], Vec::new());
        let history = run(&script, &assemble, &PROMISES).history;
        let from_nothing: Vec<_> = history.calls[..2].iter().map(|call| call.from_nothing).collect();
        assert_eq!(from_nothing, [true, false]);
    }

    #[test]
    fn the_same_seed_is_the_same_history_event_for_event() {
        for seed in 0..60 {
            let script = Script::of(seed, &ClusterOptions::new());
            let first = run(&script, &assemble, &PROMISES);
            let again = run(&script, &assemble, &PROMISES);
            assert!(first.history == again.history, "seed {seed}");
            assert!(first.history.notes.len() > 50);
        }
    }
}
