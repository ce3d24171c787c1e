//! What processes share is found by its name.

use super::RedisOptions;

impl RedisOptions {
    /// Keeps the log of invalidations under this name. Caches that may depend on each other share one; those of different
    /// programs in one server need not.
    ///
    /// # Default
    ///
    /// - `larder`
    ///
    /// # Panics
    ///
    /// If it is empty, or has a colon or a brace in it: the log's keys are no record's, and of one slot.
    pub fn log(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        assert!(
            !name.is_empty() && !name.contains([':', '{', '}']),
            "a log has a name without colons and braces; `larder` is one"
        );
        self.log = name;
        self
    }

    /// Remembers the last invalidations of so many tags, and of as many keys. What is older than a forgotten one counts
    /// as invalidated. Those of whole namespaces are not forgotten.
    ///
    /// A name takes some 150 bytes of the server and its own length twice.
    ///
    /// # Default
    ///
    /// - 100,000
    ///
    /// # Panics
    ///
    /// If it is zero.
    pub fn log_names(mut self, names: u32) -> Self {
        assert!(names > 0, "a log that remembers nothing tells nobody anything; give it some thousands");
        self.log_names = names;
        self
    }

    /// Publishes and listens on this channel with [`Redis::bus`](crate::Redis::bus), and keeps the leases of [`Redis::lock`](crate::Redis::lock) under it:
    /// `CHANNEL.lock:NAME`, and `CHANNEL.released` for those who wait.
    ///
    /// # Default
    ///
    /// - `larder`
    pub fn channel(mut self, name: impl Into<String>) -> Self {
        self.channel = name.into();
        self
    }
}
