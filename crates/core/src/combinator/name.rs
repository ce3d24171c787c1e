//! `.name(s)`: what people call this cache.

use crate::{Cache, Lookup};

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// Calls this cache `name` wherever people see it: in its `Debug`, and for observers that ask.
    ///
    /// # Default
    ///
    /// No name.
    ///
    /// # Examples
    ///
    /// ```
    /// # use larder_core as larder;
    /// # mod doc { include!("../../tests/support/map.rs"); }
    /// # use doc::Map;
    /// let users = larder::Cache::new(Map::<str, u32>::default()).name("users");
    /// assert_eq!(format!("{users:?}"), "Cache users\n└ L1 Map");
    /// ```
    pub fn name(self, name: &str) -> Self {
        self.decide(|policy| policy.name = Some(name.into()))
    }
}
