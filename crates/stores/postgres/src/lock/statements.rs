//! The table of the leases, and what is asked of it.

use crate::options::PostgresOptions;
use crate::statements::{Needs, Sql};
use crate::table::{Shape, Table};

/// So many leases that nobody ended are removed with each that somebody ends.
const SWEPT: usize = 8;

const LEASES: Shape = Shape {
    columns: &[
        ("id", "bytea", false),
        ("token", "bytea", false),
        ("ends_at", "timestamp with time zone", false),
        ("lasts", "interval", false),
    ],
    key: &["id"],
};

/// Returns the table of the leases. What is lost with a crash is a few leases, so it is never logged.
pub(crate) fn table(options: &PostgresOptions) -> Table {
    let name = options.quoted_beside("_leases");
    let create = vec![
        format!(
            "CREATE UNLOGGED TABLE {name} (id bytea PRIMARY KEY, token bytea NOT NULL, \
             ends_at timestamptz NOT NULL, lasts interval NOT NULL)"
        ),
        format!("CREATE INDEX ON {name} (ends_at)"),
    ];
    Table::new(name, create, LEASES)
}

#[derive(Debug)]
pub(crate) struct LeaseStatements {
    pub(crate) acquire: Sql,
    pub(crate) renew: Sql,
    pub(crate) release: Sql,
    pub(crate) left: Sql,
}

impl LeaseStatements {
    pub(crate) fn new(options: &PostgresOptions) -> Self {
        let leases = options.quoted_beside("_leases");
        // One that ends later than it can is from before the server's clock went back. The time is that of the moment at
        // which a row is looked at, which may be long after the statement began to wait for it.
        let lasts = "l.ends_at > clock_timestamp() AND l.ends_at <= clock_timestamp() + l.lasts";
        let span = "$3::float8 * interval '1 second'";
        let sql = |text| Sql::new(Needs::Leases, text);
        LeaseStatements {
            // With a token that is ours alone it may run twice.
            acquire: sql(format!(
                "INSERT INTO {leases} AS l (id, token, ends_at, lasts) \
                 VALUES ($1, $2, clock_timestamp() + {span}, {span}) ON CONFLICT (id) DO UPDATE \
                 SET token = excluded.token, ends_at = excluded.ends_at, lasts = excluded.lasts \
                 WHERE l.token = excluded.token OR NOT ({lasts}) RETURNING 1"
            )),
            renew: sql(format!(
                "UPDATE {leases} AS l SET ends_at = clock_timestamp() + {span}, lasts = {span} \
                 WHERE l.id = $1 AND l.token = $2 AND {lasts} RETURNING 1"
            )),
            release: sql(format!(
                "WITH released AS (DELETE FROM {leases} AS l WHERE l.id = $1 AND l.token = $2 RETURNING l.id), \
                 over AS MATERIALIZED (SELECT l.id FROM {leases} AS l WHERE l.ends_at <= clock_timestamp() \
                 AND l.id <> $1 ORDER BY l.ends_at LIMIT {SWEPT} FOR UPDATE SKIP LOCKED), \
                 swept AS (DELETE FROM {leases} AS l USING over WHERE l.id = over.id) \
                 SELECT pg_notify($3, $4) FROM released"
            )),
            left: sql(format!(
                "SELECT extract(epoch FROM l.ends_at - clock_timestamp())::float8 FROM {leases} AS l \
                 WHERE l.id = $1 AND {lasts}"
            )),
        }
    }
}
