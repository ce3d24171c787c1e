//! A certificate for the loopback.

use super::program;
use std::path::Path;
use std::process::Command;

/// The certificate and its key, as files of a server's folder.
pub(super) const CERTIFICATE: &str = "certificate.pem";
pub(super) const KEY: &str = "key.pem";

/// Makes a certificate for 127.0.0.1 and localhost, signed by itself, in a server's folder.
///
/// # Panics
///
/// If there is no `openssl` here.
pub(super) fn make(folder: &Path) {
    let openssl = program::find("openssl", program::path(), "`apt-get install openssl`");
    let output = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "3650", "-subj", "/CN=localhost", "-keyout", KEY, "-out", CERTIFICATE])
        .args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
        // Else it would be one for signing others, which clients do not take from a server.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(folder)
        .output()
        .expect("`openssl` starts");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`openssl` makes no certificate: {problem}");
}
