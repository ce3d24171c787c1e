//! Settings in TOML.
//!
//! ```toml
//! enabled = true
//! namespace_prefix = "staging"
//!
//! [caches.users]
//! ttl = "60s"
//! url = "redis://cache:6379"
//!
//! [caches."app::prices::price"]
//! capacity = 500
//! ```

use super::setting::{Setting, Value};
use super::settings::Section;
use super::{shown, wrong};
use crate::{Error, Result, Settings};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

impl Settings {
    /// Reads TOML: `enabled` and `namespace_prefix`, and a table `[caches.<name>]` for each cache. Wants the feature `config`.
    ///
    /// Spans are text, as in variables; numbers and booleans may be either.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with the line, for what is no TOML, a key that nobody knows, and a value that cannot be used. Values
    /// that may hold a password are not shown.
    ///
    /// # Examples
    ///
    /// ```
    /// let text = "
    ///     [caches.users]
    ///     ttl = '90s'
    ///     capacity = 500
    /// ";
    /// let settings = larder::Settings::from_toml(text)?;
    /// assert_eq!(format!("{settings:?}"), "Settings { users.ttl: 90s, users.capacity: 500 }");
    ///
    /// let error = larder::Settings::from_toml(&text.replace("ttl", "tll")).unwrap_err();
    /// assert!(error.to_string().contains("line 3: `tll` is no setting of the cache `users`; there are `enabled`, `ttl`"));
    /// # larder::Result::Ok(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self> {
        Settings::new().with_toml(text)
    }

    /// Adds what TOML says. Wants the feature `config`.
    ///
    /// # Errors
    ///
    /// As of [`from_toml`](Self::from_toml).
    ///
    /// # Examples
    ///
    /// ```
    /// let settings = larder::Settings::from_env()?.with_toml("enabled = false")?;
    /// assert_eq!(format!("{settings:?}"), "Settings { enabled: false }");
    /// # larder::Result::Ok(())
    /// ```
    pub fn with_toml(mut self, text: &str) -> Result<Self> {
        let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let bad = |at: usize, why: &str| wrong(format!("TOML, line {}: {why}", line_of(at)));
        // Its `Display` quotes the line, which may hold a password.
        let parsed = DeTable::parse(text);
        let parsed = parsed.map_err(|e| bad(e.span().map_or(0, |span| span.start), e.message()))?;
        let (mut enabled, mut prefix) = (None, None);
        for (key, value) in parsed.get_ref() {
            let at = key.span().start;
            match (&**key.get_ref(), value.get_ref()) {
                ("enabled", said) => match read(Setting::Enabled, said) {
                    Ok(Value::Flag(flag)) => enabled = Some(flag),
                    Ok(_) => {}
                    Err(why) => return Err(bad(at, &format!("`enabled` {why}"))),
                },
                ("namespace_prefix", DeValue::String(said)) => prefix = Some(said.to_string()),
                ("namespace_prefix", _) => return Err(bad(at, "`namespace_prefix` is a text")),
                ("caches", DeValue::Table(caches)) => {
                    for (name, section) in caches {
                        let section = read_section(name, section, &line_of, &bad)?;
                        self.say_in_section(name.get_ref(), section);
                    }
                }
                ("caches", _) => return Err(bad(at, "`caches` is a table: `[caches.<name>]`")),
                (key, _) => {
                    let known = "`enabled`, `namespace_prefix` and `[caches.<name>]`";
                    return Err(bad(at, &format!("nobody knows {}; there are {known}", shown(key))));
                }
            }
        }
        self.say_of_all(enabled, prefix);
        Ok(self)
    }
}

fn read_section(
    name: &Spanned<DeString<'_>>,
    section: &Spanned<DeValue<'_>>,
    line_of: &dyn Fn(usize) -> usize,
    bad: &dyn Fn(usize, &str) -> Error,
) -> Result<Section> {
    let at = name.span().start;
    super::settings::variables_of(name.get_ref())?;
    let DeValue::Table(said) = section.get_ref() else {
        return Err(bad(at, &format!("the settings of a cache are a table: `[caches.{}]`", name.get_ref())));
    };
    let mut read_so_far = Section { line: line_of(at), ..Section::default() };
    for (key, value) in said {
        let at = key.span().start;
        let Some(setting) = Setting::ALL.into_iter().find(|setting| setting.name() == key.get_ref()) else {
            let (key, known) = (shown(key.get_ref()), Setting::names());
            return Err(bad(
                at,
                &format!("{key} is no setting of the cache `{}`; there are {known}", name.get_ref()),
            ));
        };
        let value =
            read(setting, value.get_ref()).map_err(|why| bad(at, &format!("`{}` {why}", setting.name())))?;
        read_so_far.said.insert(setting, (value, line_of(at)));
    }
    Ok(read_so_far)
}

/// Reads a value as if it stood in a variable.
fn read(setting: Setting, value: &DeValue<'_>) -> std::result::Result<Value, String> {
    let is_text = matches!(setting, Setting::Url | Setting::Namespace);
    match value {
        DeValue::String(text) => setting.parse(text),
        _ if is_text => Err("is a text".into()),
        DeValue::Integer(number) => setting.parse(&number.to_string()),
        DeValue::Float(number) => setting.parse(number.as_str()),
        DeValue::Boolean(flag) => setting.parse(if *flag { "true" } else { "false" }),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err("is a text, a number, or `true` or `false`".into())
        }
    }
}
