//! What a server answers about its log.

use crate::fault;
use crate::identity::Identity;
use crate::line::Reply;
use larder_core::{Name, News, Position, Result};
use redis::Value;

/// Where a log stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) position: Position,
    floor: u64,
    key_floor: u64,
}

impl Standing {
    /// Reads the state, unless a part of it is missing, or another server than the one that answers has written it.
    pub(super) fn read(reply: &Reply) -> Option<Self> {
        let Value::Array(fields) = &reply.value else { return None };
        let [Value::BulkString(server), era, number, floor, key_floor] = &fields[..] else { return None };
        if reply.server != Some(Identity::of(server)) {
            return None;
        }
        let position = Position { era: number_of(era)?, number: number_of(number)? };
        Some(Standing { position, floor: number_of(floor)?, key_floor: number_of(key_floor)? })
    }

    /// The news, if there is none for somebody who knows this.
    pub(super) fn nothing_new_since(&self, known: Option<Position>) -> Option<News> {
        let is_of_another = known.is_none_or(|known| known.era != self.position.era);
        (is_of_another || known == Some(self.position)).then(|| self.with(Some(Vec::new())))
    }

    fn with(self, since: Option<Vec<(Name, u64)>>) -> News {
        News { position: self.position, since, floor: self.floor, key_floor: self.key_floor }
    }
}

/// Reads what the script of the news returns: era, number, the floors, whether all can be told, and each name with its
/// number.
pub(super) fn news_of(told: Value, known: Option<Position>, place: &str) -> Result<News> {
    let unexpected = || fault::unexpected(place);
    let Value::Array(told) = told else { return Err(unexpected()) };
    let [era, number, floor, key_floor, all, marks @ ..] = &told[..] else { return Err(unexpected()) };
    let read = |value| number_of(value).ok_or_else(unexpected);
    let position = Position { era: read(era)?, number: read(number)? };
    let standing = Standing { position, floor: read(floor)?, key_floor: read(key_floor)? };
    if let Some(news) = standing.nothing_new_since(known) {
        return Ok(news);
    }
    if read(all)? == 0 {
        return Ok(standing.with(None));
    }
    // A name that a later release has made says that something happened, and not what.
    let marks = marks.chunks_exact(2).map(|mark| Some((name_of(&mark[0])?, number_of(&mark[1])?)));
    Ok(standing.with(marks.collect()))
}

/// Reads what the script of the marks returns: the marks, and the news.
pub(super) fn marks_of(
    told: Value,
    known: Option<Position>,
    count: usize,
    place: &str,
) -> Result<(Vec<Option<u64>>, News)> {
    let unexpected = || fault::unexpected(place);
    let Value::Array(told) = told else { return Err(unexpected()) };
    let Ok([Value::Array(marks), news]) = <[Value; 2]>::try_from(told) else { return Err(unexpected()) };
    let marks = marks.iter().map(|mark| match mark {
        Value::Nil => Ok(None),
        mark => number_of(mark).map(Some).ok_or_else(unexpected),
    });
    let marks: Vec<_> = marks.collect::<Result<_>>()?;
    if marks.len() != count {
        return Err(unexpected());
    }
    Ok((marks, news_of(news, known, place)?))
}

fn number_of(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(text) => str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

fn name_of(value: &Value) -> Option<Name> {
    match value {
        Value::BulkString(text) => Name::parse(str::from_utf8(text).ok()?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Value {
        Value::Array(texts.iter().map(|text| Value::BulkString((*text).into())).collect())
    }

    fn at(number: u64) -> Position {
        Position { era: u64::MAX, number }
    }

    const ERA: &str = "18446744073709551615";

    #[test]
    fn news_is_read_with_all_digits() {
        let told = texts(&[ERA, "9007199254740993", "2", "3", "1", "k-users:ada", "9"]);
        let news = news_of(told, Some(at(8)), "h:1").unwrap();
        assert_eq!(news.position, at(9_007_199_254_740_993));
        assert_eq!((news.floor, news.key_floor), (2, 3));
        assert_eq!(news.since, Some(vec![(Name::key("users:ada"), 9)]));
    }

    #[test]
    fn what_cannot_be_told_or_understood_is_no_list() {
        for told in [
            texts(&[ERA, "9", "0", "0", "0"]),
            texts(&[ERA, "9", "0", "0", "1", "k-users:ada", "9", "later release", "8"]),
            texts(&[ERA, "9", "0", "0", "1", "k-users:ada", "nine"]),
        ] {
            assert_eq!(news_of(told, Some(at(7)), "h:1").unwrap().since, None);
        }
        let told = texts(&[ERA, "9", "0", "0", "0"]);
        assert_eq!(
            news_of(told, None, "h:1").unwrap().since,
            Some(Vec::new()),
            "who knows nothing missed nothing"
        );
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for garbled in [
            Value::Nil,
            texts(&[ERA, "9", "0", "0"]),
            texts(&[ERA, "-9", "0", "0", "1"]),
            texts(&["", "9", "0", "0", "1"]),
            Value::Array(vec![Value::Int(1); 5]),
        ] {
            assert!(news_of(garbled.clone(), Some(at(7)), "h:1").is_err(), "{garbled:?}");
            assert!(marks_of(garbled.clone(), Some(at(7)), 1, "h:1").is_err(), "{garbled:?}");
            let both = Value::Array(vec![Value::Array(vec![Value::Nil]), garbled.clone()]);
            assert!(marks_of(both, Some(at(7)), 1, "h:1").is_err(), "{garbled:?}");
        }
        let fewer = Value::Array(vec![texts(&["1"]), texts(&[ERA, "9", "0", "0", "1"])]);
        assert!(marks_of(fewer, Some(at(9)), 2, "h:1").is_err());
    }

    #[test]
    fn a_state_counts_if_it_is_whole_and_of_the_server_that_answers() {
        let server = Some(Identity::of(b"run"));
        let reply = |texts: &Value, server| Reply { value: texts.clone(), server };
        let whole = texts(&["run", "7", "3", "1", "2"]);
        let standing = Standing::read(&reply(&whole, server)).unwrap();
        assert_eq!(standing.position, Position { era: 7, number: 3 });
        for known in [None, Some(Position { era: 8, number: 9 }), Some(standing.position)] {
            assert_eq!(standing.nothing_new_since(known).unwrap().since, Some(Vec::new()), "{known:?}");
        }
        for known in [2, 4].map(|number| Some(Position { era: 7, number })) {
            assert_eq!(standing.nothing_new_since(known), None, "{known:?}");
        }

        assert_eq!(Standing::read(&reply(&whole, None)), None, "it does not say which it is");
        assert_eq!(Standing::read(&reply(&whole, Some(Identity::of(b"other")))), None);
        for partial in [texts(&["run", "7", "3", "1"]), texts(&["run", "7", "x", "1", "2"]), Value::Nil] {
            assert_eq!(Standing::read(&reply(&partial, server)), None, "{partial:?}");
        }
    }
}
