//! What becomes of the driver's errors.

use deadpool_postgres::PoolError;
use larder_core::{Error, ErrorKind};
use std::error::Error as _;
use tokio_postgres::Error as DriverError;
use tokio_postgres::error::SqlState;

/// An error of the settings.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// Says what `error`, of a call to the server at `place`, means, and what helps.
pub(crate) fn of_driver(error: DriverError, place: &str) -> Error {
    let (kind, message) = match error.code() {
        Some(code) => of_server(code, &error, place),
        None => of_connection(&error, place),
    };
    let failure = Error::new(kind, message);
    // The details of some errors show the row.
    let tells_values =
        error.as_db_error().is_some_and(|said| said.detail().is_some() || said.where_().is_some());
    if tells_values { failure } else { failure.caused_by(error) }
}

/// The same for an error of the pool.
pub(crate) fn of_pool(error: PoolError, place: &str) -> Error {
    match error {
        PoolError::Backend(error) => of_driver(error, place),
        PoolError::Timeout(_) => Error::new(ErrorKind::Timeout, "the pool had no connection in its own time"),
        PoolError::Closed => Error::new(ErrorKind::Closed, "the pool of connections was closed"),
        PoolError::NoRuntimeSpecified => {
            config("the pool has time-outs and no runtime: give it `Runtime::Tokio1`")
        }
        PoolError::PostCreateHook(_) => {
            Error::new(ErrorKind::Store, "a hook of the pool refused the connection")
        }
    }
}

fn of_server(code: &SqlState, error: &DriverError, place: &str) -> (ErrorKind, String) {
    let said = error.as_db_error().map_or_else(String::new, |said| said.message().to_owned());
    let (kind, cure) = match *code {
        SqlState::INVALID_PASSWORD => (ErrorKind::Config, "check user and password of the URL"),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            (ErrorKind::Config, "check user and database of the URL, and the server's pg_hba.conf")
        }
        SqlState::INVALID_CATALOG_NAME => {
            (ErrorKind::Config, "create the database, or name another in the URL")
        }
        SqlState::INVALID_SCHEMA_NAME => {
            (ErrorKind::Config, "create the schema, or name another with `.schema(..)`")
        }
        SqlState::INSUFFICIENT_PRIVILEGE => (
            ErrorKind::Config,
            "grant SELECT, INSERT, UPDATE and DELETE on the table, and CREATE on its schema if it is not there yet",
        ),
        SqlState::UNDEFINED_FUNCTION => (ErrorKind::Config, "PostgreSQL 13 or newer is needed"),
        SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => {
            (ErrorKind::Store, READ_ONLY)
        }
        SqlState::TOO_MANY_CONNECTIONS => {
            (ErrorKind::Store, "lower `.max_connections(n)` or raise max_connections of the server")
        }
        SqlState::DISK_FULL => (ErrorKind::Store, "`purge_expired` frees what has expired"),
        _ => (ErrorKind::Store, ""),
    };
    let separator = if cure.is_empty() { "" } else { "; " };
    (kind, format!("{place} says: {said} ({}){separator}{cure}", code.code()))
}

/// What helps where nothing can be written.
pub(crate) const READ_ONLY: &str = "connect to the primary (several hosts and `target_session_attrs=read-write` in the URL find it), \
     or turn default_transaction_read_only off for this user";

fn of_connection(error: &DriverError, place: &str) -> (ErrorKind, String) {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    match error.to_string().as_str() {
        "error connecting to server" => (ErrorKind::Store, format!("no connection to {place}: {cause}")),
        "error performing TLS handshake" => {
            let cure = "`.from_config_and_tls(..)` and `.from_pool(..)` take what speaks it";
            (ErrorKind::Config, format!("no TLS with {place}: {cause}; {cure}"))
        }
        "invalid configuration" if cause == "password missing" => {
            (ErrorKind::Config, format!("{place} asks for a password, and the URL has none"))
        }
        "invalid configuration" | "authentication error" => {
            (ErrorKind::Config, format!("{place} cannot be connected to: {cause}"))
        }
        said => (ErrorKind::Store, format!("the connection to {place} failed: {said}")),
    }
}

/// Whether the connection can serve another statement.
pub(crate) fn leaves_connection(error: &DriverError) -> bool {
    // One that turned read-only belongs to a server that is no primary any more.
    // A standby does not say where it stands.
    error.code().is_some_and(|code| {
        *code != SqlState::READ_ONLY_SQL_TRANSACTION && *code != SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE
    })
}

/// What may help against an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// The same again: another transaction was in the way, and nothing of ours has happened.
    Again,
    /// After the tables, and what belongs to them, were made anew.
    MakeTable,
    /// After the connection has forgotten its prepared statements.
    Prepare,
    /// With another connection, if what may have happened may happen twice.
    Reconnect,
    Nothing,
}

pub(crate) fn retry(error: &DriverError) -> Retry {
    match error.code() {
        Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => Retry::Again,
        Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_FUNCTION) => Retry::MakeTable,
        Some(&SqlState::FEATURE_NOT_SUPPORTED | &SqlState::INVALID_SQL_STATEMENT_NAME) => Retry::Prepare,
        Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN) => Retry::Reconnect,
        None if error.is_closed() || error.to_string() == "error communicating with the server" => {
            Retry::Reconnect
        }
        Some(_) | None => Retry::Nothing,
    }
}
