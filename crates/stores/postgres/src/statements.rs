//! The statements, for one table.
//!
//! A statement sees one moment, and what it changes it changes at once or not at all. So each operation is one
//! statement, and no transaction is ever left open. `$now` and all deadlines come from the client (see the crate's
//! documentation).

use crate::lock::LeaseStatements;
use crate::log::LogStatements;
use crate::options::PostgresOptions;

/// How many rows a statement of a clear or purge removes.
pub(crate) const BATCH: i64 = 500;

/// What makes every state of a key distinguishable from every other, whoever wrote it and whatever was lost.
pub(crate) const NEW_TOKEN: &str = "uuid_send(gen_random_uuid())";

/// What an upsert of a row puts in place of the one that is there.
pub(crate) const REPLACE: &str = "ON CONFLICT (namespace, key) DO UPDATE \
                       SET value = excluded.value, token = excluded.token, expires_at = excluded.expires_at";

/// A statement, and what must be there before it can run.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) needs: Needs,
}

/// What a statement needs in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Records,
    /// And the records.
    Log,
    Leases,
}

impl Sql {
    pub(crate) fn new(needs: Needs, text: String) -> Self {
        Sql { text, needs }
    }
}

impl From<String> for Sql {
    /// One that needs the records and nothing else, as most do.
    fn from(text: String) -> Self {
        Sql::new(Needs::Records, text)
    }
}

#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) get: Sql,
    pub(crate) get_many: Sql,
    pub(crate) put: Sql,
    pub(crate) put_many: Sql,
    pub(crate) remove: Sql,
    pub(crate) remove_many: Sql,
    pub(crate) remove_if: Sql,
    pub(crate) get_with_token: Sql,
    pub(crate) guard: Sql,
    pub(crate) put_if: Sql,
    pub(crate) clear: Sql,
    pub(crate) purge: Sql,
    pub(crate) notify: Sql,
    pub(crate) log: LogStatements,
    pub(crate) leases: LeaseStatements,
}

impl Statements {
    pub(crate) fn new(options: &PostgresOptions) -> Self {
        let table = options.quoted_table();
        let value = value(options);
        Statements {
            get: format!("SELECT {value} FROM {table} WHERE namespace = $1 AND key = $2 AND {}", alive("$3")).into(),
            // OFFSET 0 keeps the look-ups apart: each uses the primary key, whatever the planner believes of the table.
            get_many: format!(
                "SELECT asked.place::int8, found.* \
                 FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS asked (namespace, key, place) \
                 CROSS JOIN LATERAL (SELECT {value} FROM {table} AS t \
                 WHERE t.namespace = asked.namespace AND t.key = asked.key AND {} OFFSET 0) AS found",
                alive("$3")
            )
            .into(),
            put: format!(
                "INSERT INTO {table} (namespace, key, value, token, expires_at) \
                 VALUES ($1, $2, $3, {NEW_TOKEN}, $4) {REPLACE}"
            )
            .into(),
            put_many: format!(
                "INSERT INTO {table} (namespace, key, value, token, expires_at) \
                 SELECT namespace, key, value, {NEW_TOKEN}, expires_at \
                 FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::timestamptz[]) \
                 AS puts (namespace, key, value, expires_at) {REPLACE}"
            )
            .into(),
            remove: format!("DELETE FROM {table} WHERE namespace = $1 AND key = $2").into(),
            // Rows are locked in the order of the keys given, as by `put_many`: two of these cannot wait for each other.
            remove_many: format!(
                "WITH doomed AS MATERIALIZED (SELECT t.namespace, t.key \
                 FROM unnest($1::text[], $2::bytea[]) AS asked (namespace, key) \
                 CROSS JOIN LATERAL (SELECT namespace, key FROM {table} \
                 WHERE namespace = asked.namespace AND key = asked.key FOR UPDATE) AS t) \
                 DELETE FROM {table} AS t USING doomed WHERE t.namespace = doomed.namespace AND t.key = doomed.key"
            )
            .into(),
            remove_if: format!("DELETE FROM {table} WHERE namespace = $1 AND key = $2 AND token = $3").into(),
            get_with_token: format!("WITH {} SELECT {value}, token FROM record", record(&table, ["$1", "$2", "$3", "$4"])).into(),
            guard: format!(
                "INSERT INTO {table} (namespace, key, value, token, expires_at) \
                 VALUES ($1, $2, NULL, {NEW_TOKEN}, $3) {REPLACE} RETURNING token"
            )
            .into(),
            // Also where the deadline has passed: it is still the state that the token names.
            put_if: format!(
                "UPDATE {table} SET value = $4, token = {NEW_TOKEN}, expires_at = $5 \
                 WHERE namespace = $1 AND key = $2 AND token = $3 RETURNING 1"
            )
            .into(),
            // Behind the last key of the batch before, so that no batch wades through what is dead already. Rows are
            // locked in the order of their keys, as by all others.
            clear: format!(
                "WITH doomed AS MATERIALIZED (SELECT key FROM {table} WHERE namespace = $1 AND key > $2 \
                 ORDER BY key LIMIT {BATCH} FOR UPDATE), \
                 gone AS (DELETE FROM {table} AS t USING doomed WHERE t.namespace = $1 AND t.key = doomed.key) \
                 SELECT key FROM doomed"
            )
            .into(),
            // Who writes a row at this moment may have it. The look locks, so nothing comes between it and the removal.
            purge: format!(
                "WITH doomed AS MATERIALIZED (SELECT namespace, key FROM {table} WHERE expires_at <= $1 \
                 ORDER BY expires_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED), \
                 gone AS (DELETE FROM {table} AS t USING doomed WHERE t.namespace = doomed.namespace \
                 AND t.key = doomed.key RETURNING t.value IS NULL AS guard) \
                 SELECT (SELECT count(*) FROM doomed), count(*) FILTER (WHERE NOT guard), \
                 count(*) FILTER (WHERE guard) FROM gone"
            )
            .into(),
            notify: Sql::new(
                Needs::Nothing,
                "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload".into(),
            ),
            log: LogStatements::new(options),
            leases: LeaseStatements::new(options),
        }
    }
}

