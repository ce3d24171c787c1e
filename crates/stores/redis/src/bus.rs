//! A bus over publish and subscribe.

use crate::command;
use crate::ear::Ear;
use crate::records::Records;
use bytes::Bytes;
use larder_core::{Answer, Bus, Listener};
use std::fmt;
use std::sync::{Arc, Weak};

/// A bus over Redis: [`Redis::bus`](crate::Redis::bus). Clones are the same bus.
///
/// Messages are published over the connection of the store, in the order in which they are called, and heard over one of
/// their own, which is made when somebody listens first. One that ends is made anew, after 50 ms at first and 5 s at most,
/// and then everyone is told that something may have been missed; one that died in silence is noticed after 5 s and the
/// response time-out. In a cluster all nodes carry what was published at one.
///
/// To listen wants Redis 6 or newer: over version 2 of the protocol nothing is heard. Without a Tokio runtime with I/O
/// neither is.
///
/// # Cancel safety
///
/// A message whose future is dropped once it was polled is published nevertheless.
///
/// # Examples
///
/// ```no_run
/// use larder_core::Bus;
/// use larder_redis::Redis;
///
/// # async fn example() -> larder_core::Result<()> {
/// let store = Redis::connect("redis://cache.internal").await?;
/// let bus = store.bus();
/// bus.publish("users:ada".into()).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a bus carries nothing until somebody listens"]
pub struct RedisBus(Arc<Inner>);

struct Inner {
    records: Arc<Records>,
    ear: Ear,
}

impl RedisBus {
    pub(crate) fn new(records: Arc<Records>, channel: &str) -> Self {
        let ear = Ear::new(Arc::clone(&records), channel.to_owned());
        RedisBus(Arc::new(Inner { records, ear }))
    }
}

#[deny(clippy::missing_trait_methods)]
impl Bus for RedisBus {
    fn publish(&self, message: Bytes) -> Answer<'_, ()> {
        Box::pin(async move {
            let make = || command::publish(self.0.ear.channel(), &message);
            self.0.records.route.say_anywhere(make, message.len()).await
        })
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.0.ear.add(listener);
    }

    fn max_message_bytes(&self) -> usize {
        64 << 10
    }

    fn place(&self) -> String {
        format!("the channel `{}` of Redis at {}", self.0.ear.channel(), self.0.records.route.place())
    }
}

impl fmt::Debug for RedisBus {
    /// Prints where the bus is, and neither user nor password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBus").field("place", &self.place()).finish_non_exhaustive()
    }
}
