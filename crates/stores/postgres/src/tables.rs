//! What a store needs in the database: looked at, and made if it is not there, before the first statement that needs it.

use crate::lock;
use crate::log::LogTables;
use crate::options::PostgresOptions;
use crate::statements::Needs;
use crate::table::Table;
use deadpool_postgres::Client;
use larder_core::Result;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::sync::Mutex;

pub(crate) struct Tables {
    records: Table,
    log: LogTables,
    leases: Table,
    has_records: Known,
    has_log: Known,
    has_leases: Known,
}

impl Tables {
    pub(crate) fn new(options: &PostgresOptions) -> Self {
        Tables {
            records: Table::records(options),
            log: LogTables::new(options),
            leases: lock::table(options),
            has_records: Known::default(),
            has_log: Known::default(),
            has_leases: Known::default(),
        }
    }

    /// Returns the statements that make all of it.
    pub(crate) fn create(&self, unlogged: bool) -> Vec<String> {
        let (records, leases) = (self.records.create(), self.leases.create());
        [records, &self.log.create(unlogged), leases].concat()
    }

    /// Makes what a statement needs, unless it is known to be there.
    pub(crate) async fn ensure(&self, needs: Needs, client: &mut Client, place: &str) -> Result<()> {
        match needs {
            Needs::Nothing => Ok(()),
            Needs::Leases => self.has_leases.or_make(self.leases.ensure(client, place)).await,
            Needs::Records => self.has_records.or_make(self.records.ensure(client, place)).await,
            Needs::Log => {
                let make = async {
                    self.has_records.or_make(self.records.ensure(client, place)).await?;
                    self.log.ensure(client, place).await
                };
                self.has_log.or_make(make).await
            }
        }
    }

    /// Takes back that all is there: something turned out to be gone.
    pub(crate) fn forget(&self) {
        for known in [&self.has_records, &self.has_log, &self.has_leases] {
            known.is_there.store(false, Relaxed);
        }
    }
}

/// Whether something was found usable.
#[derive(Default)]
struct Known {
    is_there: AtomicBool,
    /// Held while it is made, across awaits: the others need not try as well.
    making: Mutex<()>,
}

impl Known {
    async fn or_make(&self, make: impl Future<Output = Result<()>> + Send) -> Result<()> {
        if !self.is_there.load(Relaxed) {
            let _making = self.making.lock().await;
            if !self.is_there.load(Relaxed) {
                make.await?;
                self.is_there.store(true, Relaxed);
            }
        }
        Ok(())
    }
}