/// The columns that say what is in a row: the value, unless it is larger than allowed, and its length.
pub(crate) fn value(options: &PostgresOptions) -> String {
    let most = options.max_value_bytes;
    format!("CASE WHEN octet_length(value) <= {most} THEN value END AS value, octet_length(value) AS length")
}

/// Whether a row is a value that has not expired at `now`.
pub(crate) fn alive(now: &str) -> String {
    format!("value IS NOT NULL AND (expires_at IS NULL OR expires_at > {now})")
}

/// The parts of a WITH of which `record` has the value and the token of a key. The parameters are its namespace, the key,
/// the present, and how long a guard lasts.
///
/// A live value is only read. Else a guard is planted; what came between (or a guard that is there) is left as it is,
/// the guard's life apart.
pub(crate) fn record(table: &str, parameters: [&str; 4]) -> String {
    let [namespace, key, now, until] = parameters;
    let alive = alive(now);
    let t_alive = format!("t.value IS NOT NULL AND (t.expires_at IS NULL OR t.expires_at > {now})");
    let t_usable = format!("t.expires_at IS NULL OR t.expires_at > {now}");
    format!(
        "found AS MATERIALIZED (SELECT value, token FROM {table} \
         WHERE namespace = {namespace} AND key = {key} AND {alive}), \
         planted AS (INSERT INTO {table} AS t (namespace, key, value, token, expires_at) \
         SELECT {namespace}, {key}, NULL, {NEW_TOKEN}, {until} WHERE NOT EXISTS (SELECT FROM found) \
         ON CONFLICT (namespace, key) DO UPDATE SET \
         value = CASE WHEN {t_alive} THEN t.value END, \
         token = CASE WHEN {t_usable} THEN t.token ELSE excluded.token END, \
         expires_at = CASE WHEN {t_alive} THEN t.expires_at \
         WHEN {t_usable} THEN greatest(t.expires_at, excluded.expires_at) ELSE excluded.expires_at END \
         RETURNING value, token), \
         record AS (SELECT * FROM found UNION ALL SELECT * FROM planted)"
    )
}
