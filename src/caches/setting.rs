//! The settings that a cache has, their names and what may be said of them.

use super::duration_text;
use super::shown;
use std::fmt;
use std::time::Duration;

/// One setting. The order is that of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    Enabled,
    Ttl,
    Stale,
    StaleIfError,
    RetryAfter,
    Jitter,
    SoftTimeout,
    HardTimeout,
    RefreshAhead,
    Capacity,
    Url,
    Namespace,
    LevelTimeout,
}

/// What is said of a setting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// What the code says does not count: as if nobody had said anything.
    None,
    Flag(bool),
    Span(Duration),
    Fraction(f64),
    Entries(usize),
    Text(String),
    Url(Secret),
}

/// An address, which may hold a password. It is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::None => f.write_str("none"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Span(span) => write!(f, "{span:?}"),
            Value::Fraction(fraction) => write!(f, "{fraction}"),
            Value::Entries(entries) => write!(f, "{entries}"),
            Value::Text(text) => f.write_str(&shown(text)),
            Value::Url(secret) => write!(f, "{secret:?}"),
        }
    }
}

impl Setting {
    pub(crate) const ALL: [Setting; 13] = [
        Setting::Enabled,
        Setting::Ttl,
        Setting::Stale,
        Setting::StaleIfError,
        Setting::RetryAfter,
        Setting::Jitter,
        Setting::SoftTimeout,
        Setting::HardTimeout,
        Setting::RefreshAhead,
        Setting::Capacity,
        Setting::Url,
        Setting::Namespace,
        Setting::LevelTimeout,
    ];

    /// The name in TOML, and of the method; in upper case the end of the variable.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Setting::Enabled => "enabled",
            Setting::Ttl => "ttl",
            Setting::Stale => "stale",
            Setting::StaleIfError => "stale_if_error",
            Setting::RetryAfter => "retry_after",
            Setting::Jitter => "jitter",
            Setting::SoftTimeout => "soft_timeout",
            Setting::HardTimeout => "hard_timeout",
            Setting::RefreshAhead => "refresh_ahead",
            Setting::Capacity => "capacity",
            Setting::Url => "url",
            Setting::Namespace => "namespace",
            Setting::LevelTimeout => "level_timeout",
        }
    }

    /// The names of all, for errors.
    #[cfg(feature = "config")]
    pub(crate) fn names() -> String {
        Setting::ALL.map(|setting| format!("`{}`", setting.name())).join(", ")
    }

    /// What is right.
    fn expected(self) -> String {
        match self {
            Setting::Enabled => FLAG.into(),
            Setting::Ttl | Setting::Stale | Setting::StaleIfError | Setting::RetryAfter => {
                format!("{}, or `none`", duration_text::EXPECTED)
            }
            Setting::SoftTimeout | Setting::HardTimeout | Setting::LevelTimeout => {
                "a span above 0 such as `500ms`, `60s` or `1h30m`, or `none`".into()
            }
            Setting::Jitter => "a number from 0 to below 1, such as `0.1`, or `none`".into(),
            Setting::RefreshAhead => "a number above 0 and below 1, such as `0.8`, or `none`".into(),
            Setting::Capacity => "a number of entries, at least 1".into(),
            Setting::Url => "an address such as `redis://host:6379`, or `none`".into(),
            Setting::Namespace => "a text that is not empty".into(),
        }
    }

    /// Reads what is said of it. The error says what was there, and what is right; addresses are not repeated.
    pub(crate) fn parse(self, text: &str) -> Result<Value, String> {
        let wrong = |why: &str| {
            let there = if self == Setting::Url { "an address (not shown)".into() } else { shown(text) };
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            format!("is {there}{why}; right is {}", self.expected())
        };
        let span = || duration_text::parse(text).map_err(|why| wrong(&why));
        let fraction = || text.parse::<f64>().map_err(|_| wrong("no number"));
        let may_be_none = !matches!(self, Setting::Enabled | Setting::Capacity | Setting::Namespace);
        Ok(match self {
            _ if text == "none" && may_be_none => Value::None,
            Setting::Enabled => Value::Flag(flag(text)?),
            Setting::Ttl | Setting::Stale | Setting::StaleIfError | Setting::RetryAfter => {
                Value::Span(span()?)
            }
            Setting::SoftTimeout | Setting::HardTimeout | Setting::LevelTimeout => {
                Value::Span(Some(span()?).filter(|span| !span.is_zero()).ok_or_else(|| wrong(""))?)
            }
            Setting::Jitter => {
                let fraction = Some(fraction()?).filter(|fraction| (0.0..1.0).contains(fraction));
                Value::Fraction(fraction.ok_or_else(|| wrong(""))?)
            }
            Setting::RefreshAhead => {
                let fraction = Some(fraction()?).filter(|fraction| *fraction > 0.0 && *fraction < 1.0);
                Value::Fraction(fraction.ok_or_else(|| wrong(""))?)
            }
            Setting::Capacity => {
                let entries = text.parse().ok().filter(|entries| *entries > 0);
                Value::Entries(entries.ok_or_else(|| wrong(""))?)
            }
            Setting::Url => match crate::open::refusal(text) {
                None => Value::Url(Secret(text.into())),
                Some(why) => return Err(format!("cannot be used: {why}")),
            },
            Setting::Namespace => {
                let text = Some(text).filter(|text| !text.is_empty());
                Value::Text(text.ok_or_else(|| wrong("it is empty"))?.into())
            }
        })
    }
}

const FLAG: &str = "`true`, `1`, `yes` or `on`, or `false`, `0`, `no` or `off`";

/// Reads yes or no.
pub(crate) fn flag(text: &str) -> Result<bool, String> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "1", "yes", "on"]) {
        Ok(true)
    } else if is(["false", "0", "no", "off"]) {
        Ok(false)
    } else {
        Err(format!("is {}; right is {FLAG}", shown(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_ends_as_another_one_does() {
        // So that a variable can be read in one way only.
        for setting in Setting::ALL {
            for other in Setting::ALL.into_iter().filter(|other| *other != setting) {
                assert!(!setting.name().ends_with(&format!("_{}", other.name())), "{setting:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_says_what_is_right() {
        let wrong = [
            (Setting::Enabled, "maybe", "`on`"),
            (Setting::Enabled, "none", "`on`"),
            (Setting::Ttl, "60", "`1h30m`"),
            (Setting::SoftTimeout, "0", "above 0"),
            (Setting::HardTimeout, "0ms", "above 0"),
            (Setting::LevelTimeout, "", "above 0"),
            (Setting::Jitter, "1", "below 1"),
            (Setting::Jitter, "NaN", "below 1"),
            (Setting::RefreshAhead, "0", "above 0"),
            (Setting::RefreshAhead, "80%", "`0.8`"),
            (Setting::Capacity, "0", "at least 1"),
            (Setting::Capacity, "-1", "at least 1"),
            (Setting::Capacity, "none", "at least 1"),
            (Setting::Namespace, "", "not empty"),
            (Setting::Url, "localhost", "`redis://`"),
        ];
        for (setting, text, right) in wrong {
            let error = setting.parse(text).unwrap_err();
            assert!(error.contains(right), "{setting:?} {text}: {error}");
        }
    }

    #[test]
    fn an_address_is_not_repeated_wherever_it_was_put() {
        for setting in Setting::ALL {
            if let Err(error) = setting.parse("rodis://:hunter2@localhost") {
                assert!(!error.contains("hunter2"), "{error}");
            }
        }
        let url = Setting::Url.parse("memory:///hunter2").unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
    }
}
