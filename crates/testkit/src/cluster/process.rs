//! One process of a cluster: a runtime of its own, a cache, and what it is doing.

use super::database;
use super::history::Call;
use super::operations::{Operation, carry_out};
use super::page::Page;
use super::rest::{Rest, Spins};
use super::script::Step;
use super::seams::Seams;
use larder_core::Cache;
use std::panic::resume_unwind;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How a node's cache is assembled.
pub(crate) type Assemble = dyn Fn(&Seams) -> Cache<u64, Page> + Send + Sync;

/// A process. Dropping it is its crash: the runtime goes with all tasks, and then the cache.
pub(crate) struct Process {
    runtime: Runtime,
    rest: Arc<Rest>,
    life: u32,
    steps: Vec<JoinHandle<()>>,
    cache: Cache<u64, Page>,
    seams: Seams,
}

impl Process {
    pub(crate) fn begin(seams: Seams, life: u32, assemble: &Assemble) -> Self {
        let rest = Arc::clone(&seams.world().rest);
        let parks = Arc::clone(&rest);
        let runtime = Builder::new_current_thread()
            .on_thread_park(move || parks.reach())
            .build()
            .expect("a runtime without drivers needs nothing of the system");
        let cache = {
            let _inside = runtime.enter();
            assemble(&seams)
        };
        Process { runtime, rest, life, steps: Vec::new(), cache, seams }
    }

    /// Does something in this process that is no task.
    pub(crate) fn inside(&self, work: impl FnOnce()) {
        let _inside = self.runtime.enter();
        work();
    }

    /// Runs all tasks until each waits for something.
    pub(crate) fn settle(&self) -> Result<(), Spins> {
        self.rest.settle(&self.runtime)
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let work = perform(self.seams.clone(), self.cache.clone(), self.life, step.clone());
        self.steps.push(self.runtime.spawn(work));
    }

    /// Panics as a step did that has ended, if one did.
    pub(crate) fn pass_on_panics(&mut self) {
        for step in self.steps.extract_if(.., |step| step.is_finished()) {
            if let Err(cut) = self.runtime.block_on(step)
                && cut.is_panic()
            {
                resume_unwind(cut.into_panic());
            }
        }
    }
}

async fn perform(seams: Seams, cache: Cache<u64, Page>, life: u32, step: Step) {
    let (world, node) = (seams.world(), seams.node());
    if let Some(row) = step.writes {
        database::write(&world, row);
    }
    for operation in step.operations {
        let key = operation.key();
        let inserted = match operation {
            Operation::Insert(key) => Some(database::page(&world, key)),
            _ => None,
        };
        let memory_has_it = |key| seams.has_memory() && seams.memory().holds(key);
        // What waits to be written is a copy of this process's own, as what is in its memory.
        let queues =
            cache.stats().levels.iter().any(|level| level.pending.is_some_and(|pending| pending > 0));
        let is_alone = |key| !world.is_busy(node, key) && !memory_has_it(key);
        let from_nothing = key.is_some_and(|key| !queues && (!seams.has_memory() || is_alone(key)));
        let began = world.agenda.moment();
        let call = Call { node, life, operation, began, from_nothing, inserted: inserted.clone(), end: None };
        let number = world.history.lock().begin(call);
        let doing = world.doing(node, key);
        let answer = carry_out(&seams, &cache, operation, inserted).await;
        drop(doing);
        let ended = world.agenda.moment();
        world.history.lock().end(number, ended, answer);
    }
}
