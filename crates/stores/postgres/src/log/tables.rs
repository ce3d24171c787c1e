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
        format!(
            "CREATE FUNCTION {count} (in_log text, in_era bigint, in_number bigint, in_namespaces text[], \
             in_keys bytea[], in_until timestamptz, in_names bytea[], in_most bigint, \
             OUT era bigint, OUT number bigint, OUT floor bigint, OUT key_floor bigint, OUT told bigint, \
             OUT names bytea[], OUT numbers bigint[], OUT tokens bytea[]) LANGUAGE plpgsql AS $function${body}$function$"
        )
    }
}

/// What the function does. Without names it does not count: it only begins a new era where one is due.
///
/// Locks: the records, in the order of their names as by all statements, and then the log. So no two of these, and none
/// of these and a write, wait for each other; and the log is held for no longer than it takes to write the marks.
fn body(records: &str, log: &str, marks: &str) -> String {
    let news = tail(marks, "in_log", "in_number", "");
    format!(
        "
#variable_conflict use_column
DECLARE
    now_at {log}%ROWTYPE;
    here text := {HERE};
    is_new boolean := false;
    kind text;
    marked bigint;
    lowest bigint;
    highest bigint;
BEGIN
    -- A log whose last numbers a crash takes away would give them out again, and nobody would notice.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;

    IF cardinality(in_keys) > 0 THEN
        WITH voided AS (
            INSERT INTO {records} (namespace, key, value, token, expires_at)
            SELECT asked.namespace, asked.key, NULL, {NEW_TOKEN}, in_until
            FROM unnest(in_namespaces, in_keys) AS asked (namespace, key)
            {REPLACE} RETURNING namespace, key, token)
        SELECT array_agg(voided.token ORDER BY asked.place) INTO tokens
        FROM unnest(in_namespaces, in_keys) WITH ORDINALITY AS asked (namespace, key, place)
        JOIN voided ON voided.namespace = asked.namespace AND voided.key = asked.key;
    END IF;

    SELECT * INTO now_at FROM {log} AS l WHERE l.name = in_log FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO {log} (name, era, number, floor, key_floor, key_marks, tag_marks, server)
        VALUES (in_log, 0, 0, 0, 0, 0, 0, '') ON CONFLICT (name) DO NOTHING;
        SELECT * INTO now_at FROM {log} AS l WHERE l.name = in_log FOR UPDATE;
    END IF;
    -- Who waited for the row sees here what the others have done to the marks.
    IF now_at.server <> here OR (in_era = now_at.era AND in_number > now_at.number) OR NOT EXISTS (
        SELECT FROM {marks} AS m WHERE m.log = in_log AND m.id = '' AND m.name = int8send(now_at.era))
    THEN
        is_new := true;
        now_at.era := ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint;
        now_at.number := 0;
        now_at.floor := 0;
        now_at.key_floor := 0;
        now_at.key_marks := 0;
        now_at.tag_marks := 0;
        now_at.server := here;
        DELETE FROM {marks} AS m WHERE m.log = in_log;
        INSERT INTO {marks} (log, id, class, name, number) VALUES (in_log, '', 's', int8send(now_at.era), 0);
    END IF;

    IF in_names IS NOT NULL THEN
        now_at.number := now_at.number + 1;
        -- One that was inserted has no xmax, one that was updated has been locked before.
        WITH written AS (
            INSERT INTO {marks} AS m (log, id, class, name, number)
            SELECT in_log, sha256(given.name), chr(get_byte(given.name, 0)), given.name, now_at.number
            FROM (SELECT DISTINCT name FROM unnest(in_names) AS name) AS given
            ON CONFLICT (log, id) DO UPDATE SET number = excluded.number
            RETURNING m.class, m.xmax = 0 AS is_added)
        SELECT now_at.key_marks + count(*) FILTER (WHERE is_added AND class = 'k'),
               now_at.tag_marks + count(*) FILTER (WHERE is_added AND class = 't')
        INTO now_at.key_marks, now_at.tag_marks FROM written;

        FOREACH kind IN ARRAY ARRAY['k', 't'] LOOP
            marked := CASE kind WHEN 'k' THEN now_at.key_marks ELSE now_at.tag_marks END;
            CONTINUE WHEN marked <= in_most;
            -- From the floor on, below which there are none of this kind and may be many of the other.
            lowest := CASE kind WHEN 'k' THEN now_at.key_floor ELSE now_at.floor END;
            WITH doomed AS MATERIALIZED (
                SELECT m.id FROM {marks} AS m WHERE m.log = in_log AND m.class = kind AND m.number >= lowest
                ORDER BY m.number LIMIT marked - in_most + in_most / 100),
            gone AS (
                DELETE FROM {marks} AS m USING doomed WHERE m.log = in_log AND m.id = doomed.id
                RETURNING m.number)
            SELECT max(gone.number) INTO highest FROM gone;
            -- Counted anew, in case that somebody else has removed some.
            SELECT count(*) INTO marked FROM {marks} AS m WHERE m.log = in_log AND m.class = kind;
            IF kind = 'k' THEN
                now_at.key_marks := marked;
                now_at.key_floor := greatest(now_at.key_floor, highest);
            ELSE
                now_at.tag_marks := marked;
                now_at.floor := greatest(now_at.floor, highest);
            END IF;
        END LOOP;
    END IF;

    IF is_new OR in_names IS NOT NULL THEN
        UPDATE {log} AS l SET era = now_at.era, number = now_at.number, floor = now_at.floor,
            key_floor = now_at.key_floor, key_marks = now_at.key_marks, tag_marks = now_at.tag_marks,
            server = now_at.server WHERE l.name = in_log;
    END IF;

    era := now_at.era;
    number := now_at.number;
    floor := now_at.floor;
    key_floor := now_at.key_floor;
    told := 0;
    IF in_era = now_at.era AND in_number >= greatest(now_at.floor, now_at.key_floor) THEN
        SELECT count(*), array_agg(news.name), array_agg(news.number) INTO told, names, numbers
        FROM ({news}) AS news;
        IF told > {MOST_NEWS} THEN
            names := NULL;
            numbers := NULL;
        END IF;
    END IF;
END"
    )
}
