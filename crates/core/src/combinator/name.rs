//! `.name(s)`: what people call this cache.

use crate::{Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Calls this cache `name` wherever people see it, which at present is its `Debug`.
    ///
    /// # Default
    ///
    /// No name.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder::prelude::*;
    /// let users = Cache::new(Memory::<str, u32>::new(1_000)).name("users");
    /// assert_eq!(format!("{users:?}"), "Cache users\n└ L1 Memory");
    /// ```
    pub fn name(self, name: &str) -> Self {
        self.decide(|policy| policy.name = Some(name.into()))
    }
}
