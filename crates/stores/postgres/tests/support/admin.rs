//! A connection past the store, to look at what it does and to get in its way.

use std::process::Command;
use tokio_postgres::{Client, NoTls};

/// A connection of the driver.
pub(crate) struct Admin(pub(crate) Client);

impl Admin {
    pub(crate) async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(async { drop(connection.await) });
        Admin(client)
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.0.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.0.query_one(sql, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn text(&self, sql: &str) -> String {
        self.0.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The processes that serve the store's connections to this database, the one used last first.
    pub(crate) async fn backends(&self) -> Vec<i32> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'larder' \
                   AND datname = current_database() ORDER BY state_change DESC";
        self.0.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Waits until so many of the store's statements wait for a lock.
    pub(crate) async fn wait_for_lock_waiters(&self, waiters: i64) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'larder' \
                   AND datname = current_database() AND wait_event_type = 'Lock'";
        while self.number(sql).await != waiters {
            tokio::task::yield_now().await;
        }
    }
}

/// Sends a signal to processes of a test's own server.
pub(crate) fn signal(name: &str, processes: &[i32]) {
    for process in processes {
        let status = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status().unwrap();
        assert!(status.success());
    }
}
