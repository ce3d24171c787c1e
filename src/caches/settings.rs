//! The settings of a registry: what TOML and the environment say.

use super::setting::{Secret, Setting, Value, flag};
use super::{shown, wrong};
use crate::{CacheSettings, Result};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

/// What TOML and the environment say about the caches of a [registry](crate::Caches): the table there has it all.
///
/// The environment comes before TOML, and both before what the code says, whichever was read first. Of two texts of TOML the later one counts, setting by
/// setting, as of two environments.
///
/// # Default
///
/// They say nothing, and nothing is read.
///
/// # Examples
///
/// ```
/// use larder::{ErrorKind, Settings};
///
/// let settings = Settings::from_vars([("LARDER_USERS_TTL", "90s"), ("PATH", "/bin")])?;
/// assert_eq!(format!("{settings:?}"), "Settings { LARDER_USERS_TTL: 90s }");
///
/// let error = Settings::from_vars([("LARDER_USERS_TTL", "90")]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert!(error.to_string().contains("`LARDER_USERS_TTL` is `90` (a unit is missing after `90`); right is a span"));
/// # larder::Result::Ok(())
/// ```
#[derive(Clone, Default, PartialEq)]
#[must_use = "settings do nothing until a registry is made of them"]
pub struct Settings {
    toml: Source<Section>,
    /// The names of caches are as they stand in the names of variables.
    variables: Source<BTreeMap<Setting, Value>>,
    /// Variables that begin as ours do, and name no setting. They may be a stranger's.
    strangers: Vec<String>,
}

/// What one source says.
#[derive(Clone, PartialEq)]
struct Source<T> {
    enabled: Option<bool>,
    prefix: Option<String>,
    caches: BTreeMap<String, T>,
}

impl<T> Default for Source<T> {
    fn default() -> Self {
        Source { enabled: None, prefix: None, caches: BTreeMap::new() }
    }
}

/// A section of TOML.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Section {
    pub(super) line: usize,
    pub(super) said: BTreeMap<Setting, (Value, usize)>,
}

/// What a cache is to be, with where each setting was said, for errors.
#[derive(Clone, Default)]
pub(super) struct Resolved {
    pub(super) values: BTreeMap<Setting, (Value, String)>,
}

impl Resolved {
    pub(super) fn get(&self, setting: Setting) -> Option<&Value> {
        self.values.get(&setting).map(|(value, _)| value)
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.get(Setting::Enabled) != Some(&Value::Flag(false))
    }

    /// The first setting in which it differs, for people.
    pub(super) fn difference(&self, asked: &Resolved) -> Option<String> {
        let differs = |setting: &Setting| self.get(*setting) != asked.get(*setting);
        let setting = Setting::ALL.into_iter().find(differs)?;
        let say = |resolved: &Resolved| match resolved.values.get(&setting) {
            Some((value, origin)) => format!("{value} ({origin})"),
            None => "nothing".into(),
        };
        Some(format!("`{}`, {} and {}", setting.name(), say(self), say(asked)))
    }
}

const PREFIX: &str = "LARDER_";
const ENABLED: &str = "LARDER_ENABLED";
const NAMESPACE_PREFIX: &str = "LARDER_NAMESPACE_PREFIX";

impl Settings {
    /// Returns settings that say nothing.
    pub fn new() -> Self {
        Settings::default()
    }

    /// Reads the environment of this process.
    ///
    /// # Errors
    ///
    /// As of [`from_vars`](Self::from_vars).
    ///
    /// # Examples
    ///
    /// ```
    /// let caches = larder::Caches::new(larder::Settings::from_env()?);
    /// assert!(caches.names().is_empty());
    /// # larder::Result::Ok(())
    /// ```
    pub fn from_env() -> Result<Self> {
        Settings::new().with_env()
    }

    /// Reads variables from elsewhere than the environment of this process, in a test for example.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for the value of a variable of ours that cannot be used: the error names the variable, shows the
    /// value (but no address, which may hold a password), and says what is right. An address, and a variable that names a cache
    /// and no setting of it, are looked at when that cache is made.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = larder::Settings::from_vars([("LARDER_USERS_CAPACITY", "lots")]).unwrap_err();
    /// assert!(error.to_string().ends_with(
    ///     "`LARDER_USERS_CAPACITY` is `lots`; right is a number of entries, at least 1"
    /// ));
    /// ```
    pub fn from_vars<N: Into<OsString>, T: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self> {
        Settings::new().with_vars(variables)
    }

    /// Adds the environment of this process.
    ///
    /// # Errors
    ///
    /// As of [`from_vars`](Self::from_vars).
    ///
    /// # Examples
    ///
    /// ```
    /// let settings = larder::Settings::new().with_env()?;
    /// assert_eq!(settings, larder::Settings::from_env()?);
    /// # larder::Result::Ok(())
    /// ```
    pub fn with_env(self) -> Result<Self> {
        self.with_vars(std::env::vars_os())
    }

