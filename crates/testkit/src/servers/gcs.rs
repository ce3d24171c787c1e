//! Google Cloud Storage, by a server in the test process.

mod buckets;
mod conditions;
mod listing;
mod service;
mod uploads;
mod xml;

use super::port;
use buckets::Buckets;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Google Cloud Storage, as far as its XML API goes: a server on a thread of the test process. No other one that
/// can be had keeps generations right, on which conditional writes depend.
///
/// As in the original, each write gets a generation above all earlier ones, of whatever object;
/// `x-goog-if-generation-match` is obeyed in one step with the write; equal contents have equal `ETag`s; a deleted
/// object is missing for a second deletion; a part of an upload that is not the last has 5 MiB at least; and who
/// does not send [`TOKEN`](Self::TOKEN) is turned away.
///
/// It cannot be paused or killed: a [`Proxy`](crate::Proxy) in front of it can.
///
/// # Examples
///
/// ```
/// use larder_testkit::servers::Gcs;
///
/// let gcs = Gcs::shared();
/// let (mine, yours) = (gcs.bucket(), gcs.bucket());
/// assert_ne!(mine, yours);
///
/// // For a client: `url` is the base of all URLs, over plain HTTP, and the token is what it authorizes itself by.
/// let _settings = (gcs.url(), Gcs::TOKEN, mine);
/// ```
#[derive(Debug)]
pub struct Gcs {
    port: u16,
    buckets: Arc<Buckets>,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gcs {
    /// The bearer token that a client is given. Without one, clients ask the machine they run on for credentials.
    pub const TOKEN: &str = "test";

    /// Starts a server, which takes no time worth mentioning.
    ///
    /// # Panics
    ///
    /// If the system gives no port or no thread.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        listener.set_nonblocking(true).expect("a new socket can be set up");

        let buckets = Arc::new(Buckets::default());
        let (stop, stopped) = oneshot::channel();
        let serving = service::serve(listener, Arc::clone(&buckets));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.expect("a runtime can be built");
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serving => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("larder-gcs".into()).spawn(serve);
        let thread = Some(thread.expect("a thread can be started"));
        Gcs { port, buckets, stop: Some(stop), thread }
    }

    /// Returns the server of this process, started with the first call.
    ///
    /// # Panics
    ///
    /// If the system gives no port or no thread.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Gcs> = OnceLock::new();
        SHARED.get_or_init(Gcs::start)
    }

    /// Returns the port on which it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL that is the base of all others, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a new, empty bucket and returns its name.
    pub fn bucket(&self) -> String {
        let name = format!("larder-test-{:016x}", port::random());
        self.buckets.make(&name);
        name
    }
}

impl Drop for Gcs {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
