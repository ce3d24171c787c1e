//! Which servers a URL names.

use crate::failure;
use larder_core::{Error, Result};

const SCHEME: &str = "memcached://";
const DEFAULT_PORT: u16 = 11_211;

/// Returns the servers as `host:port`, in the order of the URL. The error repeats nothing of it: there may be a
/// password in it, by mistake.
pub(crate) fn parse(url: &str) -> Result<Vec<String>> {
    let servers = url.strip_prefix(SCHEME).ok_or_else(wrong)?;
    let servers = servers.strip_suffix('/').unwrap_or(servers);
    if servers.contains('@') {
        return Err(failure::config(
            "memcached's address has a user or password; larder logs in to no memcached",
        ));
    }
    let mut parsed = Vec::new();
    for server in servers.split(',') {
        let server = self::server(server)?;
        if parsed.contains(&server) {
            return Err(failure::config(format!("memcached's address names {server} twice")));
        }
        parsed.push(server);
    }
    Ok(parsed)
}

fn server(text: &str) -> Result<String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
        let is_address = host.parse::<std::net::Ipv6Addr>().is_ok();
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wrong)?) };
        (is_address.then(|| format!("[{host}]")).ok_or_else(wrong)?, port)
    } else {
        let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
        let is_name = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        (is_name.then(|| host.to_ascii_lowercase()).ok_or_else(wrong)?, port)
    };
    let port = port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| wrong()))?;
    if port == 0 { Err(wrong()) } else { Ok(format!("{host}:{port}")) }
}

fn wrong() -> Error {
    failure::config(
        "the address of memcached is not of the form memcached://host:port or memcached://host:port,host:port",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_or_several_with_or_without_ports() {
        assert_eq!(parse("memcached://cache.test").unwrap(), ["cache.test:11211"]);
        assert_eq!(parse("memcached://Cache.test:7/").unwrap(), ["cache.test:7"]);
        assert_eq!(
            parse("memcached://10.0.0.1:7,[::1],[::2]:8").unwrap(),
            ["10.0.0.1:7", "[::1]:11211", "[::2]:8"]
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for url in [
            "",
            "secret",
            "redis://secret",
            "memcached://",
            "memcached://secret:",
            "memcached://secret:0",
            "memcached://secret:65536",
            "memcached://secret:1:2",
            "memcached://secret/0",
            "memcached://host?secret=1",
            "memcached://host,,secret",
            "memcached://[secret]",
            "memcached://[::1",
            "memcached://[::1]secret",
            "memcached://ada:secret@host",
            "memcached://ada:sec,ret@host",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), larder_core::ErrorKind::Config, "{url}");
            let told = format!("{error} {error:?}");
            assert!(told.contains("memcached's address") || told.contains("memcached://host:port"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
        assert!(parse("memcached://a,A:11211").unwrap_err().to_string().contains("a:11211 twice"));
    }
}
