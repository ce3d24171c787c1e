//! memcached.

use super::process::{Plan, Process};
use super::{outside, program};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::sync::OnceLock;

const NAME: &str = "memcached";
const VARIABLE: &str = "LARDER_TEST_MEMCACHED_URL";

/// A memcached server.
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::Memcached;
///
/// let memcached = Memcached::options().max_value_mib(1).start();
/// assert_eq!(memcached.url(), format!("memcached://127.0.0.1:{}", memcached.port()));
/// ```
#[derive(Debug)]
pub struct Memcached {
    process: Process,
    url: String,
}

impl Memcached {
    /// Starts a server with the default options.
    ///
    /// # Panics
    ///
    /// If there is no `memcached` here, or it does not start.
    pub fn start() -> Self {
        Self::options().start()
    }

    /// Returns the server of this process, started with the first call; or the one that
    /// `LARDER_TEST_MEMCACHED_URL` names. It has only one space of keys, which all share: `flush_all` is
    /// for a server of one's own.
    ///
    /// # Panics
    ///
    /// If there is no `memcached` here, or it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Memcached> = OnceLock::new();
        SHARED.get_or_init(|| match outside::server(NAME, VARIABLE) {
            Some((process, url)) => Memcached { process, url },
            None => Memcached::start(),
        })
    }

    /// Returns options for a server.
    pub fn options() -> MemcachedOptions {
        MemcachedOptions::default()
    }

    /// Returns its URL, with the scheme `memcached`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Deref for Memcached {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// How a [`Memcached`] is started.
///
/// # Default
///
/// - largest value: 64 MiB, and not memcached's own limit of 1 MiB
/// - memory: 512 MiB, of which it takes what it needs
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a server is started"]
pub struct MemcachedOptions {
    max_value_mib: usize,
    max_memory_mib: usize,
    arguments: Vec<String>,
}

impl Default for MemcachedOptions {
    fn default() -> Self {
        MemcachedOptions { max_value_mib: 64, max_memory_mib: 512, arguments: Vec::new() }
    }
}

impl MemcachedOptions {
    /// Refuses values larger than this many MiB.
    pub fn max_value_mib(mut self, max_value_mib: usize) -> Self {
        self.max_value_mib = max_value_mib;
        self
    }

    /// Evicts when values take more than this many MiB.
    pub fn max_memory_mib(mut self, max_memory_mib: usize) -> Self {
        self.max_memory_mib = max_memory_mib;
        self
    }

    /// Adds arguments of the command `memcached`, separated by blanks.
    pub fn arguments(mut self, arguments: &str) -> Self {
        self.arguments.extend(arguments.split_whitespace().map(str::to_owned));
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// If there is no `memcached` here, or it does not start.
    pub fn start(self) -> Memcached {
        let cure = "`apt-get install memcached`, or LARDER_TEST_MEMCACHED_URL for `shared()`";
        let memcached = program::find("memcached", program::path(), cure);
        let MemcachedOptions { max_value_mib, max_memory_mib, arguments } = self;
        let process = Process::start(NAME, |port, _| {
            // Started by root, it runs as this user; else it runs as who starts it. Only with -vv does it say that
            // it listens.
            let plan = Plan::new(memcached.clone(), "server listening").arguments(&format!(
                "-u nobody -l 127.0.0.1 -p {port} -U 0 -I {max_value_mib}m -m {max_memory_mib} -vv"
            ));
            arguments.iter().fold(plan, Plan::argument)
        });
        be_quiet(process.port());
        let url = format!("memcached://127.0.0.1:{}", process.port());
        Memcached { process, url }
    }
}

/// Has it write no more of each command that it gets.
fn be_quiet(port: u16) {
    let mut answer = String::new();
    let mut ask = || {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        connection.write_all(b"verbosity 0\r\n")?;
        BufReader::new(connection).read_line(&mut answer)
    };
    assert!(
        ask().is_ok() && answer == "OK\r\n",
        "memcached on port {port} answers {answer:?} to `verbosity`"
    );
}
