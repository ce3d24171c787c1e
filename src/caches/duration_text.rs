//! Spans of time as text: `500ms`, `60s`, `1h30m`, `2d`, `0`.

use std::time::Duration;

/// What is right, for errors.
pub(crate) const EXPECTED: &str = "a span such as `500ms`, `60s`, `1h30m`, `2d` or `0`";

/// The units, the largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a span. The error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    match text {
        "" => return Err("it is empty".into()),
        "0" => return Ok(Duration::ZERO),
        _ if text.starts_with('-') => return Err("no span is negative".into()),
        _ => {}
    }
    let (mut rest, mut millis, mut units) = (text, 0_u64, &UNITS[..]);
    while !rest.is_empty() {
        let (number, behind) = split(rest, |byte| byte.is_ascii_digit());
        let (unit, behind) = split(behind, |byte| !byte.is_ascii_digit());
        if number.is_empty() {
            return Err(format!("a number is missing before {}", super::shown(unit)));
        }
        if unit.is_empty() {
            return Err(format!("a unit is missing after `{number}`"));
        }
        let Some(place) = units.iter().position(|(known, _)| *known == unit) else {
            let is_known = UNITS.iter().any(|(known, _)| *known == unit);
            return Err(if is_known {
                "units come once, the largest first".into()
            } else {
                format!("{} is no unit", super::shown(unit))
            });
        };
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(units[place].1));
        millis = part.and_then(|part| part.checked_add(millis)).ok_or("it is too long")?;
        (rest, units) = (behind, &units[place + 1..]);
    }
    Ok(Duration::from_millis(millis))
}

/// Splits where the bytes end that are so.
fn split(text: &str, is_so: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !is_so(byte)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        let spans = [
            ("0", 0),
            ("0s", 0),
            ("500ms", 500),
            ("60s", 60_000),
            ("90m", 5_400_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("1m500ms", 60_500),
        ];
        for (text, millis) in spans {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_says_why() {
        let wrong = [
            ("", "empty"),
            ("60", "a unit is missing after `60`"),
            ("1h30", "a unit is missing after `30`"),
            ("s", "a number is missing before `s`"),
            ("-5s", "negative"),
            ("5 s", "no unit"),
            (" 5s", "a number is missing"),
            ("5sec", "`sec` is no unit"),
            ("5S", "`S` is no unit"),
            ("1.5s", "`.` is no unit"),
            ("5µs", "`µs` is no unit"),
            ("30m1h", "the largest first"),
            ("1s1s", "units come once"),
            ("99999999999999999999s", "too long"),
            ("18446744073709551615s", "too long"),
            ("213503982335d", "too long"),
            ("18446744073709551s999ms", "too long"),
        ];
        for (text, why) in wrong {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
