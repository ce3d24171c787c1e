//! A registry of caches with names: [`Caches`].
//!
//! ```text
//! what the code says  ◀── TOML  ◀── the environment         get_or_create ── there? ── the same: that one
//!  .ttl(minutes(5))       ttl = "90s"   LARDER_USERS_TTL=5s      │             └─────── another: an error that says how
//!                                        counts                  └── not there: made, once, however many ask
//! ```

mod cache_settings;
mod control;
mod duration_text;
mod make;
mod managed;
mod of_functions;
mod registered;
mod setting;
mod settings;
mod state;
#[cfg(feature = "config")]
mod toml;

pub use cache_settings::CacheSettings;
pub use settings::Settings;

use crate::{
    BoxedBytes, Cache, Clock, Codec, Error, ErrorKind, Format, Holds, Key, Lookup, Memory, Native, Result,
};
use registered::{Form, Registered, Shape};
use setting::{Setting, Value};
use settings::Resolved;
use state::{Registry, State, resolve};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A registry of caches with names. Each is made once; their settings may come from outside; all are listed, paused, cleared
/// and shut down together.
///
/// It is a handle: clones are the same registry.
///
/// # Settings
///
/// What the code says ([`CacheSettings`]) are defaults. TOML comes before them, and the environment before TOML
/// ([`Settings`]). A value that cannot be used is an error that names the variable or the line, shows what was there, and says
/// what is right. In TOML a setting stands in `[caches.<name>]`, by the name in the first column:
///
/// | setting | variable | value | default |
/// |---|---|---|---|
/// | `enabled` of all | `LARDER_ENABLED` | yes or no; `no` makes every cache a pass-through, whatever is said of one | `yes` |
/// | `namespace_prefix` of all | `LARDER_NAMESPACE_PREFIX` | text that stands before each namespace, with a `.` between | none |
/// | `enabled` | `LARDER_<NAME>_ENABLED` | yes or no; `no` makes the cache a pass-through | `yes` |
/// | [`ttl`](Cache::ttl) | `LARDER_<NAME>_TTL` | span, `none` | `none`: no end |
/// | [`stale`](Cache::stale) | `LARDER_<NAME>_STALE` | span, `none` | `none` |
/// | [`stale_if_error`](Cache::stale_if_error) | `LARDER_<NAME>_STALE_IF_ERROR` | span, `none` | `none` |
/// | [`retry_after`](Cache::retry_after) | `LARDER_<NAME>_RETRY_AFTER` | span, `none` | `30s` |
/// | [`jitter`](Cache::jitter) | `LARDER_<NAME>_JITTER` | from 0 to below 1, `none` | `none` |
/// | [`soft_timeout`](Cache::soft_timeout) | `LARDER_<NAME>_SOFT_TIMEOUT` | span above 0, `none` | `none` |
/// | [`hard_timeout`](Cache::hard_timeout) | `LARDER_<NAME>_HARD_TIMEOUT` | span above 0, `none` | `none` |
/// | [`refresh_ahead`](Cache::refresh_ahead) | `LARDER_<NAME>_REFRESH_AHEAD` | above 0 and below 1, `none` | `none` |
/// | `capacity` of the memory | `LARDER_<NAME>_CAPACITY` | entries, at least 1 | `10000` |
/// | `url` of a store behind it | `LARDER_<NAME>_URL` | as [`open`](crate::open) takes it, `none` | `none` |
/// | [`namespace`](Cache::namespace) there | `LARDER_<NAME>_NAMESPACE` | text | the name |
/// | [`level_timeout`](Cache::level_timeout) there | `LARDER_<NAME>_LEVEL_TIMEOUT` | span above 0, `none` | `1s` |
///
/// - A span is written `500ms`, `60s`, `1h30m` (the largest unit first, of `d`, `h`, `m`, `s`, `ms`) or `0`. `none` takes
///   away what the code says. Yes is `true`, `1`, `yes` or `on`; no is `false`, `0`, `no` or `off`.
/// - `<NAME>` is the name in upper case, with each run of what is neither a letter nor a digit of ASCII as one `_`:
///   `app::users::user` is `APP_USERS_USER`. Two names with the same variables are an error.
/// - A variable that begins with `LARDER_<NAME>_` and names no setting, as `LARDER_USERS_TLL` does, is an error when that cache
///   is made. What is said of caches that nobody makes, [`unused_settings`](Self::unused_settings) tells.
/// - A pass-through loads at each call and stores nothing: its [reads](Cache::pause_reads) and
///   [writes](Cache::pause_writes) are paused, removals go through. Its store is opened as usual, but may be out of reach:
///   then it is left out, so that a service can be started without it.
///
/// # Examples
///
/// ```
/// use larder::{Caches, CacheSettings, Settings, prelude::*};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let environment = [("LARDER_AGES_TTL", "90s")];
/// let caches = Caches::new(Settings::from_vars(environment)?); // or `from_env()`
///
/// let said = CacheSettings::new().capacity(1_000).ttl(minutes(5));
/// let ages: Cache<str, u32> = caches.get_or_create("ages", said, Json).await?;
/// ages.insert("ada", 36).await?;
/// assert!(ages.lookup("ada").await?.unwrap().ttl_left() <= Some(secs(90)));
///
/// assert_eq!(caches.names(), ["ages"]);
/// assert_eq!(caches.stats()["ages"].hits(), 1);
/// caches.shutdown().await?;
/// # larder::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Caches(Arc<Registry>);

