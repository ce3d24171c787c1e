//! What carries invalidations to other processes at once.

mod local;

use crate::shared_log::Answer;
use bytes::Bytes;
use std::sync::{Arc, Weak};

pub use local::LocalBus;

/// A channel on which the processes of a service tell each other what was invalidated.
///
/// It carries speed, never correctness: whatever it loses, doubles, delays or reorders, a process learns from the
/// [`SharedLog`](crate::SharedLog) at the latest when its bound is over. What is sent are small binary messages that larder
/// makes, versions and reads; a bus only carries them.
///
/// # Contract
///
/// - One connection serves all who listen, and all caches.
/// - [`publish`](Bus::publish) may be heard by ourselves too; the message says who sent it.
/// - A bus that lost its connection makes another by itself, without end, with growing pauses. It tells its listeners that
///   it was away: [`Listener::missed`].
#[diagnostic::on_unimplemented(message = "`{Self}` is not a bus")]
pub trait Bus: Send + Sync + 'static {
    /// Sends `message` to everyone who listens.
    fn publish(&self, message: Bytes) -> Answer<'_, ()>;

    /// Tells `listener` each message that comes from now on, for as long as it lives. Returns at once; the connection is
    /// made in the background. Needs a runtime where the bus needs one.
    fn subscribe(&self, listener: Weak<dyn Listener>);

    /// Returns how many bytes a message may have at most. The default is 64 KiB.
    fn max_message_bytes(&self) -> usize {
        64 << 10
    }

    /// Returns what people call this bus, for errors: its kind and place, without passwords.
    fn place(&self) -> String;
}

/// Is told what comes on a [`Bus`].
pub trait Listener: Send + Sync + 'static {
    /// A message came. It may be anything: a bus does not look into it.
    fn heard(&self, message: &[u8]);

    /// Messages may have been missed: a connection was made, or made again.
    fn missed(&self);
}

#[deny(clippy::missing_trait_methods)]
impl<B: Bus + ?Sized> Bus for Arc<B> {
    fn publish(&self, message: Bytes) -> Answer<'_, ()> {
        (**self).publish(message)
    }
    fn subscribe(&self, listener: Weak<dyn Listener>) {
        (**self).subscribe(listener);
    }
    fn max_message_bytes(&self) -> usize {
        (**self).max_message_bytes()
    }
    fn place(&self) -> String {
        (**self).place()
    }
}
