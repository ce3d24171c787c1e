//! What both fakes share: a record of calls, gates, and failures on demand.

use crate::Gate;
use larder_core::{Error, Operation, Result};
use parking_lot::Mutex;

/// The calls that a fake store received, in order, and what it was told to do about them.
#[derive(Debug)]
pub(crate) struct Calls {
    made: Mutex<Vec<Operation>>,
    failing: Mutex<Vec<Operation>>,
    read: Gate,
    write: Gate,
    remove: Gate,
    clear: Gate,
}

impl Calls {
    pub(crate) fn new() -> Self {
        Calls {
            made: Mutex::default(),
            failing: Mutex::default(),
            read: Gate::new(),
            write: Gate::new(),
            remove: Gate::new(),
            clear: Gate::new(),
        }
    }

    pub(crate) fn gate(&self, operation: Operation) -> &Gate {
        match operation {
            Operation::Read => &self.read,
            Operation::Write => &self.write,
            Operation::Remove => &self.remove,
            Operation::Clear => &self.clear,
            other => unreachable!("stores know no {other:?}"),
        }
    }

    pub(crate) fn note(&self, operation: Operation) {
        self.made.lock().push(operation);
    }

    /// Notes the call, passes its gate if there is one, and fails if it was told to.
    pub(crate) async fn enter(&self, operation: Operation, gated: bool) -> Result<()> {
        self.note(operation);
        if gated {
            self.gate(operation).pass().await;
        }
        if self.failing.lock().contains(&operation) {
            return Err(Error::store("the fake was told to fail"));
        }
        Ok(())
    }

    pub(crate) fn made(&self) -> Vec<Operation> {
        self.made.lock().clone()
    }

    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.made.lock().iter().filter(|made| **made == operation).count()
    }

    pub(crate) fn fail(&self, operations: &[Operation]) {
        *self.failing.lock() = operations.to_vec();
    }
}
