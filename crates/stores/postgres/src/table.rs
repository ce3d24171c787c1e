//! A table: made once, by whoever comes first, and looked at before it is used.

use crate::failure::{self, READ_ONLY};
use crate::options::PostgresOptions;
use deadpool_postgres::Client;
use larder_core::{Error, Result};
use tokio_postgres::Error as DriverError;

/// Held while something is made: of many processes that start at once, one makes it. `CREATE TABLE IF NOT EXISTS` alone
/// fails in some of them.
const LOCK: i64 = 0x6C61_7264_6572_0001;

/// Name, type and whether it may be null, of a column.
type Column = (&'static str, &'static str, bool);

/// What a table must have so that we can use it.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) columns: &'static [Column],
    /// The columns that tell rows apart, by their names in alphabetical order.
    pub(crate) key: &'static [&'static str],
}

const RECORDS: Shape = Shape {
    columns: &[
        ("namespace", "text", false),
        ("key", "bytea", false),
        ("value", "bytea", true),
        ("token", "bytea", false),
        ("expires_at", "timestamp with time zone", true),
    ],
    key: &["key", "namespace"],
};

#[derive(Debug)]
pub(crate) struct Table {
    /// As SQL names it.
    name: String,
    create: Vec<String>,
    shape: Shape,
}

impl Table {
    /// The table of the records.
    pub(crate) fn records(options: &PostgresOptions) -> Self {
        let (name, unlogged) = (options.quoted_table(), if options.unlogged { "UNLOGGED " } else { "" });
        let create = vec![
            format!(
                "CREATE {unlogged}TABLE {name} (namespace text COLLATE \"C\" NOT NULL, key bytea NOT NULL, \
                 value bytea, token bytea NOT NULL, expires_at timestamptz, PRIMARY KEY (namespace, key))"
            ),
            // The server finds a name: ours might be too long, or taken.
            format!("CREATE INDEX ON {name} (expires_at)"),
        ];
        Table::new(name, create, RECORDS)
    }

    /// A table of this name, which these statements make.
    pub(crate) fn new(name: String, create: Vec<String>, shape: Shape) -> Self {
        Table { name, create, shape }
    }

    /// Returns the statements that make it.
    pub(crate) fn create(&self) -> &[String] {
        &self.create
    }

    /// Makes the table unless it is there, and sees whether it is one that we can use.
    pub(crate) async fn ensure(&self, client: &mut Client, place: &str) -> Result<()> {
        let failed = |error| failure::of_driver(error, place);
        let read_only = client.query_one("SELECT current_setting('transaction_read_only')", &[]).await;
        if read_only.and_then(|row| row.try_get::<_, String>(0)).map_err(failed)? == "on" {
            return Err(failure::config(format!("{place} is read-only; {READ_ONLY}")));
        }
        if !self.is_there(client).await.map_err(failed)? {
            let made = self.make(client).await;
            // Someone who does not know our lock may have been faster.
            if !self.is_there(client).await.map_err(failed)? {
                made.map_err(failed)?;
            }
        }
        self.check(client, place).await
    }

    async fn is_there(
        &self,
        client: &impl deadpool_postgres::GenericClient,
    ) -> std::result::Result<bool, DriverError> {
        // To look into a catalog makes the session take note of what others have made; `to_regclass` alone may answer
        // from what it remembers.
        let there = "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1))";
        client.query_one(there, &[&self.name]).await?.try_get(0)
    }

    async fn make(&self, client: &mut Client) -> std::result::Result<(), DriverError> {
        let transaction = locked(client).await?;
        // Someone else may have made it while we waited.
        if !self.is_there(&transaction).await? {
            for statement in &self.create {
                transaction.batch_execute(statement).await?;
            }
        }
        transaction.commit().await
    }

    async fn check(&self, client: &Client, place: &str) -> Result<()> {
        let failed = |error| failure::of_driver(error, place);
        let columns = "SELECT attname::text, format_type(atttypid, NULL), attnotnull, atthasdef OR attidentity <> '' \
                       FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";
        let rows = client.query(columns, &[&self.name]).await.map_err(failed)?;
        let mut missing: Vec<String> = Vec::new();
        let mut found = Vec::new();
        for row in rows {
            let column = || Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
            let column: (String, String, bool, bool) = column().map_err(failed)?;
            found.push(column);
        }
        for &(name, kind, nullable) in self.shape.columns {
            match found.iter().find(|(column, ..)| column == name) {
                None => missing.push(format!("the column {name} of type {kind}")),
                Some((_, other, ..)) if other != kind => {
                    missing.push(format!("the type {kind} of the column {name} (it is {other})"));
                }
                Some((_, _, true, _)) if nullable => missing.push(format!("NULL in the column {name}")),
                Some(_) => {}
            }
        }
        for (name, _, not_null, has_default) in &found {
            if *not_null && !*has_default && self.shape.columns.iter().all(|(column, ..)| column != name) {
                missing.push(format!("a default for the column {name}, which is none of ours"));
            }
        }
        if missing.is_empty() && !self.has_key(client).await.map_err(failed)? {
            let mut columns = self.shape.key.to_vec();
            columns.reverse();
            missing.push(format!("a primary key or unique index of {}", columns.join(" and ")));
        }
        if missing.is_empty() { Ok(()) } else { Err(self.unusable(place, &missing)) }
    }

    async fn has_key(&self, client: &Client) -> std::result::Result<bool, DriverError> {
        let keys = "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = to_regclass($1) AND indisunique AND indisvalid \
                    AND indpred IS NULL AND indnkeyatts = cardinality($2::text[]) \
                    AND (SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute \
                         WHERE attrelid = indrelid AND attnum = ANY ((indkey::int2[])[0:1])) \
                         = $2)";
        client.query_one(keys, &[&self.name, &self.shape.key]).await?.try_get(0)
    }

    fn unusable(&self, place: &str, missing: &[String]) -> Error {
        let (name, missing) = (&self.name, missing.join(", "));
        failure::config(format!(
            "the table {name} in {place} is not larder's: it lacks {missing}; choose another name with `.table(..)`, \
             or drop the table and it is made anew"
        ))
    }
}

/// Begins a transaction in which nobody else makes anything.
pub(crate) async fn locked(
    client: &mut Client,
) -> std::result::Result<deadpool_postgres::Transaction<'_>, DriverError> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    Ok(transaction)
}
