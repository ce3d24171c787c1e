//! Addresses: what a URL says of where a server is and who we are to it.

use crate::secret::Secret;
use larder_core::{Error, ErrorKind, Result};
use std::fmt;
use std::path::PathBuf;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp(host, port) => write!(f, "{host}:{port}"),
            Endpoint::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// How servers are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Server(Endpoint),
    /// Some of the nodes, of which one must answer.
    Cluster(Vec<Endpoint>),
    /// Who knows where the master of the service is.
    Sentinels(Vec<Endpoint>, String),
}

/// Who we are to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// What a URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) place: Place,
    pub(crate) tls: bool,
    pub(crate) login: Login,
    pub(crate) database: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Server,
    Cluster,
    Sentinel,
    Unix,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong(SCHEMES))?;
        let (secure, form) = scheme_of(scheme)?;
        // No `#` needs to be in a URL of ours, and nothing after it would be seen.
        if rest.contains('#') {
            return Err(wrong("a `#` in it is to be written `%23`, and there is no fragment"));
        }
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) =
            rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        if path.contains('@') && form != Form::Unix {
            return Err(wrong("a `/` or `@` of a password is to be percent-encoded, as `%2F` or `%40`"));
        }
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (login_of(login)?, hosts),
            None => (Login::default(), authority),
        };
        let (place, path) = match form {
            Form::Unix if hosts.is_empty() && !path.is_empty() => {
                let path = PathBuf::from(format!("/{}", decoded(path, "path")?));
                (Place::Server(Endpoint::Unix(path)), "")
            }
            Form::Unix => return Err(wrong("a socket is `unix:///path/of/the/socket`")),
            Form::Server => {
                let mut endpoints = endpoints(hosts, PORT)?;
                if endpoints.len() > 1 {
                    return Err(wrong(
                        "it names several hosts; `redis+cluster://` or `redis+sentinel://` takes them",
                    ));
                }
                (Place::Server(endpoints.remove(0)), path)
            }
            Form::Cluster => (Place::Cluster(endpoints(hosts, PORT)?), path),
            Form::Sentinel => {
                let (service, database) = path.split_once('/').unwrap_or((path, ""));
                if service.is_empty() {
                    return Err(wrong(
                        "the name of the service is missing: `redis+sentinel://host:26379/mymaster`",
                    ));
                }
                let service = decoded(service, "name of the service")?;
                (Place::Sentinels(endpoints(hosts, SENTINEL_PORT)?, service), database)
            }
        };
        let database = database_of(path.trim_end_matches('/'), query)?;
        if database != 0 && form == Form::Cluster {
            return Err(wrong("a cluster has one database, number 0; leave it out"));
        }
        Ok(Address { place, tls: secure, login, database })
    }
}

const SCHEMES: &str = "it begins with none of `redis://`, `rediss://`, `redis+cluster://`, `rediss+cluster://`, \
    `redis+sentinel://`, `rediss+sentinel://` and `unix://`";

fn scheme_of(scheme: &str) -> Result<(bool, Form)> {
    let (base, form) = scheme.split_once('+').map_or((scheme, None), |(base, form)| (base, Some(form)));
    let secure = match base {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        "unix" if form.is_none() => return Ok((false, Form::Unix)),
        _ => return Err(wrong(SCHEMES)),
    };
    match form {
        None => Ok((secure, Form::Server)),
        Some("cluster") => Ok((secure, Form::Cluster)),
        Some("sentinel") => Ok((secure, Form::Sentinel)),
        Some("unix") if !secure => Ok((false, Form::Unix)),
        Some(_) => Err(wrong(SCHEMES)),
    }
}

fn login_of(text: &str) -> Result<Login> {
    let (user, password) = text.split_once(':').map_or((text, None), |(user, secret)| (user, Some(secret)));
    let user = decoded(user, "user")?;
    let password = password.filter(|password| !password.is_empty());
    let password = password.map(|password| decoded(password, "password")).transpose()?.map(Secret::new);
    Ok(Login { user: Some(user).filter(|user| !user.is_empty()), password })
}

fn endpoints(hosts: &str, default_port: u16) -> Result<Vec<Endpoint>> {
    hosts.split(',').map(|host| endpoint(host, default_port)).collect()
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(crate) fn endpoint(text: &str, default_port: u16) -> Result<Endpoint> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(|| wrong("a `[` without its `]`"))?;
            match port.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if port.is_empty() => (host, None),
                None => return Err(wrong("behind the `]` of a host nothing but `:` and its port may stand")),
            }
        }
        None if text.matches(':').count() > 1 => {
            return Err(wrong("an IPv6 host stands in brackets: `redis://[::1]:6379`"));
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(wrong("the host is missing: `redis://localhost`"));
    }
    if host.contains(|byte: char| byte.is_whitespace() || byte.is_control()) {
        return Err(wrong("a host has blanks in it"));
    }
    let port = match port {
        None => default_port,
        Some(port) => match port.parse() {
            Ok(port) if port != 0 => port,
            _ => {
                return Err(wrong(
                    "a port is no number from 1 to 65535; a `/`, `?`, `#` or `@` of a password is percent-encoded",
                ));
            }
        },
    };
    Ok(Endpoint::Tcp(host.to_owned(), port))
}

