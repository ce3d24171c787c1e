//! TLS, with certificates that `openssl` makes.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::{ByteStore, ErrorKind};
use larder_redis::{Redis, RedisOptions};
use larder_testkit::servers;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// A server that speaks TLS only to who shows a certificate, and plain text at its other port.
struct Secured {
    server: servers::Redis,
    port: u16,
    folder: tempfile::TempDir,
}

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let done = done.expect("the tests of TLS need `apt-get install openssl`");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

impl Secured {
    fn start(authenticates_clients: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let make = |arguments: &str| openssl(folder.path(), arguments);
        make(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=larder-test-root",
        );
        std::fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1").unwrap();
        for name in ["server", "client"] {
            make(&format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
            make(&format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile names"
            ));
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = folder.path().display();
        let clients = if authenticates_clients { "yes" } else { "no" };
        let server = servers::Redis::options()
            .arguments(&format!(
                "--tls-port {port} --tls-auth-clients {clients} --tls-ca-cert-file {place}/ca.pem"
            ))
            .arguments(&format!("--tls-cert-file {place}/server.pem --tls-key-file {place}/server.key"))
            .start();
        Secured { server, port, folder }
    }

    fn options() -> RedisOptions {
        let patient = std::time::Duration::from_secs(20);
        Redis::options().response_timeout(patient).connect_timeout(patient)
    }

    fn url(&self) -> String {
        format!("rediss://localhost:{}", self.port)
    }

    fn pem(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }
}

fn shared() -> &'static Secured {
    static SHARED: OnceLock<Secured> = OnceLock::new();
    SHARED.get_or_init(|| Secured::start(true))
}

#[tokio::test]
async fn a_client_that_shows_its_certificate_is_let_in_and_one_that_does_not_is_told() {
    let server = shared();
    let known = Secured::options().root_certificates(server.pem("ca.pem"));
    let with_key = known.clone().client_certificate(server.pem("client.pem"), server.pem("client.key"));
    let store = with_key.connect(&server.url()).await.unwrap();
    let large = bytes::Bytes::from(vec![7; 3_000_000]);
    store.put("users:ada", large.clone(), None).await.unwrap();
    assert_eq!(store.get("users:ada").await.unwrap(), Some(large));
    assert!(known.connect(&server.url()).await.is_err());
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_told_with_the_cure() {
    let server = shared();
    let error = Secured::options().connect(&server.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`.root_certificates(pem)`"), "{error}");

    let plain = Secured::options().connect_timeout(std::time::Duration::from_millis(300));
    let plain = plain.root_certificates(server.pem("ca.pem"));
    let error = plain.connect(&format!("rediss://localhost:{}", server.server.port())).await.unwrap_err();
    assert!(error.to_string().contains("whether it speaks TLS"), "{error}");

    let error = Redis::connect(&format!("redis://localhost:{}", server.port)).await.unwrap_err();
    assert!(error.to_string().contains("`rediss://`"), "{error}");

    for garbled in [&b""[..], b"no certificate"] {
        let error = Secured::options().root_certificates(garbled).lazy(&server.url()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("PEM"), "{error}");
    }
    let options = Secured::options().client_certificate(server.pem("client.pem"), &b"a secret key"[..]);
    assert!(!format!("{options:?}").contains("secret"), "{options:?}");
    let error = options.root_certificates(server.pem("ca.pem")).lazy(&server.url()).unwrap_err();
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}
