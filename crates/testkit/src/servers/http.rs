//! As much of HTTP as it takes to make a bucket.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a PUT without a body and returns the status of the answer, and all of it as text.
///
/// # Panics
///
/// If the URL is none of plain HTTP with a port, or nobody answers.
pub(super) fn put(url: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let (host, path) = split(url).unwrap_or_else(|| panic!("`{url}` is no URL of the form http://host:port"));
    let mut request =
        format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    let mut answer = Vec::new();
    let ask = || {
        let mut connection = TcpStream::connect(host)?;
        connection.write_all(request.as_bytes())?;
        connection.read_to_end(&mut answer)
    };
    let asked = { ask }();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    match (asked, status) {
        (Ok(_), Some(status)) => (status, answer),
        (asked, _) => panic!("PUT {url} was answered by {answer:?} and {asked:?}"),
    }
}

/// The host with its port, and the path with its query.
pub(super) fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let path = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(path);
    host.contains(':').then_some((host, if path.is_empty() { "/" } else { path }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_a_path() {
        assert_eq!(split("http://127.0.0.1:80/a?b=c"), Some(("127.0.0.1:80", "/a?b=c")));
        assert_eq!(split("http://127.0.0.1:80"), Some(("127.0.0.1:80", "/")));
        assert_eq!(split("https://127.0.0.1:80"), None);
        assert_eq!(split("http://127.0.0.1"), None);
    }
}
