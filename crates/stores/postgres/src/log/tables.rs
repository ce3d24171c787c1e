//! The tables of the log, and the function that counts up.
//!
//! A function, because who counts up must see what those did for whom it waited: within a function each statement sees its
//! own moment, and one statement by itself only the moment before it began to wait.

use super::statements::{HERE, MOST_NEWS, tail};
use crate::failure;
use crate::name;
use crate::options::PostgresOptions;
use crate::statements::{NEW_TOKEN, REPLACE};
use crate::table::{self, Shape, Table};
use deadpool_postgres::{Client, GenericClient};
use larder_core::Result;
use tokio_postgres::Error as DriverError;

/// What statements call the function's answer.
pub(super) const COUNT: &str = "counted";

const LOG: Shape = Shape {
    columns: &[
        ("name", "text", false),
        ("era", "bigint", false),
        ("number", "bigint", false),
        ("floor", "bigint", false),
        ("key_floor", "bigint", false),
        ("key_marks", "bigint", false),
        ("tag_marks", "bigint", false),
        ("server", "text", false),
    ],
    key: &["name"],
};

const MARKS: Shape = Shape {
    columns: &[
        ("log", "text", false),
        ("id", "bytea", false),
        ("class", "text", false),
        ("name", "bytea", false),
        ("number", "bigint", false),
    ],
    key: &["id", "log"],
};

#[derive(Debug)]
pub(crate) struct LogTables {
    /// As SQL names them.
    pub(super) log: String,
    pub(super) marks: String,
    pub(super) count: String,
    records: String,
    body: String,
}

impl LogTables {
    pub(crate) fn new(options: &PostgresOptions) -> Self {
        let (log, marks) = (options.quoted_beside("_log"), options.quoted_beside("_marks"));
        let records = options.quoted_table();
        let body = body(&records, &log, &marks);
        // By its text, so that processes of two releases each find theirs.
        let count = options.quoted_beside(&format!("_count_{:016x}", name::short_hash(&body)));
        LogTables { log, marks, count, records, body }
    }

    /// Makes what is not there, and sees whether it can be used.
    pub(crate) async fn ensure(&self, client: &mut Client, place: &str) -> Result<()> {
        let failed = |error| failure::of_driver(error, place);
        // What is lost with the records is to be lost with the log.
        let kept = "SELECT relpersistence = 'p' FROM pg_class WHERE oid = to_regclass($1)";
        let row = client.query_one(kept, &[&self.records]).await.map_err(failed)?;
        let unlogged = if row.try_get(0).map_err(failed)? { "" } else { "UNLOGGED " };
        let [log, marks] = self.tables(unlogged);
        log.ensure(client, place).await?;
        marks.ensure(client, place).await?;
        self.ensure_function(client).await.map_err(failed)
    }

    /// Returns the statements that make all of it.
    pub(crate) fn create(&self, unlogged: bool) -> Vec<String> {
        let tables = self.tables(if unlogged { "UNLOGGED " } else { "" });
        let mut create: Vec<String> = tables.iter().flat_map(|table| table.create().to_vec()).collect();
        create.push(self.create_function());
        create
    }

    fn tables(&self, unlogged: &str) -> [Table; 2] {
        let (log, marks) = (&self.log, &self.marks);
        let make_log = format!(
            "CREATE {unlogged}TABLE {log} (name text COLLATE \"C\" PRIMARY KEY, era bigint NOT NULL, \
             number bigint NOT NULL, floor bigint NOT NULL, key_floor bigint NOT NULL, \
             key_marks bigint NOT NULL, tag_marks bigint NOT NULL, server text NOT NULL)"
        );
        let make_marks = vec![
            format!(
                "CREATE {unlogged}TABLE {marks} (log text COLLATE \"C\" NOT NULL, id bytea NOT NULL, \
                 class text COLLATE \"C\" NOT NULL, name bytea NOT NULL, number bigint NOT NULL, \
                 PRIMARY KEY (log, id))"
            ),
            format!("CREATE INDEX ON {marks} (log, number)"),
        ];
        [Table::new(log.clone(), vec![make_log], LOG), Table::new(marks.clone(), make_marks, MARKS)]
    }

    async fn ensure_function(&self, client: &mut Client) -> std::result::Result<(), DriverError> {
        if self.has_function(client).await? {
            return Ok(());
        }
        let transaction = table::locked(client).await?;
        // Someone else may have made it while we waited.
        if !self.has_function(&transaction).await? {
            transaction.batch_execute(&self.create_function()).await?;
        }
        transaction.commit().await
    }

    async fn has_function(&self, client: &impl GenericClient) -> std::result::Result<bool, DriverError> {
        let there = "SELECT EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure($1))";
        let kinds = "(text,bigint,bigint,text[],bytea[],timestamptz,bytea[],bigint)";
        client.query_one(there, &[&format!("{}{kinds}", self.count)]).await?.try_get(0)
    }

    fn create_function(&self) -> String {
        let (count, body) = (&self.count, &self.body);
        // A quote that no name of a table ends.
        let quote = format!("$larder{:016x}$", name::short_hash(body));
        format!(
            "CREATE FUNCTION {count} (in_log text, in_era bigint, in_number bigint, in_namespaces text[], \
             in_keys bytea[], in_until timestamptz, in_names bytea[], in_most bigint, \
             OUT era bigint, OUT number bigint, OUT floor bigint, OUT key_floor bigint, OUT told bigint, \
             OUT names bytea[], OUT numbers bigint[], OUT tokens bytea[]) LANGUAGE plpgsql AS {quote}\n{body}{quote}"
        )
    }
}

/// What the function does.
fn body(records: &str, log: &str, marks: &str) -> String {
    let (news, most) =
        (tail(marks, "in_log", ["(SELECT in_number)", "(SELECT now_at.number)"], ""), MOST_NEWS.to_string());
    let parts = [
        ("@news@", news.as_str()),
        ("@records@", records),
        ("@log@", log),
        ("@marks@", marks),
        ("@here@", HERE),
        ("@token@", NEW_TOKEN),
        ("@replace@", REPLACE),
        ("@most@", &most),
    ];
    let mut body = String::new();
    let mut rest = include_str!("count.sql");
    // In one pass: a table may be called like a part.
    while let Some(at) = rest.find('@') {
        body += &rest[..at];
        rest = &rest[at..];
        let part = parts.iter().find_map(|(mark, part)| rest.strip_prefix(mark).map(|rest| (part, rest)));
        match part {
            Some((part, behind)) => (body, rest) = (body + part, behind),
            None => (body, rest) = (body + "@", &rest[1..]),
        }
    }
    body + rest
}
