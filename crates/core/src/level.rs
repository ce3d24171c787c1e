//! One level of a cache: a store, and how values travel to it.

use crate::behind::Queue;
use crate::codec::{Format, Native, Raw};
use crate::guard::Guard;
use crate::wire::Wire;
use crate::{ByteStore, Store};
use bytes::Bytes;
use std::sync::Arc;

/// A store and its codec; what a chain is made of.
///
/// It appears in the types that [`Cache::chain`](crate::Cache::chain) makes and is not built by hand.
pub struct Level<S, C> {
    /// Behind a pointer, because `users.clone().namespace("x")` is another level over the same store.
    pub(crate) store: Arc<S>,
    /// How values travel, if it is a store of bytes. Of no meaning elsewhere, as the prefix is.
    pub(crate) wire: Arc<Wire<C>>,
    /// The escaped namespace and its colon, with which every key in the store begins.
    pub(crate) prefix: Arc<str>,
    /// Shared with other handles of this level, which have the same store.
    pub(crate) guard: Arc<Guard>,
    /// Where writes wait, if this level is written behind. One queue for all handles of the level: what one of them has
    /// queued, another one may remove.
    pub(crate) behind: Option<Arc<Queue>>,
}

/// The namespace of a level that was given none.
pub(crate) const DEFAULT_NAMESPACE: &str = "larder";

impl<S, C> Level<S, C> {
    pub(crate) fn new(store: S, codec: C) -> Self {
        Level {
            store: Arc::new(store),
            wire: Arc::new(Wire::plain(codec)),
            prefix: prefix(DEFAULT_NAMESPACE),
            guard: Arc::new(Guard::new()),
            behind: None,
        }
    }

    /// The same store, written in the same way, with a codec that is made of the one that is there.
    pub(crate) fn with_codec<D>(&self, codec: impl FnOnce(&Arc<C>) -> D) -> Level<S, D> {
        self.over(self.wire.with_codec(Arc::new(codec(&self.wire.codec))))
    }

    /// The same store, written in the same way, with another wire.
    fn over<D>(&self, wire: Wire<D>) -> Level<S, D> {
        Level {
            store: Arc::clone(&self.store),
            wire: Arc::new(wire),
            prefix: Arc::clone(&self.prefix),
            guard: Arc::clone(&self.guard),
            behind: self.behind.clone(),
        }
    }

    pub(crate) fn with_guard(self, change: impl FnOnce(&Guard) -> Guard) -> Self {
        let guard = Arc::new(change(&self.guard));
        Level { guard, ..self }
    }

    pub(crate) fn with_namespace(&self, namespace: &str) -> Self
    where
        S: ByteStore,
    {
        // Another namespace is another level: it is flushed, shut down and counted by itself.
        let behind = self.behind.as_ref().map(|queue| Arc::new(queue.anew()));
        Level { prefix: prefix(namespace), behind, ..self.clone() }
    }

    /// The same store, written in another way.
    pub(crate) fn with_queue(self, behind: Option<Queue>) -> Self {
        Level { behind: behind.map(Arc::new), ..self }
    }

    /// The same store with values that travel in another way.
    pub(crate) fn with_wire(&self, change: impl FnOnce(Wire<C>) -> Wire<C>) -> Self {
        self.over(change(Wire::clone(&self.wire)))
    }
}

/// The namespace with its colon. A colon inside is escaped: the first one ends the namespace.
fn prefix(namespace: &str) -> Arc<str> {
    let mut prefix = String::with_capacity(namespace.len() + 1);
    crate::key::escape(namespace, "%:", &mut prefix);
    prefix.push(':');
    prefix.into()
}

impl<S, C> Clone for Level<S, C> {
    fn clone(&self) -> Self {
        Level {
            store: Arc::clone(&self.store),
            wire: Arc::clone(&self.wire),
            prefix: Arc::clone(&self.prefix),
            guard: Arc::clone(&self.guard),
            behind: self.behind.clone(),
        }
    }
}

impl<S, C> std::fmt::Debug for Level<S, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Level").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// What stands where the codec does, in a cache of one level: [`Native`] or a codec.
///
/// What forms a level can be said there only. Implemented for both, never by hand.
#[diagnostic::on_unimplemented(
    message = "this forms a level, and a cache of several levels, or one that was boxed, is none",
    label = "not on a chain",
    note = "say it on the level that it is meant for, before `.chain` and `.boxed`"
)]
pub trait OneLevel {}

impl OneLevel for Native {}

#[diagnostic::do_not_recommend]
impl<C: Format> OneLevel for C {}

/// Marks a store of values, see [`IntoLevel`].
#[derive(Debug)]
pub enum Values {}

/// Marks a store of bytes, see [`IntoLevel`].
#[derive(Debug)]
pub enum ByBytes {}

/// What [`Cache::new`](crate::Cache::new) takes: a [`Store`] or a [`ByteStore`].
///
/// Implemented for both, never by hand; the marker `M` is inferred and keeps the two apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store",
    note = "`Cache::new` takes a store such as `Memory::new(10_000)`; your own implements `Store` (typed values) or `ByteStore` (bytes)"
)]
pub trait IntoLevel<K: ?Sized, M>: Sized {
    /// What a cache over this store holds at first.
    type Value;
    /// What stands where the codec does.
    type Codec;

    #[doc(hidden)]
    fn into_level(self) -> Level<Self, Self::Codec>;
}

impl<K: ?Sized, S: Store<K>> IntoLevel<K, Values> for S {
    type Value = S::Value;
    type Codec = Native;

    fn into_level(self) -> Level<Self, Native> {
        Level::new(self, Native)
    }
}

impl<K: ?Sized, B: ByteStore> IntoLevel<K, ByBytes> for B {
    type Value = Bytes;
    type Codec = Raw;

    fn into_level(self) -> Level<Self, Raw> {
        Level::new(self, Raw)
    }
}
