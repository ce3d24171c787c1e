//! Errors of the server as errors of the store, with the cure where there is one.

use crate::line::{Failure, Why};
use larder_core::{Error, ErrorKind};
use redis::{ErrorKind as DriverKind, RedisError};

/// What an answer means that is an error of the server, or of the driver's.
pub(crate) fn of_answer(error: &RedisError, place: &str) -> Failure {
    let detail = || error.detail().unwrap_or_default().to_owned();
    let why = match error.code() {
        Some("NOSCRIPT") => Why::UnknownScript,
        Some("MOVED") => Why::Moved(detail()),
        Some("ASK") => Why::Ask(detail()),
        _ => Why::Other,
    };
    Failure::new(of_driver(error, place), why)
}

/// The error of a server that does not tell what changes.
pub(crate) fn untracked(error: &RedisError, place: &str) -> Error {
    let said = readable(&error.to_string());
    let message = format!(
        "Redis at {place} does not track keys ({said}); leave `.tracked(n)` out, or use Redis 6 or newer"
    );
    Error::new(ErrorKind::Config, message)
}

/// The same for one that comes before there is a connection.
pub(crate) fn of_connecting(error: &RedisError, place: &str) -> Error {
    if error.kind() == DriverKind::Io && error.is_connection_dropped() && !error.is_connection_refusal() {
        let said = readable(&error.to_string());
        let cure = "one that speaks TLS wants `rediss://`, and one that does not `redis://`";
        let message = format!("Redis at {place} closed the connection at once ({said}); {cure}");
        return Error::new(ErrorKind::Store, message);
    }
    of_driver(error, place)
}

/// What an error of the driver means, and what helps.
pub(crate) fn of_driver(error: &RedisError, place: &str) -> Error {
    if let Some(code) = error.code() {
        return of_server(&format!("{code} {}", error.detail().unwrap_or_default()), place);
    }
    let said = readable(&error.to_string());
    let (kind, message) = match error.kind() {
        DriverKind::AuthenticationFailed => (ErrorKind::Config, refused(place, &said)),
        DriverKind::InvalidClientConfig => {
            (ErrorKind::Config, format!("the settings for Redis at {place} cannot be used: {said}"))
        }
        DriverKind::Parse | DriverKind::UnexpectedReturnType | DriverKind::RESP3NotSupported => {
            (ErrorKind::Config, format!("what answers at {place} is not Redis ({said}); check host and port"))
        }
        DriverKind::MasterNameNotFoundBySentinel => (
            ErrorKind::Config,
            format!("the sentinels at {place} know no such service, or no master of it; check its name"),
        ),
        DriverKind::Io if error.is_connection_refusal() => (
            ErrorKind::Store,
            format!("nobody listens at {place}; start Redis there, or check host and port"),
        ),
        DriverKind::Io if said.contains("invalid peer certificate") => {
            let cure = "give the certificate that has signed it to `.root_certificates(pem)`";
            (
                ErrorKind::Config,
                format!("the certificate of Redis at {place} is not trusted ({said}); {cure}"),
            )
        }
        DriverKind::Io if said.contains("failed to lookup address") => {
            (ErrorKind::Store, format!("there is no host for {place} ({said}); is the host right?"))
        }
        DriverKind::ClusterConnectionNotFound => {
            (ErrorKind::Store, format!("no node of the cluster answers at {place} ({said})"))
        }
        _ => (ErrorKind::Store, format!("the connection to Redis at {place} failed: {said}")),
    };
    Error::new(kind, message)
}

