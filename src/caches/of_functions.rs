//! The caches of functions: [`Caches::function`].

use super::make;
use super::registered::{Form, Registered, Shape};
use super::setting::Setting;
use super::settings::Resolved;
use super::state::{State, resolve};
use crate::{Cache, CacheSettings, Caches, Error, Lookup, Memory, Native};

impl Caches {
    /// Makes a cache for a function: a memory and nothing else, which nobody shares. This is what `#[cached]` calls, in
    /// [`of_the_process`](Self::of_the_process).
    ///
    /// A function has nobody to return an error to. So where a name is taken, as by a function of the same name in another one's body, it
    /// becomes `name (2)`; and where something that is said of this cache from outside cannot be used, it is left out, and
    /// [`problems`](Self::problems) tells.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::{CacheSettings, Caches, Settings, prelude::*};
    ///
    /// let caches = Caches::new(Settings::from_vars([("LARDER_APP_SQUARE_TLL", "5s")])?);
    /// let squares = caches.function::<u64, u64>("app::square", CacheSettings::new());
    /// let others = caches.function::<u64, u64>("app::square", CacheSettings::new());
    ///
    /// squares.blocking().insert(&3, 9)?;
    /// assert_eq!(others.get_now(&3), None);
    /// assert_eq!(caches.names(), ["app::square", "app::square (2)"]);
    /// assert!(caches.problems()[0].to_string().contains("`LARDER_APP_SQUARE_TLL`"));
    /// # larder::Result::Ok(())
    /// ```
    pub fn function<K, V>(&self, name: &str, settings: CacheSettings) -> Cache<K, V, Memory<K, V>, Native>
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
    {
        let mut state = self.state();
        let (mut free, mut many) = (name.to_owned(), 1);
        loop {
            let resolved = state.for_a_function(&free, &settings);
            if !state.slots.contains_key(&free)
                && let Ok(slot) = state.slot(&free, &resolved)
            {
                let cache = make::alone(&free, &resolved, &state.clock);
                let shape = Shape::of::<K, V>(Form::Function);
                let made = Registered::new(&cache, shape, settings, resolved);
                // Nobody else has seen this place.
                let _ = slot.made.set(made);
                return cache;
            }
            many += 1;
            free = format!("{name} ({many})");
        }
    }

    /// Returns what was said of caches of functions and could not be used. A service that reads settings from outside looks at it
    /// once its functions have been called, with [`unused_settings`](Self::unused_settings).
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(larder::Caches::default().problems().is_empty());
    /// ```
    pub fn problems(&self) -> Vec<Error> {
        self.state().problems.clone()
    }
}

impl State {
    /// What the cache of a function is to be: all that can be used of what is said.
    fn for_a_function(&mut self, name: &str, said: &CacheSettings) -> Resolved {
        let problem = match resolve(&self.settings, name, said, Form::Function) {
            Ok(resolved) => return resolved,
            Err(problem) => problem,
        };
        if !self.problems.iter().any(|known| known.to_string() == problem.to_string()) {
            self.problems.push(problem);
        }
        let usable = self.settings.without(name, Setting::Url);
        usable.resolve(name, said).unwrap_or_else(|_| Resolved::default())
    }
}
