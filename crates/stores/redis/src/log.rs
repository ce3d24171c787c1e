//! The log of invalidations.
//!
//! ```text
//! read ──▶ position, and whether all of it is there ─┐ one request      ┌─ the position that was known ──▶ answer
//!          record ───────────────────────────────────┴──────────────────┤
//!                                                                       └─ another ──▶ news, and the record again ──▶ answer
//! ```
//!
//! The record is read behind the position: on one server in the order of the request. In a cluster the two may be on
//! different nodes, and are asked at the same time; where the log stands as it was known to before, that makes no
//! difference, and else it is asked until it does not move any more, or the record last.
//!
//! What is repeated after a connection broke, although it may have been carried out:
//!
//! - news, marks and reads: they change nothing, but that an era may have begun, which has begun then
//! - an invalidation without records to void: its number is too high then, never too low
//! - not an invalidation with such: somebody may have put what is newer, and it would be voided

mod answer;
mod keys;

use crate::command::{self, Record as Stored};
use crate::expiry::{self, Lasts};
use crate::line::Reply;
use crate::records::{Records, add_guard};
use crate::route::{Ask, Repeat};
use crate::{fault, record, scripts};
use answer::{Standing, marks_of, news_of};
use futures::future::join_all;
use keys::Keys;
use larder_core::{
    Answer, Error, ErrorKind, Invalidated, Invalidation, Name, News, Position, Record, Result, SharedLog,
    Token,
};
use redis::{Cmd, Value};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// So many names are told at most; who has missed more looks at each of what it has.
const MOST_NEWS: u32 = 10_000;

/// The log beside the records of a store.
pub(crate) struct RedisLog {
    records: Arc<Records>,
    keys: Keys,
    /// How many tags are remembered, and how many keys.
    max_names: u32,
}

impl RedisLog {
    pub(crate) fn new(records: Arc<Records>, name: &str, max_names: u32) -> Self {
        RedisLog { records, keys: Keys::new(name), max_names }
    }

    async fn run(
        &self,
        script: &scripts::Script,
        known: Option<Position>,
        voids: &[&str],
        add: impl Fn(&mut Cmd) + Send + Sync,
        (bytes, repeat): (usize, Repeat),
    ) -> Result<Value> {
        let (keys, era) = (self.keys.with(voids), new_era());
        let add = |cmd: &mut Cmd| {
            add_known(cmd, known, era);
            add(cmd);
        };
        self.records.route.run(script, &keys, add, bytes, repeat).await.map_err(|error| self.explained(error))
    }

    /// Where the log stands by what its server says without a script, if that is all there and its own.
    fn standing(&self, position: Result<Reply>, parts: Result<Reply>) -> Result<Option<Standing>> {
        let position = position.map_err(|error| self.explained(error))?;
        let all = matches!(parts?.value, Value::Int(there) if there == keys::PARTS);
        Ok(Standing::read(&position).filter(|_| all))
    }

    async fn read_record(
        &self,
        known: Option<Position>,
        key: &str,
        guard_for: Option<Duration>,
    ) -> Result<(Record, News)> {
        let (guard, era, keys) = (record::guard_header(), new_era(), self.keys.with(&[]));
        let at = keys[0];
        let position = Ask { key: at, bytes: 0, make: &|_| self.keys.position() };
        let parts = Ask { key: at, bytes: 0, make: &|_| self.keys.count_parts() };
        let news = Ask {
            key: at,
            bytes: 0,
            make: &|text| {
                let mut cmd = scripts::LOG_NEWS.cmd(text, &keys);
                add_known(&mut cmd, known, era);
                cmd
            },
        };
        let record = Ask {
            key,
            bytes: key.len(),
            make: &|text| match guard_for {
                None => command::get(key),
                Some(guard_for) => {
                    let mut cmd = scripts::GET_WITH_TOKEN.cmd(text, &[key]);
                    add_guard(&mut cmd, &guard, guard_for);
                    cmd
                }
            },
        };
        let route = &self.records.route;
        let found = |reply: Result<Reply>| match guard_for {
            None => self.records.bytes_of(reply?.value).map(Record::without_token),
            Some(_) => self.records.record_of(reply?.value),
        };

        let [position, parts, read] = each(route.ask_all(&[position, parts, record]).await, route.place())?;
        let stood = self.standing(position, parts)?;
        if let Some(standing) = &stood
            && (route.keeps_order() || Some(standing.position) == known)
            && let Some(news) = standing.nothing_new_since(known)
        {
            return Ok((found(read)?, news));
        }
        let [told, read] = each(route.ask_all(&[news, record]).await, route.place())?;
        let news = news_of(told.map_err(|error| self.explained(error))?.value, known, route.place())?;
        let has_moved = stood.map(|standing| standing.position) != Some(news.position);
        if route.keeps_order() || !has_moved {
            return Ok((found(read)?, news));
        }
        let read = route.ask_all(&[record]).await.pop();
        Ok((found(read.unwrap_or_else(|| Err(fault::unexpected(route.place()))))?, news))
    }

