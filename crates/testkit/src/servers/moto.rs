//! S3, by moto.

use super::process::{Plan, Process};
use super::{http, outside, port, program};
use std::ops::Deref;
use std::sync::OnceLock;

const NAME: &str = "moto";
const VARIABLE: &str = "LARDER_TEST_MOTO_URL";

/// An S3 server: [moto](https://docs.getmoto.org). It keeps objects in memory, so that it is empty after
/// [`restart`](Process::restart), and checks neither credentials nor signatures.
///
/// Differs from S3: it answers from one thread at a time, and `copy_if_not_exists` takes an option of its client.
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::Moto;
///
/// let s3 = Moto::shared();
/// let (mine, yours) = (s3.bucket(), s3.bucket());
/// assert_ne!(mine, yours);
///
/// // For a client: `url` is the endpoint, over plain HTTP and with the bucket in the path.
/// let _settings = (s3.url(), Moto::REGION, Moto::ACCESS_KEY, Moto::SECRET_KEY, mine);
/// ```
#[derive(Debug)]
pub struct Moto {
    process: Process,
    url: String,
}

impl Moto {
    /// The region in which it is.
    pub const REGION: &str = "us-east-1";
    /// The access key that a client is given. Without one, clients ask the machine they run on for credentials.
    pub const ACCESS_KEY: &str = "testing";
    /// The secret key that a client is given.
    pub const SECRET_KEY: &str = "testing";

    /// Starts a server, which takes about a second.
    ///
    /// # Panics
    ///
    /// If there is no `moto_server` here, or it does not start.
    pub fn start() -> Self {
        let cure = "`pip install 'moto[server,s3]'`, or LARDER_TEST_MOTO_URL for `shared()`";
        let moto_server = program::find("moto_server", program::installed("moto/bin"), cure);
        let process = Process::start(NAME, |port, _| {
            let mut plan = Plan::new(moto_server.clone(), "Running on http://127.0.0.1");
            plan.environment = vec![("PYTHONUNBUFFERED", "1")];
            plan.arguments(&format!("-H 127.0.0.1 -p {port}"))
        });
        let url = format!("http://127.0.0.1:{}", process.port());
        Moto { process, url }
    }

    /// Returns the server of this process, started with the first call; or the one that `LARDER_TEST_MOTO_URL` names.
    ///
    /// # Panics
    ///
    /// If there is no `moto_server` here, or it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(|| match outside::server(NAME, VARIABLE) {
            Some((process, url)) => Moto { process, url },
            None => Moto::start(),
        })
    }

    /// Returns the URL that is the endpoint of clients, without a slash at its end.
    pub fn url(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// Makes a new, empty bucket and returns its name.
    ///
    /// # Panics
    ///
    /// If the server does not answer or refuses.
    pub fn bucket(&self) -> String {
        let name = format!("larder-test-{:016x}", port::random());
        let (status, answer) = http::put(&format!("{}/{name}", self.url()), &[]);
        assert_eq!(status, 200, "moto makes no bucket: {answer}");
        name
    }
}

impl Deref for Moto {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}
