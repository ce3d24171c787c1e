//! The statements, for one table.
//!
//! A statement sees one moment, and what it changes it changes at once or not at all. So each operation is one
//! statement, and no transaction is ever left open. `$now` and all deadlines come from the client (see the crate's
//! documentation).

use crate::options::PostgresOptions;

/// How many rows a statement of a clear or purge removes.
pub(crate) const BATCH: i64 = 500;

/// What makes every state of a key distinguishable from every other, whoever wrote it and whatever was lost.
const NEW_TOKEN: &str = "uuid_send(gen_random_uuid())";

/// What an upsert of a row puts in place of the one that is there.
const REPLACE: &str = "ON CONFLICT (namespace, key) DO UPDATE \
                       SET value = excluded.value, token = excluded.token, expires_at = excluded.expires_at";

#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) get: String,
    pub(crate) get_many: String,
    pub(crate) put: String,
    pub(crate) put_many: String,
    pub(crate) remove: String,
    pub(crate) remove_many: String,
    pub(crate) remove_if: String,
    pub(crate) get_with_token: String,
    pub(crate) guard: String,
    pub(crate) put_if: String,
    pub(crate) clear: String,
    pub(crate) purge: String,
}

impl Statements {
    pub(crate) fn new(options: &PostgresOptions) -> Self {
        let table = options.quoted_table();
        let most = options.max_value_bytes;
        // What is larger than allowed is not sent to us, only its length.
        let value =
            format!("CASE WHEN octet_length(value) <= {most} THEN value END AS value, octet_length(value)");
        let alive = |now: &str| format!("value IS NOT NULL AND (expires_at IS NULL OR expires_at > {now})");
        Statements {
            get: format!("SELECT {value} FROM {table} WHERE namespace = $1 AND key = $2 AND {}", alive("$3")),
            // OFFSET 0 keeps the look-ups apart: each uses the primary key, whatever the planner believes of the table.
            get_many: format!(
                "SELECT asked.place::int8, found.* \
                 FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS asked (namespace, key, place) \
                 CROSS JOIN LATERAL (SELECT {value} FROM {table} AS t \
                 WHERE t.namespace = asked.namespace AND t.key = asked.key AND {} OFFSET 0) AS found",
                alive("$3")
            ),
            put: format!(
                "INSERT INTO {table} (namespace, key, value, token, expires_at) \
                 VALUES ($1, $2, $3, {NEW_TOKEN}, $4) {REPLACE}"
            ),
            put_many: format!(
                "INSERT INTO {table} (namespace, key, value, token, expires_at) \
                 SELECT namespace, key, value, {NEW_TOKEN}, expires_at \
                 FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::timestamptz[]) \
                 AS puts (namespace, key, value, expires_at) {REPLACE}"
            ),
            remove: format!("DELETE FROM {table} WHERE namespace = $1 AND key = $2"),
            // Rows are locked in the order of the keys given, as by `put_many`: two of these cannot wait for each other.
            remove_many: format!(
                "WITH doomed AS MATERIALIZED (SELECT t.namespace, t.key \
                 FROM unnest($1::text[], $2::bytea[]) AS asked (namespace, key) \
                 CROSS JOIN LATERAL (SELECT namespace, key FROM {table} \
                 WHERE namespace = asked.namespace AND key = asked.key FOR UPDATE) AS t) \
                 DELETE FROM {table} AS t USING doomed WHERE t.namespace = doomed.namespace AND t.key = doomed.key"
            ),
            remove_if: format!("DELETE FROM {table} WHERE namespace = $1 AND key = $2 AND token = $3"),
            // A live value is only read. Else a guard is planted; what came between (or a guard that is there) is
            // left as it is, the guard's life apart.
            get_with_token: format!(
                "WITH found AS MATERIALIZED (SELECT value, token FROM {table} \
                 WHERE namespace = $1 AND key = $2 AND {alive}), \
                 planted AS (INSERT INTO {table} AS t (namespace, key, value, token, expires_at) \
                 SELECT $1, $2, NULL, {NEW_TOKEN}, $4 WHERE NOT EXISTS (SELECT FROM found) \
                 ON CONFLICT (namespace, key) DO UPDATE SET \
                 value = CASE WHEN {t_alive} THEN t.value END, \
                 token = CASE WHEN {t_usable} THEN t.token ELSE excluded.token END, \
                 expires_at = CASE WHEN {t_alive} THEN t.expires_at \
                 WHEN {t_usable} THEN greatest(t.expires_at, excluded.expires_at) ELSE excluded.expires_at END \
                 RETURNING value, token), \
                 record AS (SELECT * FROM found UNION ALL SELECT * FROM planted) \
                 SELECT {value}, token FROM record",
                alive = alive("$3"),
                t_alive = "t.value IS NOT NULL AND (t.expires_at IS NULL OR t.expires_at > $3)",
                t_usable = "t.expires_at IS NULL OR t.expires_at > $3",
            ),
            guard: format!(
                "INSERT INTO {table} (namespace, key, value, token, expires_at) \
                 VALUES ($1, $2, NULL, {NEW_TOKEN}, $3) {REPLACE} RETURNING token"
            ),
            // Also where the deadline has passed: it is still the state that the token names.
            put_if: format!(
                "UPDATE {table} SET value = $4, token = {NEW_TOKEN}, expires_at = $5 \
                 WHERE namespace = $1 AND key = $2 AND token = $3 RETURNING 1"
            ),
            // Behind the last key of the batch before, so that no batch wades through what is dead already. Rows are
            // locked in the order of their keys, as by all others.
            clear: format!(
                "WITH doomed AS MATERIALIZED (SELECT key FROM {table} WHERE namespace = $1 AND key > $2 \
                 ORDER BY key LIMIT {BATCH} FOR UPDATE), \
                 gone AS (DELETE FROM {table} AS t USING doomed WHERE t.namespace = $1 AND t.key = doomed.key) \
                 SELECT key FROM doomed"
            ),
            // Who writes a row at this moment may have it. The look locks, so nothing comes between it and the removal.
            purge: format!(
                "WITH doomed AS MATERIALIZED (SELECT namespace, key FROM {table} WHERE expires_at <= $1 \
                 ORDER BY expires_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED), \
                 gone AS (DELETE FROM {table} AS t USING doomed WHERE t.namespace = doomed.namespace \
                 AND t.key = doomed.key RETURNING t.value IS NULL AS guard) \
                 SELECT (SELECT count(*) FROM doomed), count(*) FILTER (WHERE NOT guard), \
                 count(*) FILTER (WHERE guard) FROM gone"
            ),
        }
    }
}