/// The error that `text` is, of the server at `place`.
fn of_server(text: &str, place: &str) -> Error {
    let said = readable(text);
    let (kind, message) = if is_read_only(text) {
        let cure = "write to its master, `redis+sentinel://` finds it";
        (ErrorKind::Store, format!("connected to a read-only replica, Redis at {place}; {cure}"))
    } else if has(text, "WRONGTYPE") {
        let cure =
            "a put replaces it; if another program uses these keys, choose another namespace or database";
        (
            ErrorKind::Corrupt,
            format!("the key has something that is no string, such as a list or a hash; {cure}"),
        )
    } else if has(text, "OOM") {
        let cure = "raise `maxmemory`, or set `maxmemory-policy` to `allkeys-lru`";
        (ErrorKind::Store, format!("Redis at {place} has no memory left ({said}); {cure}"))
    } else if has(text, "MOVED") || has(text, "ASK") {
        let cure = "give it as `redis+cluster://`";
        (ErrorKind::Config, format!("Redis at {place} is a node of a cluster; {cure}"))
    } else if text.contains("DB index is out of range") {
        let cure = "choose another behind the `/` of the URL, or raise `databases` of the server";
        (ErrorKind::Config, format!("Redis at {place} has no database of that number; {cure}"))
    } else if text.contains("SELECT is not allowed in cluster mode") {
        let cure = "leave the number behind the `/` of the URL out, and give it as `redis+cluster://`";
        (
            ErrorKind::Config,
            format!("Redis at {place} is a node of a cluster, which has one database; {cure}"),
        )
    } else if text.contains("cluster support disabled") {
        let cure = "give it as `redis://`";
        (ErrorKind::Config, format!("Redis at {place} is no cluster; {cure}"))
    } else if has(text, "WRONGPASS") || has(text, "NOAUTH") || has(text, "AUTH") {
        (ErrorKind::Config, refused(place, &said))
    } else if has(text, "NOPERM") || text.contains("The user executing the script can't run") {
        let cure = "allow it to this user with `ACL SETUSER`";
        (ErrorKind::Config, format!("Redis at {place} does not permit a command ({said}); {cure}"))
    } else {
        (ErrorKind::Store, format!("Redis at {place} refused a command ({said})"))
    };
    Error::new(kind, message)
}

/// The error of a server that does not let us in.
fn refused(place: &str, said: &str) -> String {
    let cure = "check user and password: `redis://user:password@host`, or `redis://:password@host` for the default user";
    format!("Redis at {place} does not let us in ({said}); {cure}")
}

/// Whether this is the error of a server that takes no writes.
fn is_read_only(text: &str) -> bool {
    has(text, "READONLY")
}

/// Whether the error has this code. That of a script may have it in the middle.
fn has(text: &str, code: &str) -> bool {
    text.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        || text.contains(&format!("-{code} "))
}

/// What the server said, without what it repeats of arguments, in which there may be values.
fn readable(text: &str) -> String {
    const LONGEST: usize = 200;
    let said = text.split(", with args beginning").next().unwrap_or_default();
    said.chars().take(LONGEST).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The error of a reply that is not of the kind which the command has.
pub(crate) fn unexpected(place: &str) -> Error {
    Error::new(
        ErrorKind::Store,
        format!("what answers at {place} is not Redis: a reply of another kind than the command has"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_cure() {
        for (text, kind, cure) in [
            ("READONLY You can't write against a read only replica.", ErrorKind::Store, "read-only replica"),
            (
                "ERR Error running script: @user_script:1: -READONLY You can't write",
                ErrorKind::Store,
                "read-only replica",
            ),
            ("WRONGTYPE Operation against a key", ErrorKind::Corrupt, "a put replaces it"),
            ("OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::Store, "allkeys-lru"),
            ("MOVED 3999 127.0.0.1:6381", ErrorKind::Config, "redis+cluster://"),
            ("NOAUTH Authentication required.", ErrorKind::Config, "redis://user:password@host"),
            ("NOPERM this user has no permissions", ErrorKind::Config, "ACL SETUSER"),
            ("ERR The user executing the script can't run this command", ErrorKind::Config, "ACL SETUSER"),
            ("LOADING Redis is loading the dataset in memory", ErrorKind::Store, "LOADING"),
            ("ASKED for too much", ErrorKind::Store, "refused a command"),
        ] {
            let error = of_server(text, "h:1");
            assert_eq!(error.kind(), kind, "{text}");
            assert!(error.to_string().contains(cure), "{text}: {error}");
        }
    }

    #[test]
    fn arguments_that_a_server_repeats_are_not_shown() {
        let text = "ERR unknown command 'PSETEX', with args beginning with: 'users:ada' 'secret'\r\n";
        let error = of_server(text, "h:1").to_string();
        assert!(error.contains("unknown command 'PSETEX'") && !error.contains("secret"), "{error}");
        assert!(readable(&"x".repeat(10_000)).len() <= 200);
    }
}