    /// Puts guards where the records are, of a cluster: they are on several nodes. None is put twice.
    async fn void_each(&self, voids: &[&str], guards: &[[u8; record::HEADER]], millis: u64) -> Result<()> {
        let each = voids.iter().zip(guards).map(|(key, guard)| {
            let put = move || command::put(key, &Stored(guard, b""), Lasts::Millis(millis));
            self.records.route.ask(key, put, key.len(), Repeat::Never)
        });
        // All of them, so that none is on its way any more when this ends.
        join_all(each).await.into_iter().try_for_each(|done| done.map(drop))
    }

    async fn carry_out(
        &self,
        known: Option<Position>,
        invalidation: Invalidation<'_>,
    ) -> Result<Invalidated> {
        let Invalidation { voids, guard_for, names } = invalidation;
        let (guards, millis): (Vec<_>, _) =
            (voids.iter().map(|_| record::guard_header()).collect(), expiry::millis(guard_for));
        let together = if self.records.route.keeps_order() { voids } else { &[] };
        let add = |cmd: &mut Cmd| {
            cmd.arg(self.max_names).arg(millis);
            for guard in guards.iter().take(together.len()) {
                cmd.arg(&guard[..]);
            }
            for name in names {
                cmd.arg(name.as_str());
            }
        };
        let bytes = names.iter().map(|name| name.as_str().len()).sum::<usize>()
            + voids.iter().map(|key| key.len() + record::HEADER).sum::<usize>();
        let repeat = if together.is_empty() { Repeat::Harmless } else { Repeat::Never };
        let done = self.records.changing(voids, async {
            if together.len() < voids.len() {
                self.void_each(voids, &guards, millis).await?;
            }
            self.run(&scripts::LOG_INVALIDATE, known, together, add, (bytes, repeat)).await
        });
        let news = news_of(done.await?, known, self.records.route.place())?;
        let tokens = guards.iter().map(|guard| Token::new(guard.to_vec())).collect();
        Ok(Invalidated { number: news.position.number, news, tokens })
    }

    /// What else is under the log's keys has another cure than what is under those of records.
    fn explained(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Corrupt {
            return error;
        }
        let message = format!(
            "another program uses the keys of {}; choose another name for it with `.log(name)`, or delete them",
            self.place()
        );
        Error::new(ErrorKind::Corrupt, message).caused_by(error)
    }
}

impl SharedLog for RedisLog {
    fn news(&self, known: Option<Position>) -> Answer<'_, News> {
        Box::pin(async move {
            let told = self.run(&scripts::LOG_NEWS, known, &[], |_| {}, (0, Repeat::Harmless)).await?;
            news_of(told, known, self.records.route.place())
        })
    }

    fn read<'a>(
        &'a self,
        known: Option<Position>,
        key: &'a str,
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Record, News)> {
        Box::pin(self.read_record(known, key, guard_for))
    }

    fn invalidate<'a>(
        &'a self,
        known: Option<Position>,
        invalidation: Invalidation<'a>,
    ) -> Answer<'a, Invalidated> {
        Box::pin(self.carry_out(known, invalidation))
    }

    fn marks<'a>(
        &'a self,
        known: Option<Position>,
        names: &'a [Name],
    ) -> Answer<'a, (Vec<Option<u64>>, News)> {
        Box::pin(async move {
            let add = |cmd: &mut Cmd| names.iter().for_each(|name| _ = cmd.arg(name.as_str()));
            let bytes = names.iter().map(|name| name.as_str().len()).sum();
            let told = self.run(&scripts::LOG_MARKS, known, &[], add, (bytes, Repeat::Harmless)).await?;
            marks_of(told, known, names.len(), self.records.route.place())
        })
    }

    fn place(&self) -> String {
        format!("the log `{}` of Redis at {}", self.keys.name(), self.records.route.place())
    }
}

impl fmt::Debug for RedisLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLog").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// A number that no era has had.
fn new_era() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn add_known(cmd: &mut Cmd, known: Option<Position>, new_era: u64) {
    match known {
        Some(Position { era, number }) => cmd.arg(era).arg(number),
        None => cmd.arg("").arg(0),
    };
    cmd.arg(new_era).arg(MOST_NEWS);
}

fn each<T, const N: usize>(answers: Vec<T>, place: &str) -> Result<[T; N]> {
    answers.try_into().map_err(|_| fault::unexpected(place))
}
