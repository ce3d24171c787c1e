//! What a registry knows: its settings, and which cache has which place.

use super::registered::{Form, Registered};
use super::setting::{Secret, Setting, Value};
use super::settings::{Resolved, variables_of};
use super::wrong;
use crate::{BoxedBytes, CacheSettings, Clock, Error, Result, Settings};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

#[derive(Default)]
pub(super) struct Registry {
    // A usual lock, because nothing is waited for under it, and no code of the user runs.
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) slots: BTreeMap<String, Arc<Slot>>,
    /// One connection serves all caches with the same address.
    pub(super) stores: HashMap<Secret, Arc<OnceCell<BoxedBytes>>>,
    /// What could not be used, and had nobody to be told.
    pub(super) problems: Vec<Error>,
}

/// The place of a cache. It is taken from when somebody begins to make it.
pub(super) struct Slot {
    pub(super) variables: String,
    /// The address and the namespace.
    pub(super) place: Option<(Secret, String)>,
    pub(super) made: OnceCell<Registered>,
}

impl State {
    /// The place of the cache of this name, where no other one takes what it wants.
    pub(super) fn slot(&mut self, name: &str, resolved: &Resolved) -> Result<Arc<Slot>> {
        self.forget_what_failed();
        if let Some(slot) = self.slots.get(name) {
            return Ok(Arc::clone(slot));
        }
        let variables = variables_of(name)?;
        if let Some((other, _)) = self.slots.iter().find(|(_, slot)| slot.variables == variables) {
            let why = format!("both have the variables `LARDER_{variables}_..`");
            return Err(wrong(format!(
                "there is a cache `{other}`, and now `{name}`; {why}: give one of the two another name"
            )));
        }
        let place = match (resolved.get(Setting::Url), resolved.get(Setting::Namespace)) {
            (Some(Value::Url(url)), Some(Value::Text(namespace))) => Some((url.clone(), namespace.clone())),
            _ => None,
        };
        if let Some((other, _)) = self.slots.iter().find(|(_, slot)| place.is_some() && slot.place == place) {
            return Err(wrong(format!(
                "the caches `{other}` and `{name}` have the same namespace in the same store: give one of the two another \
                 `namespace`"
            )));
        }
        let slot = Arc::new(Slot { variables, place, made: OnceCell::new() });
        self.slots.insert(name.into(), Arc::clone(&slot));
        Ok(slot)
    }

    /// Gives up the places of caches that could not be made.
    pub(super) fn forget_what_failed(&mut self) {
        // Whoever makes one holds it.
        self.slots.retain(|_, slot| slot.made.get().is_some() || Arc::strong_count(slot) > 1);
    }
}

/// What such a cache is to be, if its form allows for it.
pub(super) fn resolve(settings: &Settings, name: &str, said: &CacheSettings, form: Form) -> Result<Resolved> {
    let resolved = settings.resolve(name, said)?;
    match form {
        Form::Created => {}
        Form::Memory | Form::Function => {
            if let Some((_, origin)) = resolved.values.get(&Setting::Url) {
                let cure = match form {
                    Form::Function => "give the function one by `cache = ..`, which `get_or_create` makes",
                    _ => "make it by `get_or_create`",
                };
                return Err(wrong(format!(
                    "the cache `{name}` is in memory only, and cannot have an address ({origin}): {cure}"
                )));
            }
        }
        Form::Added => {
            let mut from_outside = settings.said_outside(name, &variables_of(name)?).into_iter();
            if let Some((setting, (_, origin))) =
                from_outside.find(|(setting, _)| *setting != Setting::Enabled)
            {
                let setting = setting.name();
                return Err(wrong(format!(
                    "the cache `{name}` is composed by hand, and takes no `{setting}` from outside ({origin}), only `enabled`"
                )));
            }
        }
    }
    Ok(resolved)
}
