//! Servers that are not ours: whoever runs the tests has started them, and an environment variable names them.

use super::process::Process;

/// Returns the server that `variable` names, with its URL, if it is set.
///
/// # Panics
///
/// If it does not end with a port.
pub(super) fn server(name: &'static str, variable: &'static str) -> Option<(Process, String)> {
    let url = std::env::var(variable).ok()?;
    let port = port(&url).unwrap_or_else(|| panic!("{variable} names no port"));
    Some((Process::outside(name, port, variable), url))
}

/// The port of a URL. The part before the host, which may be a secret, is not looked at.
fn port(url: &str) -> Option<u16> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_behind_the_host() {
        assert_eq!(port("redis://:secret@cache.test:6380/2"), Some(6380));
        assert_eq!(port("memcached://[::1]:11211"), Some(11211));
        assert_eq!(port("redis://cache.test"), None);
    }
}
