//! The forms in which a store is put to use: alone, boxed, and as either level of a chain; with a codec, too, and
//! then under a memory.

use super::forgetful::Forgetful;
use crate::MockClock;
use bytes::Bytes;
use larder_core::{ByteStore, Cache, Codec, Format, Holds, Native, Raw, Store};

/// What a cache under test is, whatever it is made of.
pub type Tested<S, C> = Cache<str, Bytes, S, C>;

/// As it is.
pub mod plain {
    use super::{ByteStore, Bytes, Cache, MockClock, Native, Raw, Store, Tested};

    /// Makes a cache of a store of values.
    pub fn values<S: Store<str, Value = Bytes>>(store: S, clock: &MockClock) -> Tested<S, Native> {
        Cache::new(store).clock(clock.clone())
    }

    /// Makes a cache of a store of bytes.
    pub fn bytes<S: ByteStore>(store: S, clock: &MockClock) -> Tested<S, Raw> {
        Cache::new(store).clock(clock.clone())
    }
}

macro_rules! erased_form {
    ($(#[$doc:meta])* $form:ident) => {
        $(#[$doc])*
        pub mod $form {
            use super::{ByteStore, Bytes, Cache, MockClock, Store, plain};

            /// Makes a cache of a store of values.
            pub fn values<S: Store<str, Value = Bytes>>(store: S, clock: &MockClock) -> Cache<str, Bytes> {
                super::$form(plain::values(store, clock), clock)
            }

            /// Makes a cache of a store of bytes.
            pub fn bytes<S: ByteStore>(store: S, clock: &MockClock) -> Cache<str, Bytes> {
                super::$form(plain::bytes(store, clock), clock)
            }
        }
    };
}

erased_form!(
    /// With its types hidden.
    boxed
);
erased_form!(
    /// In front of a level that keeps nothing, so that what comes back comes from the store.
    in_front
);
erased_form!(
    /// Behind a level that keeps nothing, so that what comes back comes from the store.
    behind
);

/// With a codec.
pub mod coded {
    use super::{ByteStore, Bytes, Cache, Codec, Format, MockClock, Store, Tested};

    /// Makes a cache of a store and a codec.
    pub fn plain<S, C>(store: S, codec: C, clock: &MockClock) -> Tested<S, C>
    where
        S: ByteStore,
        C: Codec<Bytes> + Format,
    {
        Cache::new(store).codec(codec).clock(clock.clone())
    }

    /// Makes a cache of a store and a codec, with its types hidden.
    pub fn boxed<S, C>(store: S, codec: C, clock: &MockClock) -> Cache<str, Bytes>
    where
        S: ByteStore,
        C: Codec<Bytes> + Format,
    {
        plain(store, codec, clock).boxed()
    }

    /// Makes a cache of a memory before a store and a codec.
    pub fn under<S, C, M>(store: S, codec: C, memory: M, clock: &MockClock) -> Cache<str, Bytes>
    where
        S: ByteStore,
        C: Codec<Bytes> + Format,
        M: Store<str, Value = Bytes>,
    {
        Cache::new(memory).chain(plain(store, codec, clock)).clock(clock.clone()).boxed()
    }
}

fn boxed<S, C>(cache: Tested<S, C>, _: &MockClock) -> Cache<str, Bytes>
where
    S: Send + Sync + 'static,
    C: Holds<S, str, Bytes>,
{
    cache.boxed()
}

fn in_front<S, C>(cache: Tested<S, C>, clock: &MockClock) -> Cache<str, Bytes>
where
    S: Send + Sync + 'static,
    C: Holds<S, str, Bytes>,
{
    cache.chain(Cache::new(Forgetful)).clock(clock.clone()).boxed()
}

fn behind<S, C>(cache: Tested<S, C>, clock: &MockClock) -> Cache<str, Bytes>
where
    S: Send + Sync + 'static,
    C: Holds<S, str, Bytes>,
{
    Cache::new(Forgetful).chain(cache).clock(clock.clone()).boxed()
}
