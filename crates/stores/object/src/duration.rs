//! Time-outs as text: `500ms`, `10s`.

use larder_core::{Error, ErrorKind, Result};
use std::time::Duration;

pub(crate) fn parse(text: &str) -> Result<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let span = match (number.parse(), unit) {
        (Ok(number), "ms") => Duration::from_millis(number),
        (Ok(number), "s") => Duration::from_secs(number),
        _ => Duration::ZERO,
    };
    if span.is_zero() {
        let message = "`timeout` is not a time such as `500ms` or `10s`";
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_and_seconds_are_understood_and_nothing_else() {
        assert_eq!(parse("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(parse("10s").unwrap(), Duration::from_secs(10));
        for text in ["", "10", "s", "0s", "-1s", "1 s", "1m", "1.5s", "99999999999999999999s"] {
            assert_eq!(parse(text).unwrap_err().kind(), ErrorKind::Config, "{text}");
        }
    }
}