    /// Adds variables.
    ///
    /// # Errors
    ///
    /// As of [`from_vars`](Self::from_vars).
    ///
    /// # Examples
    ///
    /// ```
    /// let settings = larder::Settings::new().with_vars([("LARDER_ENABLED", "off")])?;
    /// assert_eq!(format!("{settings:?}"), "Settings { LARDER_ENABLED: false }");
    /// # larder::Result::Ok(())
    /// ```
    pub fn with_vars<N: Into<OsString>, T: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self> {
        for (name, value) in variables {
            let name = name.into();
            if let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) {
                self.add_variable(name, &value.into())?;
            }
        }
        Ok(self)
    }

    fn add_variable(&mut self, name: &str, value: &OsString) -> Result<()> {
        let bad = |why: String| wrong(format!("`{name}` {why}"));
        let text = || value.to_str().ok_or_else(|| bad("is no UTF-8".into()));
        if name == ENABLED {
            self.variables.enabled = Some(flag(text()?).map_err(bad)?);
        } else if name == NAMESPACE_PREFIX {
            self.variables.prefix = Some(text()?.into());
        } else if let Some((cache, setting)) = read_name(name) {
            if cache.is_empty() {
                let known = format!("`{ENABLED}` and `{NAMESPACE_PREFIX}`");
                let cure = format!("a setting of one cache is `{PREFIX}<NAME>_{}`", &name[PREFIX.len()..]);
                return Err(bad(format!("is of no cache: {cure}, and of all there are {known}")));
            }
            let value = match (setting, text()?) {
                // Addresses of others' may begin as ours do, so this is looked at when its cache is made.
                (Setting::Url, url) if url != "none" => Value::Url(Secret(url.into())),
                (_, text) => setting.parse(text).map_err(bad)?,
            };
            self.variables.caches.entry(cache.into()).or_default().insert(setting, value);
        } else if !self.strangers.iter().any(|known| known == name) {
            self.strangers.push(name.into());
        }
        Ok(())
    }

    /// What such a cache is to be.
    pub(super) fn resolve(&self, name: &str, said: &CacheSettings) -> Result<Resolved> {
        let variables = variables_of(name)?;
        let begins = format!("{PREFIX}{variables}_");
        if let Some(stranger) = self.strangers.iter().find(|stranger| stranger.starts_with(&begins)) {
            let known = Setting::ALL.map(|setting| format!("`{begins}{}`", setting.name().to_uppercase()));
            let known = known.join(", ");
            return Err(wrong(format!(
                "`{stranger}` is no setting of the cache `{name}`; there are {known}"
            )));
        }
        let mut values = BTreeMap::new();
        for (setting, value) in &said.said {
            values.insert(*setting, (value.clone(), CODE.into()));
        }
        values.extend(self.said_outside(name, &variables));
        values.retain(|_, (value, _)| *value != Value::None);
        if let Some((Value::Url(url), origin)) = values.get(&Setting::Url) {
            if let Some(why) = crate::open::refusal(&url.0) {
                return Err(wrong(format!(
                    "the address of the cache `{name}` ({origin}) cannot be used: {why}"
                )));
            }
            let (namespace, origin) = match values.remove(&Setting::Namespace) {
                Some((Value::Text(namespace), origin)) => (namespace, origin),
                _ => (name.to_owned(), "its name".into()),
            };
            let prefix = self.variables.prefix.as_ref().or(self.toml.prefix.as_ref());
            let namespace = match prefix.filter(|prefix| !prefix.is_empty()) {
                Some(prefix) => format!("{prefix}.{namespace}"),
                None => namespace,
            };
            values.insert(Setting::Namespace, (Value::Text(namespace), origin));
        } else {
            // They are of the store that is not there.
            values.remove(&Setting::Namespace);
            values.remove(&Setting::LevelTimeout);
        }
        // What turns off all of them comes before what is said of one.
        let all = self.variables.enabled.map(|enabled| (enabled, format!("`{ENABLED}`")));
        let all = all.or_else(|| self.toml.enabled.map(|enabled| (enabled, "`enabled` in TOML".into())));
        if let Some((false, origin)) = all {
            values.insert(Setting::Enabled, (Value::Flag(false), origin));
        }
        if let Some((Value::Flag(true), _)) = values.get(&Setting::Enabled) {
            values.remove(&Setting::Enabled);
        }
        Ok(Resolved { values })
    }

    /// These without one setting of a cache, and without what is no setting of any.
    pub(super) fn without(&self, name: &str, setting: Setting) -> Settings {
        let mut left = self.clone();
        left.strangers.clear();
        if let Some(section) = left.toml.caches.get_mut(name) {
            section.said.remove(&setting);
        }
        if let Some(said) = variables_of(name).ok().and_then(|name| left.variables.caches.get_mut(&name)) {
            said.remove(&setting);
        }
        left
    }

    /// What TOML and the environment say of one cache.
    pub(super) fn said_outside(&self, name: &str, variables: &str) -> Vec<(Setting, (Value, String))> {
        let section = self.toml.caches.get(name).into_iter().flat_map(|section| &section.said);
        let section = section
            .map(|(setting, (value, line))| (*setting, (value.clone(), format!("line {line} of the TOML"))));
        let variables = self.variables.caches.get(variables).into_iter().flat_map(|said| {
            said.iter().map({
                move |(setting, value)| {
                    (*setting, (value.clone(), format!("`{}`", variable(variables, *setting))))
                }
            })
        });
        section.chain(variables).collect()
    }

    /// What is said of caches other than these.
    pub(super) fn said_of_others(&self, names: &[String]) -> Vec<String> {
        let variables: Vec<String> = names.iter().filter_map(|name| variables_of(name).ok()).collect();
        let sections = self.toml.caches.iter().filter(|(name, _)| !names.contains(name));
        let sections = sections.map(|(name, section)| format!("[caches.{name}] in line {}", section.line));
        let unknown = self.variables.caches.iter().filter(|(name, _)| !variables.contains(name));
        let unknown =
            unknown.flat_map(|(name, said)| said.keys().map(move |setting| variable(name, *setting)));
        sections.chain(unknown).chain(self.strangers.iter().cloned()).collect()
    }

    #[cfg(feature = "config")]
    pub(super) fn say_of_all(&mut self, enabled: Option<bool>, prefix: Option<String>) {
        self.toml.enabled = enabled.or(self.toml.enabled);
        self.toml.prefix = prefix.or_else(|| self.toml.prefix.take());
    }

    #[cfg(feature = "config")]
    pub(super) fn say_in_section(&mut self, name: &str, section: Section) {
        let known = self.toml.caches.entry(name.into()).or_default();
        known.line = section.line;
        known.said.extend(section.said);
    }
}

