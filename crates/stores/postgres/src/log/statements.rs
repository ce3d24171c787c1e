//! What is asked of a log.
//!
//! Each of these is one statement, which sees one moment: the position, the marks and the record of that moment. The
//! counter is one row. Who counts up holds that row until all of it is committed, so numbers become visible in their order:
//! who sees a number sees the marks up to it.

use super::tables::{COUNT, LogTables};
use crate::options::PostgresOptions;
use crate::statements::{Needs, Sql, alive, record, value};

/// More news than these are not told.
pub(super) const MOST_NEWS: usize = 10_000;

/// Which server this is, and which of its histories: a standby that took over begins another timeline, and so does a
/// server that was restored to some time ago. Asked with each statement, because a connection may outlive a failover.
/// A standby answers with an error, so nobody takes its old news for new.
pub(super) const HERE: &str = "(SELECT system_identifier::text FROM pg_control_system()) \
                               || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";

#[derive(Debug)]
pub(crate) struct LogStatements {
    pub(crate) news: Sql,
    pub(crate) read: Sql,
    pub(crate) read_with_guard: Sql,
    pub(crate) marks: Sql,
    pub(crate) count: Sql,
}

impl LogStatements {
    pub(crate) fn new(options: &PostgresOptions) -> Self {
        let tables = LogTables::new(options);
        let (records, marks) = (options.quoted_table(), &tables.marks);
        let (with, news, from) = (log(&tables), news(), since(marks));
        let value = value(options);
        let sql = |text| Sql::new(Needs::Log, text);
        LogStatements {
            news: sql(format!("WITH {with} SELECT {news} FROM {from}")),
            read: sql(format!(
                "WITH {with}, record AS MATERIALIZED (SELECT value, token FROM {records} \
                 WHERE namespace = $4 AND key = $5 AND {}) \
                 SELECT {news}, {value}, record.token FROM {from} LEFT JOIN record ON true",
                alive("$6")
            )),
            read_with_guard: sql(format!(
                "WITH {with}, {} SELECT {news}, {value}, record.token FROM {from} LEFT JOIN record ON true",
                record(&records, ["$4", "$5", "$6", "$7"])
            )),
            // OFFSET 0 keeps the look-ups apart: each uses the primary key. The sub-select keeps the planner from counting
            // the names, and so from making a plan for each number of them.
            marks: sql(format!(
                "WITH {with} SELECT {news}, (SELECT array_agg(found.number ORDER BY asked.place) \
                 FROM unnest((SELECT $4::bytea[])) WITH ORDINALITY AS asked (name, place) \
                 LEFT JOIN LATERAL (SELECT m.number FROM {marks} AS m \
                 WHERE m.log = $1 AND m.id = sha256(asked.name) OFFSET 0) AS found ON true) FROM {from}"
            )),
            count: sql(format!(
                "SELECT era, number, floor, key_floor, told, names, numbers, true, tokens \
                 FROM {}($1, $2, $3, $4, $5, $6, $7, $8) AS {COUNT}",
                tables.count
            )),
        }
    }
}

/// What all answers begin with.
fn news() -> String {
    let told = |column| format!("CASE WHEN since.told <= {MOST_NEWS} THEN since.{column} END");
    let (names, numbers) = (told("names"), told("numbers"));
    format!("log.era, log.number, log.floor, log.key_floor, since.told, {names}, {numbers}, log.is_whole")
}

/// The log as it stands, and whether that is all of it, to one who knows the number $3 of the era $2.
fn log(tables: &LogTables) -> String {
    let (log, marks) = (&tables.log, &tables.marks);
    format!(
        "log AS MATERIALIZED (SELECT l.era, l.number, l.floor, l.key_floor, l.server = {HERE} \
         AND ($2::int8 IS DISTINCT FROM l.era OR l.number >= $3::int8) \
         AND EXISTS (SELECT FROM {marks} AS m WHERE m.log = l.name AND m.id = '' AND m.name = int8send(l.era)) \
         AS is_whole, $3::int8 AS known FROM {log} AS l WHERE l.name = $1)"
    )
}

/// The log, and what was marked since.
fn since(marks: &str) -> String {
    let floors = "AND log.era = $2::int8 AND log.known >= log.floor AND log.known >= log.key_floor";
    let news = tail(marks, "$1", ["log.known", "log.number"], floors);
    format!(
        "log CROSS JOIN LATERAL (SELECT count(*) AS told, array_agg(news.name) AS names, \
         array_agg(news.number) AS numbers FROM ({news}) AS news) AS since"
    )
}

/// The marks behind a number and up to another, which is that of the log, under a condition; or more than are told.
///
/// The numbers must be nothing that the planner knows when it makes a plan for one call: it would do so for each, which
/// takes longer than the call. Of what lies between two such numbers it expects little, of all above one much, and it
/// keeps the plan that it expects little of. The order has it go by the index, whatever it believes of the table.
pub(super) fn tail(marks: &str, log: &str, [number, last]: [&str; 2], condition: &str) -> String {
    let most = MOST_NEWS + 1;
    format!(
        "SELECT m.name, m.number FROM {marks} AS m WHERE m.log = {log} AND m.number > {number} \
         AND m.number <= {last} {condition} ORDER BY m.number LIMIT {most}"
    )
}
