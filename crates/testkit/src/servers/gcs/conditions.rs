//! What a request asks of the object that is there: conditions, and a range.

use super::buckets::{NO_SUCH_KEY, Object, Refusal};
use axum::http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RANGE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

const PRECONDITION_FAILED: Refusal = (StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
const NOT_MODIFIED: Refusal = (StatusCode::NOT_MODIFIED, "NotModified");
const BAD_VALUE: Refusal = (StatusCode::BAD_REQUEST, "InvalidArgument");
const NOT_SATISFIABLE: Refusal = (StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");

/// What the present state of an object must be for a write: `x-goog-if-generation-match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The header is not there.
    Anything,
    /// It is 0.
    Missing,
    /// It is anything else.
    Generation(u64),
}

impl Expected {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        match text(headers, &HeaderName::from_static("x-goog-if-generation-match")).map(str::parse) {
            None => Ok(Expected::Anything),
            Some(Ok(0)) => Ok(Expected::Missing),
            Some(Ok(generation)) => Ok(Expected::Generation(generation)),
            Some(Err(_)) => Err(BAD_VALUE),
        }
    }

    pub(super) fn check(self, object: Option<&Object>) -> Result<(), Refusal> {
        let present = object.map(|object| object.generation);
        let holds = match self {
            Expected::Anything => true,
            Expected::Missing => present.is_none(),
            Expected::Generation(generation) => present == Some(generation),
        };
        if holds { Ok(()) } else { Err(PRECONDITION_FAILED) }
    }
}

/// Checks what a read asks for. `generation` is the one in the URL; only the newest of an object is kept.
pub(super) fn check_read(
    object: &Object,
    generation: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    if generation.is_some_and(|asked| asked != object.generation.to_string()) {
        return Err(NO_SUCH_KEY);
    }
    Expected::of(headers)?.check(Some(object))?;

    // Dates have no fractions of a second. They count only without the condition on the ETag, says RFC 9110.
    let modified = seconds(object.modified);
    let date = |name| text(headers, &name).and_then(|date| httpdate::parse_http_date(date).ok()).map(seconds);
    let names = |tags: &str| tags.split(',').any(|tag| tag.trim() == "*" || tag.trim() == object.e_tag);
    match (text(headers, &IF_MATCH), date(IF_UNMODIFIED_SINCE)) {
        (Some(tags), _) if !names(tags) => return Err(PRECONDITION_FAILED),
        (None, Some(date)) if modified > date => return Err(PRECONDITION_FAILED),
        _ => {}
    }
    match (text(headers, &IF_NONE_MATCH), date(IF_MODIFIED_SINCE)) {
        (Some(tags), _) if names(tags) => Err(NOT_MODIFIED),
        (None, Some(date)) if modified <= date => Err(NOT_MODIFIED),
        _ => Ok(()),
    }
}

/// The bytes that a read asks for, of as many.
pub(super) fn range(headers: &HeaderMap, length: usize) -> Result<Option<Range<usize>>, Refusal> {
    let Some(asked) = text(headers, &RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let (first, last) = asked.split_once('-').ok_or(BAD_VALUE)?;
    let number = |text: &str| text.parse::<usize>().map_err(|_| BAD_VALUE);
    let range = match (first, last) {
        ("", count) => length.saturating_sub(number(count)?)..length,
        (first, "") => number(first)?..length,
        (first, last) => number(first)?..number(last)?.saturating_add(1).min(length),
    };
    if range.is_empty() { Err(NOT_SATISFIABLE) } else { Ok(Some(range)) }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking_for(asked: &str) -> Result<Option<Range<usize>>, Refusal> {
        range(&HeaderMap::from_iter([(RANGE, asked.parse().unwrap())]), 10)
    }

    #[test]
    fn a_range_has_a_beginning_or_an_end_or_both() {
        assert_eq!(range(&HeaderMap::new(), 10), Ok(None));
        assert_eq!(asking_for("bytes=2-4"), Ok(Some(2..5)));
        assert_eq!(asking_for("bytes=2-"), Ok(Some(2..10)));
        assert_eq!(asking_for("bytes=-4"), Ok(Some(6..10)));
        assert_eq!(asking_for("bytes=8-20"), Ok(Some(8..10)));
        assert_eq!(asking_for("bytes=-20"), Ok(Some(0..10)));
    }

    #[test]
    fn a_range_behind_the_end_cannot_be_had() {
        assert_eq!(asking_for("bytes=10-"), Err(NOT_SATISFIABLE));
        assert_eq!(asking_for("bytes=4-2"), Err(NOT_SATISFIABLE));
        assert_eq!(asking_for("bytes=a-b"), Err(BAD_VALUE));
    }
}