/// Where a setting comes from that nobody outside has said.
const CODE: &str = "said by the code";

fn variable(cache: &str, setting: Setting) -> String {
    format!("{PREFIX}{cache}_{}", setting.name().to_uppercase())
}

/// Reads the name of a variable of ours: the part that names the cache, and the setting.
fn read_name(name: &str) -> Option<(&str, Setting)> {
    let rest = name.strip_prefix(PREFIX)?;
    Setting::ALL.into_iter().find_map(|setting| {
        let cache = rest.strip_suffix(&setting.name().to_uppercase())?;
        if cache.is_empty() { Some((cache, setting)) } else { Some((cache.strip_suffix('_')?, setting)) }
    })
}

/// The part of the names of variables that stands for this cache: in upper case, with each run of what is neither a letter
/// nor a digit of ASCII as one `_`.
pub(super) fn variables_of(name: &str) -> Result<String> {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let variables = parts.map(str::to_ascii_uppercase).collect::<Vec<_>>().join("_");
    if variables.is_empty() {
        let why = "it wants a letter or a digit, by which its variables can be named";
        return Err(wrong(format!("{} is no name of a cache: {why}", shown(name))));
    }
    Ok(variables)
}

impl fmt::Debug for Settings {
    /// Prints what is said and where, but no addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Settings");
        if let Some(enabled) = self.toml.enabled {
            out.field("enabled", &enabled);
        }
        if let Some(prefix) = &self.toml.prefix {
            out.field("namespace_prefix", prefix);
        }
        for (name, section) in &self.toml.caches {
            for (setting, (value, _)) in &section.said {
                out.field(&format!("{name}.{}", setting.name()), &format_args!("{value}"));
            }
        }
        if let Some(enabled) = self.variables.enabled {
            out.field(ENABLED, &enabled);
        }
        if let Some(prefix) = &self.variables.prefix {
            out.field(NAMESPACE_PREFIX, prefix);
        }
        for (name, said) in &self.variables.caches {
            for (setting, value) in said {
                out.field(&variable(name, *setting), &format_args!("{value}"));
            }
        }
        if !self.strangers.is_empty() {
            out.field("unknown", &self.strangers);
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_variables() {
        let names = [
            ("users", "USERS"),
            ("app::users::user", "APP_USERS_USER"),
            ("web-sessions 2", "WEB_SESSIONS_2"),
            ("--users--", "USERS"),
            ("größe", "GR_E"),
        ];
        for (name, variables) in names {
            assert_eq!(variables_of(name).expect("it has letters"), variables);
        }
        assert!(variables_of("::").is_err());
        assert!(variables_of("").is_err());
    }

    #[test]
    fn variables_are_read_from_their_end() {
        assert_eq!(read_name("LARDER_USERS_TTL"), Some(("USERS", Setting::Ttl)));
        assert_eq!(read_name("LARDER_A_B_STALE_IF_ERROR"), Some(("A_B", Setting::StaleIfError)));
        assert_eq!(read_name("LARDER_TTL"), Some(("", Setting::Ttl)));
        assert_eq!(read_name("LARDER_USERSTTL"), None);
        assert_eq!(read_name("LARDER_USERS_TLL"), None);
    }
}