impl Caches {
    /// Makes an empty registry.
    ///
    /// # Examples
    ///
    /// ```
    /// let caches = larder::Caches::new(larder::Settings::new());
    /// assert!(caches.names().is_empty());
    /// ```
    pub fn new(settings: Settings) -> Self {
        let state = State { settings, ..State::default() };
        Caches(Arc::new(Registry { state: Mutex::new(state) }))
    }

    /// Returns the registry that every process has, for caches of functions. It reads no settings until it is
    /// [configured](Self::configure).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, CacheSettings, prelude::*};
    ///
    /// let squares = Caches::of_the_process().memory::<u64, u64>("app::square", CacheSettings::new())?;
    /// assert_eq!(Caches::of_the_process().names(), ["app::square"]);
    /// # larder::Result::Ok(())
    /// ```
    pub fn of_the_process() -> &'static Caches {
        static OF_THE_PROCESS: OnceLock<Caches> = OnceLock::new();
        OF_THE_PROCESS.get_or_init(Caches::default)
    }

    /// Takes other settings, for caches that are made from now on. The place for it is the beginning of `main`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if that would change caches which are there, because these do not change: the error names
    /// them, and the settings stay what they were.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, CacheSettings, Settings};
    ///
    /// let caches = Caches::default();
    /// caches.configure(Settings::from_vars([("LARDER_SQUARES_CAPACITY", "500")])?)?;
    /// let _squares = caches.memory::<u64, u64>("squares", CacheSettings::new())?;
    ///
    /// let error = caches.configure(Settings::new()).unwrap_err();
    /// assert!(error.to_string().contains("`squares`"));
    /// # larder::Result::Ok(())
    /// ```
    pub fn configure(&self, settings: Settings) -> Result<()> {
        let mut state = self.state();
        state.forget_what_failed();
        let mut changed = Vec::new();
        for (name, slot) in &state.slots {
            let stays = match slot.made.get() {
                Some(made) => {
                    let resolved = resolve(&settings, name, &made.said, made.shape.form)?;
                    made.resolved.difference(&resolved).is_none()
                }
                // Somebody makes it by what was said before.
                None => false,
            };
            if !stays {
                changed.push(format!("`{name}`"));
            }
        }
        if !changed.is_empty() {
            let names = changed.join(", ");
            return Err(wrong(format!(
                "the settings would be others of caches that were made before, which do not change: {names}; configure the \
                 registry before anything else"
            )));
        }
        state.settings = settings;
        Ok(())
    }

    /// Has caches that are made from now on take the time from `clock`: [`Cache::clock`].
    ///
    /// # Default
    ///
    /// [`SystemClock`](crate::SystemClock)
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, CacheSettings, Settings, prelude::*};
    /// use larder_testkit::MockClock;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let clock = MockClock::new();
    /// let caches = Caches::new(Settings::new()).clock(clock.clone());
    /// let ages = caches.memory("ages", CacheSettings::new().ttl(secs(60)))?;
    /// ages.insert("ada", 36).await?;
    /// clock.advance(secs(60));
    /// assert_eq!(ages.get("ada").await?, None);
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    #[must_use = "the registry is returned"]
    pub fn clock(self, clock: impl Clock) -> Self {
        self.state().clock = Some(Arc::new(clock));
        self
    }

    /// Returns the cache of this name, and makes it if it is not there: a memory, and behind it the store that its `url`
    /// names, which keeps what `codec` makes of the values. However many ask at the same time, one is made.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`]: the cache is there, and its types, its codec's type or its settings are others than these, which
    ///   the error names; or another cache has the same variables, or the same namespace in the same store; or the settings
    ///   cannot be used
    /// - as of [`open`](crate::open), for the store; the next call tries again
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the next call makes the cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, CacheSettings, Settings, prelude::*};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # #[cfg(feature = "object")] {
    /// let caches = Caches::new(Settings::from_vars([("LARDER_AGES_URL", "memory:///")])?);
    /// let said = || CacheSettings::new().ttl(minutes(5));
    /// let ages: Cache<str, u32> = caches.get_or_create("ages", said(), Json).await?;
    /// ages.insert("ada", 36).await?;
    /// assert_eq!(ages.stats().levels.len(), 2);
    ///
    /// let same: Cache<str, u32> = caches.get_or_create("ages", said(), Json).await?;
    /// assert_eq!(same.get("ada").await?, Some(36));
    ///
    /// let other = caches.get_or_create::<str, u32, _>("ages", said().ttl(secs(5)), Json).await;
    /// assert!(other.unwrap_err().to_string().contains("`ttl`, 300s (said by the code) and 5s"));
    /// # }
    /// # larder::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn get_or_create<K, V, C>(
        &self,
        name: &str,
        settings: CacheSettings,
        codec: C,
    ) -> Result<Cache<K, V>>
    where
        K: ?Sized + Key,
        V: Clone + Send + Sync + 'static,
        C: Codec<V> + Format,
    {
        let shape = Shape::created::<K, V, C>();
        let (slot, resolved) = {
            let mut state = self.state();
            let resolved = resolve(&state.settings, name, &settings, shape.form)?;
            (state.slot(name, &resolved)?, resolved)
        };
        let make = async || {
            let clock = self.state().clock.clone();
            let cache: Cache<K, V> = match self.store(name, &resolved).await? {
                Some(store) => make::over(name, &resolved, &clock, store, codec),
                None => make::alone(name, &resolved, &clock).boxed(),
            };
            Result::Ok(Registered::new(&cache, shape, settings, resolved.clone()))
        };
        let made = slot.made.get_or_try_init(make).await?;
        made.check(name, &shape, &resolved)?;
        made.boxed(name)
    }

    /// Returns the cache of this name in its full type, and makes it if it is not there: a memory and nothing else. This is what
    /// caches of functions are; it waits for nothing, and keys need not be text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], as of [`get_or_create`](Self::get_or_create); also where a `url` is said of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, CacheSettings, Settings, prelude::*};
    ///
    /// let caches = Caches::new(Settings::from_vars([("LARDER_APP_SQUARE_URL", "redis://cache")])?);
    /// let error = caches.memory::<u64, u64>("app::square", CacheSettings::new()).unwrap_err();
    /// assert!(error.to_string().contains("`LARDER_APP_SQUARE_URL`"));
    ///
    /// let cubes = caches.memory::<u64, u64>("app::cube", CacheSettings::new().ttl(hours(1)))?;
    /// assert_eq!(cubes.get_now(&3), None);
    /// # larder::Result::Ok(())
    /// ```
    pub fn memory<K, V>(
        &self,
        name: &str,
        settings: CacheSettings,
    ) -> Result<Cache<K, V, Memory<K, V>, Native>>
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
    {
        let shape = Shape::of::<K, V>(Form::Memory);
        let mut state = self.state();
        let resolved = resolve(&state.settings, name, &settings, shape.form)?;
        let slot = state.slot(name, &resolved)?;
        if slot.made.get().is_none() {
            let cache = make::alone(name, &resolved, &state.clock);
            let made = Registered::in_memory::<K, V>(&cache, shape, settings, resolved.clone());
            slot.made.set(made).map_err(|_| is_being_made(name))?;
        }
        let Some(made) = slot.made.get() else { return Err(is_being_made(name)) };
        made.check(name, &shape, &resolved)?;
        made.typed(name)
    }

    /// Adds a cache that was composed by hand: it is listed, counted, paused, cleared and shut down with the others.
    ///
    /// Of its settings only `enabled` can be said from outside.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the name is taken, or another one has the same variables; and if another setting is said of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, prelude::*};
    ///
    /// let caches = Caches::default();
    /// let sessions = Cache::new(Memory::<str, u32>::new(100)).time_to_idle(minutes(30));
    /// caches.add("sessions", &sessions)?;
    /// caches.pause_reads("sessions")?;
    /// assert!(!sessions.is_reading());
    /// assert!(caches.add("sessions", &sessions).is_err());
    /// # larder::Result::Ok(())
    /// ```
    pub fn add<K, V, S, C>(&self, name: &str, cache: &Cache<K, V, S, C>) -> Result<()>
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
        S: Send + Sync + 'static,
        C: Holds<S, K, V>,
    {
        let shape = Shape::of::<K, V>(Form::Added);
        let mut state = self.state();
        let resolved = resolve(&state.settings, name, &CacheSettings::new(), shape.form)?;
        let is_taken =
            || wrong(format!("there is a cache `{name}` already: give one of the two another name"));
        let slot = state.slot(name, &resolved)?;
        if slot.made.get().is_some() {
            return Err(is_taken());
        }
        let made = Registered::new(cache, shape, CacheSettings::new(), resolved);
        slot.made.set(made).map_err(|_| is_taken())
    }

    /// Returns the cache of this name, in its short type; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if its types are others, which the error names.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{Caches, CacheSettings};
    ///
    /// let caches = Caches::default();
    /// let _squares = caches.memory::<u64, u64>("squares", CacheSettings::new())?;
    /// assert!(caches.get::<u64, u64>("squares")?.is_some());
    /// assert!(caches.get::<u64, u64>("cubes")?.is_none());
    /// assert!(caches.get::<u64, String>("squares").is_err());
    /// # larder::Result::Ok(())
    /// ```
    pub fn get<K, V>(&self, name: &str) -> Result<Option<Cache<K, V>>>
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
    {
        let slot = self.state().slots.get(name).map(Arc::clone);
        slot.as_ref().and_then(|slot| slot.made.get()).map(|made| made.boxed(name)).transpose()
    }

    /// The store that the settings name, if they do.
    async fn store(&self, name: &str, resolved: &Resolved) -> Result<Option<BoxedBytes>> {
        let Some((Value::Url(url), origin)) = resolved.values.get(&Setting::Url) else { return Ok(None) };
        let cell = Arc::clone(self.state().stores.entry(url.clone()).or_default());
        match cell.get_or_try_init(|| crate::open(&url.0)).await {
            Ok(store) => Ok(Some(store.clone())),
            Err(error)
                if !resolved.is_enabled()
                    && matches!(error.kind(), ErrorKind::Store | ErrorKind::Timeout) =>
            {
                Ok(None)
            }
            Err(error) => {
                let message =
                    format!("the store of the cache `{name}` cannot be opened (its address: {origin})");
                Err(Error::new(error.kind(), message).caused_by(error))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of the user runs under it, so it is as it should be.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_being_made(name: &str) -> Error {
    wrong(format!("the cache `{name}` is being made by `get_or_create`: give one of the two another name"))
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// What somebody wrote, for an error: not all of a long one, and nothing that may be an address with a password.
fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.contains("://") || text.contains('@') {
        return "something that may be an address (not shown)".into();
    }
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(LONGEST).flat_map(char::escape_debug).collect();
    if letters.next().is_some() { format!("`{start}..`") } else { format!("`{start}`") }
}
