//! What goes wrong, in words.

use larder_core::{Error, ErrorKind};
use std::io;

/// An error of the settings.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// A connection that cannot be made.
pub(crate) fn unreachable(error: io::Error, address: &str) -> Error {
    Error::new(ErrorKind::Store, format!("no connection to memcached at {address}: {error}")).caused_by(error)
}

/// A connection that broke.
pub(crate) fn of_connection(error: &io::Error, address: &str) -> Error {
    Error::new(ErrorKind::Store, format!("the connection to memcached at {address} failed: {error}"))
}

/// A server that does not want to talk.
pub(crate) fn unwilling(said: &str, address: &str) -> Error {
    if said.contains("unauthenticated") {
        let cure = "larder speaks to servers without authentication only";
        return config(format!("memcached at {address} asks for a login; {cure}"));
    }
    if said.contains("Too many open connections") {
        let cure = "lower `.max_connections(n)` or start it with a higher -c";
        return Error::new(
            ErrorKind::Store,
            format!("memcached at {address} has no connection left; {cure}"),
        );
    }
    config(format!("what listens at {address} is not memcached: it says `{said:.100}`"))
}

/// A command that failed on the server.
pub(crate) fn of_command(said: &str, address: &str) -> Error {
    Error::new(ErrorKind::Store, format!("memcached at {address} says `{said}`"))
}

/// Whether the server means that the item is larger than it allows.
pub(crate) fn is_too_large(said: &str) -> bool {
    said.contains("too large")
}

/// A reply that does not fit its command.
pub(crate) fn unexpected(address: &str) -> Error {
    Error::new(ErrorKind::Store, format!("memcached at {address} replied to something else"))
}
