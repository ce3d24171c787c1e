//! As much of HTTP as these tests speak.

use std::io::{Read, Write};
use std::net::TcpStream;

/// What S3's clients send. moto shows nothing to who sends nothing, and does not look at the signature.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, \
                             SignedHeaders=host, Signature=0";

/// Returns all of the answer to a request.
pub(crate) fn ask(port: u16, method: &str, path: &str, body: &str) -> String {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    let head = format!("{head}Authorization: {AUTHORIZATION}\r\n");
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
