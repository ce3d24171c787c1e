//! Where the server is, as it may be shown.

use crate::failure;
use larder_core::Result;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Reads a URL. The driver's own error may have a part of the password in it, and is not told.
pub(crate) fn parse(url: &str) -> Result<Config> {
    let form = "postgres://user:password@host:port/database?parameter=value";
    let wrong = || {
        failure::config(format!(
            "the address of PostgreSQL is not of the form {form}; in user and password, characters other than \
             letters, digits, `-`, `.`, `_` and `~` are written as % and two hexadecimal digits, and parameters are those \
             of the crate tokio-postgres"
        ))
    };
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let config: Config = if is_url { url.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
    // The rest of a password with an `@` in it.
    if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(host) if host.contains('@'))) {
        return Err(wrong());
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(failure::config(format!(
            "the address of PostgreSQL has no host; it has the form {form}"
        )));
    }
    Ok(config)
}

/// Describes the server without the credentials.
pub(crate) fn of(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |place: usize| ports.get(place).or(ports.first()).copied().unwrap_or(5432);
    let mut hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(place, host)| match host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", port(place)),
            Host::Tcp(host) => format!("{host}:{}", port(place)),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{}", path.display(), port(place)),
        })
        .collect();
    if hosts.is_empty() {
        hosts.extend(config.get_hostaddrs().iter().map(ToString::to_string));
    }
    match config.get_dbname() {
        Some(database) => format!("PostgreSQL at {}/{database}", hosts.join(",")),
        None => format!("PostgreSQL at {}", hosts.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_database_are_told_and_credentials_are_not() {
        let told = |url: &str| of(&parse(url).unwrap());
        assert_eq!(told("postgres://ada:secret@db.test:5433/shop"), "PostgreSQL at db.test:5433/shop");
        assert_eq!(told("postgresql://ada:secret@a.test,b.test:7"), "PostgreSQL at a.test:5432,b.test:7");
        assert_eq!(told("postgres://%2Frun%2Fpg/shop"), "PostgreSQL at /run/pg:5432/shop");
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for url in [
            "",
            "secret",
            "redis://secret@host",
            "postgres://",
            "postgres:///shop",
            "postgres://ada:secret@host:port/shop",
            "postgres://ada:pass@secret@host/shop",
            "postgres://ada:secret@host/shop?sslmode=secret",
            "postgres://host/shop?secret=1",
            "host=db.test password=secret",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), larder_core::ErrorKind::Config, "{url}");
            let told = format!("{error} {error:?}");
            assert!(told.contains("postgres://user:password@host:port/database"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
