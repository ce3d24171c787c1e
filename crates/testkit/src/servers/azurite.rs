//! Azure's blob storage, by azurite.

use super::process::{Plan, Process};
use super::{http, outside, port, program};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::ops::Deref;
use std::sync::OnceLock;

const NAME: &str = "azurite";
const VARIABLE: &str = "LARDER_TEST_AZURITE_URL";

/// Azure's blob storage: [azurite](https://github.com/Azure/Azurite). It keeps blobs in memory, so that it is empty
/// after [`restart`](Process::restart), and checks signatures.
///
/// Differs from Azure: a listing from an offset on begins at the first blob all the same.
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::Azurite;
///
/// let azure = Azurite::shared();
/// let (mine, yours) = (azure.container(), azure.container());
/// assert_ne!(mine, yours);
///
/// // For a client: `url` is the endpoint, over plain HTTP and with the account in the path.
/// let _settings = (azure.url(), Azurite::ACCOUNT, Azurite::KEY, mine);
/// ```
#[derive(Debug)]
pub struct Azurite {
    process: Process,
    url: String,
}

impl Azurite {
    /// The account that every azurite has.
    pub const ACCOUNT: &str = "devstoreaccount1";
    /// The key of that account. It is public, and the same everywhere.
    pub const KEY: &str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// Starts a server, which takes about a second.
    ///
    /// # Panics
    ///
    /// If there is no `azurite-blob` here, or it does not start.
    pub fn start() -> Self {
        let cure = "`npm install azurite`, or LARDER_TEST_AZURITE_URL for `shared()`";
        let azurite = program::find("azurite-blob", program::installed("azurite/node_modules/.bin"), cure);
        let process = Process::start(NAME, |port, _| {
            Plan::new(azurite.clone(), "Azurite Blob service successfully listens").arguments(&format!(
                "--blobHost 127.0.0.1 --blobPort {port} --inMemoryPersistence --silent --disableTelemetry"
            ))
        });
        let url = format!("http://127.0.0.1:{}/{}", process.port(), Self::ACCOUNT);
        Azurite { process, url }
    }

    /// Returns the server of this process, started with the first call; or the one that `LARDER_TEST_AZURITE_URL`
    /// names, with the account as its path.
    ///
    /// # Panics
    ///
    /// If there is no `azurite-blob` here, or it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        SHARED.get_or_init(|| match outside::server(NAME, VARIABLE) {
            Some((process, url)) => Azurite { process, url },
            None => Azurite::start(),
        })
    }

    /// Returns the URL that is the endpoint of clients: it has the account as its path, and no slash at its end.
    pub fn url(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// Makes a new, empty container and returns its name.
    ///
    /// # Panics
    ///
    /// If the server does not answer or refuses.
    pub fn container(&self) -> String {
        let name = format!("larder-test-{:016x}", port::random());
        let authorization = format!("SharedKey {}:{}", Self::ACCOUNT, signature(&name));
        let (status, answer) = http::put(
            &format!("{}/{name}?restype=container", self.url()),
            &[("x-ms-date", DATE), ("x-ms-version", VERSION), ("Authorization", &authorization)],
        );
        assert_eq!(status, 201, "azurite makes no container: {answer}");
        name
    }
}

impl Deref for Azurite {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// Azure refuses a signature that is some minutes old. azurite does not look at the date.
const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
const VERSION: &str = "2023-11-03";

/// The signature of the request that makes a container. An account which is in the path stands there twice.
fn signature(container: &str) -> String {
    let account = Azurite::ACCOUNT;
    let empty_headers = "\n".repeat(11);
    let text = format!(
        "PUT\n{empty_headers}x-ms-date:{DATE}\nx-ms-version:{VERSION}\n/{account}/{account}/{container}\nrestype:container"
    );
    let key = BASE64_STANDARD.decode(Azurite::KEY).expect("it is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}