fn database_of(path: &str, query: Option<&str>) -> Result<u32> {
    let mut database = (!path.is_empty()).then_some(path);
    for parameter in query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("db", number)) if database.is_none() => database = Some(number),
            Some(("db", _)) => return Err(wrong("it names the database twice")),
            _ => {
                return Err(wrong(
                    "its only parameter is `?db=NUMBER`; other settings are methods of `Options`",
                ));
            }
        }
    }
    let number =
        |text: &str| text.parse().map_err(|_| wrong("the database is no number: `redis://localhost/0`"));
    database.map_or(Ok(0), number)
}

fn decoded(text: &str, what: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = after.get(..2).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let hex = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(hex.ok_or_else(|| {
            wrong(format!(
                "a `%` of the {what} has no two hexadecimal digits behind it; a `%` itself is `%25`"
            ))
        })?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong(format!("the {what} is no UTF-8")))
}

/// The error says what is wrong, and nothing of the URL, in which there may be a password.
fn wrong(what: impl AsRef<str>) -> Error {
    Error::new(ErrorKind::Config, format!("the URL of Redis cannot be used: {}", what.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp(host.into(), port)
    }

    fn server(host: &str, port: u16) -> Address {
        let place = Place::Server(tcp(host, port));
        Address { place, tls: false, login: Login::default(), database: 0 }
    }

    fn login(user: Option<&str>, password: Option<&str>) -> Login {
        Login { user: user.map(Into::into), password: password.map(|password| Secret::new(password.into())) }
    }

    #[test]
    fn urls_say_what_they_mean() {
        let cluster = Place::Cluster(vec![tcp("a", 7000), tcp("b", 6379)]);
        let sentinels = Place::Sentinels(vec![tcp("a", 26379), tcp("::1", 5)], "my master".into());
        let socket = Place::Server(Endpoint::Unix("/run/redis 1.sock".into()));
        for (url, expected) in [
            ("redis://localhost", server("localhost", 6379)),
            ("redis://localhost/", server("localhost", 6379)),
            ("valkey://10.0.0.1:7/3", Address { database: 3, ..server("10.0.0.1", 7) }),
            ("redis://h?db=3", Address { database: 3, ..server("h", 6379) }),
            ("rediss://h:1", Address { tls: true, ..server("h", 1) }),
            ("redis://[::1]:7000", server("::1", 7000)),
            ("redis://[::1]", server("::1", 6379)),
            ("redis://:secret@h", Address { login: login(None, Some("secret")), ..server("h", 6379) }),
            (
                "redis://ada:p%40s%2Fs%25@h",
                Address { login: login(Some("ada"), Some("p@s/s%")), ..server("h", 6379) },
            ),
            ("redis://ada@h", Address { login: login(Some("ada"), None), ..server("h", 6379) }),
            ("redis+cluster://a:7000,b", Address { place: cluster.clone(), ..server("", 0) }),
            ("valkeys+cluster://a:7000,b/0", Address { place: cluster, tls: true, ..server("", 0) }),
            (
                "redis+sentinel://a,[::1]:5/my%20master/2",
                Address { place: sentinels, database: 2, ..server("", 0) },
            ),
            (
                "unix:///run/redis%201.sock?db=1",
                Address { place: socket.clone(), database: 1, ..server("", 0) },
            ),
            (
                "redis+unix://:s@/run/redis%201.sock",
                Address { place: socket, login: login(None, Some("s")), ..server("", 0) },
            ),
        ] {
            assert_eq!(Address::parse(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn a_url_that_is_none_is_an_error_with_the_cure_and_without_the_password() {
        for (url, cure) in [
            ("localhost:6379", "redis://"),
            ("http://:secret@localhost", "redis+cluster://"),
            ("redis+tls://:secret@localhost", "rediss://"),
            ("rediss+unix:///socket", "unix://"),
            ("redis://", "the host is missing"),
            ("redis://:secret@/0", "the host is missing"),
            ("redis://h:", "no number from 1"),
            ("redis://h:0", "no number from 1"),
            ("redis://h:70000", "no number from 1"),
            ("redis://:secret/word@h", "percent-encoded"),
            ("redis://:secret#word@h", "%23"),
            ("redis://:secret%@h", "%25"),
            ("redis://:secret%zz@h", "%25"),
            ("redis://:secret%ff@h", "no UTF-8"),
            ("redis://::1", "brackets"),
            ("redis://[::1", "without its `]`"),
            ("redis://[::1]6379", "behind the `]`"),
            ("redis://a b", "blanks"),
            ("redis://a,b", "redis+cluster://"),
            ("redis://h/one", "redis://localhost/0"),
            ("redis://h/-1", "redis://localhost/0"),
            ("redis://h/1?db=2", "twice"),
            ("redis://h?timeout=5", "methods of `Options`"),
            ("redis+cluster://a,,b", "the host is missing"),
            ("redis+cluster://a/1", "number 0"),
            ("redis+sentinel://:secret@a", "the name of the service"),
            ("unix://run/socket", "unix:///path"),
            ("unix://", "unix:///path"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(error.to_string().contains(cure), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{url}: {error:?}");
        }
    }

    #[test]
    fn an_endpoint_prints_as_it_is_written() {
        for text in ["a:1", "[::1]:6379"] {
            assert_eq!(endpoint(text, 5).unwrap().to_string(), text);
        }
    }
}
