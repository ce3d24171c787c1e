//! A cache that stands in a registry: what it is, and whether what is asked for is the same.

use super::managed::Managed;
use super::settings::Resolved;
use super::wrong;
use crate::{Cache, CacheSettings, Holds, Lookup, Memory, Native, Result};
use std::any::{Any, TypeId, type_name};

/// How a cache came into the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By `get_or_create`.
    Created,
    /// By `memory`.
    Memory,
    /// By `add`.
    Added,
    /// For a function.
    Function,
}

impl Form {
    fn words(self) -> &'static str {
        match self {
            Form::Created => "by `get_or_create`",
            Form::Memory => "by `memory`",
            Form::Added => "by hand, and added",
            Form::Function => "for a function",
        }
    }
}

/// What was asked for, beside the settings.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) form: Form,
    key: Type,
    value: Type,
    codec: Option<Type>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Type(TypeId, &'static str);

impl Type {
    fn of<T: ?Sized + 'static>() -> Self {
        Type(TypeId::of::<T>(), type_name::<T>())
    }
}

impl Shape {
    pub(super) fn created<K: ?Sized + 'static, V: 'static, C: 'static>() -> Self {
        Shape { codec: Some(Type::of::<C>()), ..Shape::of::<K, V>(Form::Created) }
    }

    pub(super) fn of<K: ?Sized + 'static, V: 'static>(form: Form) -> Self {
        Shape { form, key: Type::of::<K>(), value: Type::of::<V>(), codec: None }
    }

    /// The first part in which it differs, for people.
    fn difference(&self, asked: &Shape) -> Option<String> {
        if self.form != asked.form {
            return Some(format!("how it is made, {} and {}", self.form.words(), asked.form.words()));
        }
        let parts = [
            ("the type of its keys", Some(self.key), Some(asked.key)),
            ("the type of its values", Some(self.value), Some(asked.value)),
            ("its codec", self.codec, asked.codec),
        ];
        let (part, is, asked) = parts.into_iter().find(|(_, is, asked)| is != asked)?;
        let name = |of: Option<Type>| of.map_or("none", |of| of.1);
        Some(format!("{part}, `{}` and `{}`", name(is), name(asked)))
    }
}

/// A cache that stands in a registry.
pub(super) struct Registered {
    pub(super) shape: Shape,
    /// What the code said when it was made.
    pub(super) said: CacheSettings,
    pub(super) resolved: Resolved,
    pub(super) managed: Box<dyn Managed>,
    /// A `Cache<K, V>`.
    boxed: Box<dyn Any + Send + Sync>,
    /// Where it came by `memory`, a `Cache<K, V, Memory<K, V>, Native>`.
    typed: Option<Box<dyn Any + Send + Sync>>,
}

/// What `Caches::memory` makes.
pub(super) type InMemory<K, V> = Cache<K, V, Memory<K, V>, Native>;

impl Registered {
    pub(super) fn new<K, V, S, C>(
        cache: &Cache<K, V, S, C>,
        shape: Shape,
        said: CacheSettings,
        resolved: Resolved,
    ) -> Self
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
        S: Send + Sync + 'static,
        C: Holds<S, K, V>,
    {
        if !resolved.is_enabled() {
            cache.pause_reads();
            cache.pause_writes();
        }
        let boxed = Box::new(cache.clone().boxed());
        Registered { shape, said, resolved, managed: Box::new(cache.clone()), boxed, typed: None }
    }

    pub(super) fn in_memory<K, V>(
        cache: &InMemory<K, V>,
        shape: Shape,
        said: CacheSettings,
        resolved: Resolved,
    ) -> Self
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
    {
        let typed: Box<dyn Any + Send + Sync> = Box::new(cache.clone());
        Registered { typed: Some(typed), ..Registered::new(cache, shape, said, resolved) }
    }

    /// An error that names the difference, unless this is what is asked for.
    pub(super) fn check(&self, name: &str, shape: &Shape, resolved: &Resolved) -> Result<()> {
        match self.shape.difference(shape).or_else(|| self.resolved.difference(resolved)) {
            None => Ok(()),
            Some(difference) => Err(wrong(format!(
                "the cache `{name}` is there already, and differs in {difference}: ask for it in one way, or give one of \
                 the two another name"
            ))),
        }
    }

    /// The cache in its short type; an error where its types are others.
    pub(super) fn boxed<K, V>(&self, name: &str) -> Result<Cache<K, V>>
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
    {
        self.boxed.downcast_ref().cloned().ok_or_else(|| self.other_types::<K, V>(name))
    }

    /// The cache as `memory` made it.
    pub(super) fn typed<K, V>(&self, name: &str) -> Result<InMemory<K, V>>
    where
        K: ?Sized + Lookup,
        V: Clone + Send + Sync + 'static,
    {
        let typed = self.typed.as_ref().and_then(|typed| typed.downcast_ref().cloned());
        typed.ok_or_else(|| self.other_types::<K, V>(name))
    }

    fn other_types<K: ?Sized, V>(&self, name: &str) -> crate::Error {
        let (key, value) = (type_name::<K>(), type_name::<V>());
        let (is_key, is_value) = (self.shape.key.1, self.shape.value.1);
        wrong(format!(
            "the cache `{name}` is a `Cache<{is_key}, {is_value}>`, not a `Cache<{key}, {value}>`: ask for it with its types"
        ))
    }
}
