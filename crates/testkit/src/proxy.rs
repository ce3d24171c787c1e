//! A connection that goes wrong when a test wants it to.

mod counts;
mod faults;
mod pump;
mod relay;

use counts::Counts;
use faults::{After, Faults, Way};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// A TCP proxy in front of a server, whose connections can be delayed, cut and made to swallow everything. It runs
/// on a thread of its own, so that a test which blocks does not stop it.
///
/// Faults add up until [`heal`](Self::heal), and each has taken effect when its method returns: what arrives at the
/// proxy from then on is treated so.
///
/// | fault | open connections | new connections |
/// |---|---|---|
/// | [`delay`](Self::delay) | all comes later, each way | the same |
/// | [`hold`](Self::hold) | nothing comes until healed, then all of it | the same |
/// | [`blackhole`](Self::blackhole) | nothing comes; reset when healed | are taken, nothing comes |
/// | [`cut`](Self::cut) | are reset | are not affected |
/// | [`cut_requests_after`](Self::cut_requests_after), [`cut_answers_after`](Self::cut_answers_after) | are reset in the middle | the same |
/// | [`half_close`](Self::half_close) | clients see the end of what the server says | are not affected |
/// | [`refuse`](Self::refuse) | are not affected | are refused |
///
/// The time of a delay is real. A test that waits for a time-out of its own clock takes [`hold`](Self::hold) or
/// [`blackhole`](Self::blackhole), which have no end.
///
/// # Examples
///
/// ```
/// use larder_testkit::Proxy;
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
///
/// let server = TcpListener::bind("127.0.0.1:0").unwrap();
/// let proxy = Proxy::to(server.local_addr().unwrap());
/// let mut client = TcpStream::connect(proxy.address()).unwrap();
/// let mut served = server.accept().unwrap().0;
///
/// let mut text = [0; 5];
/// client.write_all(b"hello").unwrap();
/// served.read_exact(&mut text).unwrap();
/// assert_eq!((&text, proxy.connections(), proxy.bytes_to_server()), (b"hello", 1, 5));
///
/// proxy.cut();
/// assert!(client.read(&mut text).is_err()); // "connection reset by peer"
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
    /// Dropped, it ends the thread.
    orders: Option<UnboundedSender<Ordered>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread of the proxy is to do.
enum Order {
    Change(Box<dyn FnOnce(&mut Faults) + Send>),
    Cut,
}

/// An order, and where to say that it has been carried out, or why not.
type Ordered = (Order, mpsc::Sender<Result<(), String>>);

impl Proxy {
    /// Starts a proxy for the server at `target`. The server is connected to with each connection, and may come
    /// later.
    ///
    /// # Panics
    ///
    /// If `target` is no address, or the system gives no port or no thread.
    pub fn to(target: impl ToSocketAddrs) -> Self {
        let target = target.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
        let target = target.expect("the target of a proxy is an address");
        let listener = relay::listen();
        let address = listener.local_addr().expect("it is bound");
        let (orders, received) = tokio::sync::mpsc::unbounded_channel();
        let counts = Arc::new(Counts::default());
        let relaying = relay::run(listener, target, received, Arc::clone(&counts));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be built");
        let thread = std::thread::Builder::new().name("larder-proxy".into());
        let thread = thread.spawn(move || runtime.block_on(relaying)).expect("a thread can be started");
        Proxy { address, counts, orders: Some(orders), thread: Some(thread) }
    }

    /// Returns the port on which it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the same URL with this proxy in the place of host and port.
    ///
    /// # Panics
    ///
    /// If the URL has no host.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_testkit::Proxy;
    ///
    /// let proxy = Proxy::to("127.0.0.1:6379");
    /// let expected = format!("redis://:sesame@127.0.0.1:{}/0", proxy.port());
    /// assert_eq!(proxy.url("redis://:sesame@127.0.0.1:6379/0"), expected);
    /// ```
    pub fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").expect("a URL has a scheme, `://` and a host");
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let user = authority.rfind('@').map_or("", |at| &authority[..=at]);
        format!("{scheme}://{user}{}{rest}", self.address)
    }

    /// Brings everything later by `delay`, each way: an answer to a request comes later by twice that time.
    ///
    /// # Panics
    ///
    /// If the proxy's thread has ended, as all methods that change something.
    pub fn delay(&self, delay: Duration) {
        self.change(move |faults| faults.delay = delay);
    }

    /// Keeps everything back until [`heal`](Self::heal), which brings it, as a network does that loses packets and
    /// then recovers: what a client has long given up may still arrive.
    pub fn hold(&self) {
        self.change(|faults| faults.hold = true);
    }

    /// Swallows everything, both ways, as a network does that is cut off without a word. New connections are still
    /// taken. Connections which have lost something are reset by [`heal`](Self::heal).
    pub fn blackhole(&self) {
        self.change(|faults| faults.blackhole = true);
    }

    /// Resets all open connections, those to the server too.
    pub fn cut(&self) {
        self.order(Order::Cut);
    }

    /// Resets each connection when it has brought the server as many bytes from now on: in the middle of a request.
    pub fn cut_requests_after(&self, bytes: u64) {
        self.change(move |faults| faults.requests = Some(After { bytes, order: faults.orders }));
    }

    /// Resets each connection when it has brought the client as many bytes from now on: in the middle of an answer.
    pub fn cut_answers_after(&self, bytes: u64) {
        self.change(move |faults| faults.answers = Some(After { bytes, order: faults.orders }));
    }

    /// Closes the way from the server to the client of all open connections. The server still gets what clients
    /// send, and its answers are lost.
    pub fn half_close(&self) {
        self.change(|faults| faults.half_closes += 1);
    }

    /// Refuses new connections.
    pub fn refuse(&self) {
        self.change(|faults| faults.refuse = true);
    }

    /// Ends all faults.
    ///
    /// # Panics
    ///
    /// If it refused connections, and another process has taken its port meanwhile.
    pub fn heal(&self) {
        self.change(Faults::heal);
    }

    /// Returns how many connections it has taken.
    pub fn connections(&self) -> u64 {
        self.counts.connections()
    }

    /// Returns how many connections are open.
    pub fn open_connections(&self) -> u64 {
        self.counts.open()
    }

    /// Returns how many bytes clients have sent, whatever became of them.
    pub fn bytes_to_server(&self) -> u64 {
        self.counts.bytes(Way::ToServer)
    }

    /// Returns how many bytes the server has sent, whatever became of them.
    pub fn bytes_to_client(&self) -> u64 {
        self.counts.bytes(Way::ToClient)
    }

    /// Returns how often a client has said something after the server had, or at first: the number of requests,
    /// where each waits for the answer to the last. Requests sent together count as one; one that is so large that
    /// the server answers before it has come whole may count twice.
    pub fn round_trips(&self) -> u64 {
        self.counts.round_trips()
    }

    fn change(&self, change: impl FnOnce(&mut Faults) + Send + 'static) {
        self.order(Order::Change(Box::new(|faults| {
            faults.orders += 1;
            change(faults);
        })));
    }

    fn order(&self, order: Order) {
        let orders = self.orders.as_ref().expect("it is taken when this is dropped");
        let (done, wait) = mpsc::channel();
        let sent = orders.send((order, done)).is_ok();
        let carried_out = wait.recv();
        assert!(sent && carried_out.is_ok(), "the proxy on port {} has ended", self.port());
        if let Ok(Err(problem)) = carried_out {
            panic!("{problem}");
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
