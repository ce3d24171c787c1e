//! The log of invalidations, in two tables beside the records.
//!
//! ```text
//! table_log      name | era | number | floor | key_floor | key_marks | tag_marks | server      one row a log
//! table_marks    log | id | class | name | number                                              one row a name
//! ```
//!
//! A row of the marks is what its name was last marked with, and by its number a place in the tail: what is newer than a
//! number is all that happened since. One row of the marks, without an id, has the era for its name: it tells whether
//! marks and log belong together.

mod answer;
mod statements;
mod tables;

pub(crate) use statements::LogStatements;
pub(crate) use tables::LogTables;

use crate::calls::{Calls, Statement, Twice, Values};
use crate::many;
use crate::name::Name as RowName;
use crate::row::{self, Raw};
use bytes::Bytes;
use larder_core::{
    Answer, Error, ErrorKind, Invalidated, Invalidation, Name, News, Position, Record, Result, SharedLog,
};
use std::time::Duration;
use tokio_postgres::Row;

/// So often is a log looked at that has been begun anew. Only a log that somebody else destroys all the time needs more.
const ROUNDS: usize = 3;

/// The log of one store.
pub(crate) struct PostgresLog {
    calls: Calls,
}

impl PostgresLog {
    pub(crate) fn new(calls: Calls) -> Self {
        PostgresLog { calls }
    }

    /// Runs a statement that reads the log, and begins a new era first where one is due.
    async fn ask(
        &self,
        known: Option<Position>,
        statement: Statement,
        values: impl Fn() -> Values,
    ) -> Result<Row> {
        for _ in 0..ROUNDS {
            let rows = self.calls.run(statement, values(), Twice::Fine).await?;
            match rows.into_iter().next() {
                Some(row) if answer::is_whole(&row)? => return Ok(row),
                _ => {
                    let none = Sorted::of(&[]);
                    self.calls
                        .run(
                            |sql| &sql.log.count,
                            self.counting(known, &none, Duration::ZERO, None),
                            Twice::Fine,
                        )
                        .await?;
                }
            }
        }
        let place = self.place();
        let message =
            format!("{place} is destroyed as soon as it begins; nothing else may write to its tables");
        Err(Error::new(ErrorKind::Store, message))
    }

    /// The same, within the time of one call.
    async fn ask_in_time(
        &self,
        known: Option<Position>,
        statement: Statement,
        values: impl Fn() -> Values + Send + Sync,
    ) -> Result<Row> {
        self.calls.deadline().bound(self.ask(known, statement, values)).await
    }

    /// The parameters that say which log it is and what is known of it.
    fn known(&self, known: Option<Position>) -> Values {
        let (era, number) = columns(known);
        row::values![self.calls.options().log.clone(), era, number]
    }

    /// The parameters of the function that counts up.
    fn counting(
        &self,
        known: Option<Position>,
        voids: &Sorted,
        guard_for: Duration,
        names: Option<&[Name]>,
    ) -> Values {
        let (namespaces, keys) = many::columns(voids.names.iter().cloned());
        let mut values = self.known(known);
        values.extend(row::values![
            namespaces,
            keys,
            row::from_now(guard_for),
            names.map(raw),
            i64::from(self.calls.options().max_marks)
        ]);
        values
    }
}

impl SharedLog for PostgresLog {
    fn news(&self, known: Option<Position>) -> Answer<'_, News> {
        Box::pin(async move {
            let row = self.ask_in_time(known, |sql| &sql.log.news, || self.known(known)).await?;
            answer::news(&row, known)
        })
    }

    fn read<'a>(
        &'a self,
        known: Option<Position>,
        key: &'a str,
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Record, News)> {
        Box::pin(async move {
            let values = || {
                let RowName { namespace, key } = RowName::of(key);
                let mut values = self.known(known);
                values.extend(row::values![namespace, Raw::from(key), row::now()]);
                values.extend(guard_for.into_iter().flat_map(|span| row::values![row::from_now(span)]));
                values
            };
            // A guard that comes late replaces nothing.
            let statement: Statement = match guard_for {
                Some(_) => |sql| &sql.log.read_with_guard,
                None => |sql| &sql.log.read,
            };
            let row = self.ask_in_time(known, statement, values).await?;
            let record = answer::record(&row, self.calls.options().max_value_bytes)?;
            Ok((record, answer::news(&row, known)?))
        })
    }

    fn invalidate<'a>(
        &'a self,
        known: Option<Position>,
        invalidation: Invalidation<'a>,
    ) -> Answer<'a, Invalidated> {
        Box::pin(async move {
            let Invalidation { voids, guard_for, names } = invalidation;
            let sorted = Sorted::of(voids);
            let values = self.counting(known, &sorted, guard_for, Some(names));
            // To void twice would void what somebody has stored in between.
            let rows = self.calls.write(&sorted.names, |sql| &sql.log.count, values, Twice::No).await?;
            let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Store, "no answer of the log"))?;
            let news = answer::news(row, known)?;
            let tokens = sorted.in_order(&answer::tokens(row)?)?;
            Ok(Invalidated { number: news.position.number, news, tokens })
        })
    }

    fn marks<'a>(
        &'a self,
        known: Option<Position>,
        names: &'a [Name],
    ) -> Answer<'a, (Vec<Option<u64>>, News)> {
        Box::pin(async move {
            let values = || {
                let mut values = self.known(known);
                values.extend(row::values![raw(names)]);
                values
            };
            let row = self.ask_in_time(known, |sql| &sql.log.marks, values).await?;
            Ok((answer::numbers(&row, names.len())?, answer::news(&row, known)?))
        })
    }

    fn place(&self) -> String {
        format!("the log {} in {}", self.calls.options().log, self.calls.place())
    }
}

/// The rows of some keys, in the order in which rows are locked, each once.
struct Sorted {
    names: Vec<RowName>,
    /// Where the row of each key is among them, in the order in which the keys were given.
    places: Vec<usize>,
}

impl Sorted {
    fn of(keys: &[&str]) -> Self {
        let given: Vec<RowName> = keys.iter().map(|key| RowName::of(key)).collect();
        let mut names = given.clone();
        names.sort_unstable();
        names.dedup();
        let places = given.iter().filter_map(|name| names.binary_search(name).ok()).collect();
        Sorted { names, places }
    }

    /// Returns what belongs to each key of what belongs to each row.
    fn in_order<T: Clone>(&self, rows: &[T]) -> Result<Vec<T>> {
        let missing = || Error::new(ErrorKind::Store, "a record was voided and has no guard");
        self.places.iter().map(|place| rows.get(*place).cloned().ok_or_else(missing)).collect()
    }
}

/// Era and number, as the columns have them.
fn columns(known: Option<Position>) -> (Option<i64>, Option<i64>) {
    let number = |known: Position| i64::try_from(known.number).unwrap_or(i64::MAX);
    (known.map(|known| known.era.cast_signed()), known.map(number))
}

fn raw(names: &[Name]) -> Vec<Raw> {
    names.iter().map(|name| Raw(Bytes::copy_from_slice(name.as_str().as_bytes()))).collect()
}
