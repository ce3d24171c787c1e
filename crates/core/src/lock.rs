//! What has one process at a time load a key.

mod local;

use crate::record::Token;
use crate::shared_log::Answer;
use std::sync::Arc;
use std::time::Duration;

pub use local::LocalLock;

/// Leases on names, which the processes of a service share: who has the lease of a key loads it, the others wait.
///
/// A lease spares loads; it never decides what is right. One that was lost while its load ran (a process that stood still
/// for longer than the lease) costs a second load, and what the first one stores late is refused by the store, which
/// compares tokens.
///
/// # Contract
///
/// - [`acquire`](Lock::acquire) is one step: of any number of callers one gets the lease. It ends when it is released, or
///   when it was not renewed in time; a lease that ended cannot be renewed.
/// - [`release`](Lock::release) and [`renew`](Lock::renew) do nothing to a lease that somebody else has by now.
/// - A call whose future is dropped may have been carried out.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a lock")]
pub trait Lock: Send + Sync + 'static {
    /// Takes the lease on `name` for `lease`, if nobody has it. The token is what names this lease. In one round trip.
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>>;

    /// Gives the lease another `lease` from now on. Returns whether it is still ours.
    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool>;

    /// Ends the lease, if it is still ours, and wakes those who wait.
    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()>;

    /// Returns when the lease on `name` may have ended: when a message says so, or after `at_most`. Nobody loses by
    /// returning early.
    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()>;

    /// Returns what people call this lock, for errors: its kind and place, without passwords.
    fn place(&self) -> String;
}

#[deny(clippy::missing_trait_methods)]
impl<L: Lock + ?Sized> Lock for Arc<L> {
    fn acquire<'a>(&'a self, name: &'a str, lease: Duration) -> Answer<'a, Option<Token>> {
        (**self).acquire(name, lease)
    }
    fn renew<'a>(&'a self, name: &'a str, token: &'a Token, lease: Duration) -> Answer<'a, bool> {
        (**self).renew(name, token, lease)
    }
    fn release<'a>(&'a self, name: &'a str, token: &'a Token) -> Answer<'a, ()> {
        (**self).release(name, token)
    }
    fn wait<'a>(&'a self, name: &'a str, at_most: Duration) -> Answer<'a, ()> {
        (**self).wait(name, at_most)
    }
    fn place(&self) -> String {
        (**self).place()
    }
}
