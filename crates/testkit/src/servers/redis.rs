//! Redis.

use super::certificate::{CERTIFICATE, KEY};
use super::process::{Plan, PortTaken, Process};
use super::{certificate, outside, program};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const NAME: &str = "Redis";
const VARIABLE: &str = "LARDER_TEST_REDIS_URL";

/// A Redis server. It writes nothing to disk, so that it is empty after [`restart`](Process::restart).
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::Redis;
///
/// let main = Redis::options().password("sesame").start();
/// assert_eq!(main.url(), format!("redis://:sesame@127.0.0.1:{}/0", main.port()));
///
/// let replica = Redis::options().password("sesame").replica_of(&main).start();
/// assert_ne!(replica.port(), main.port());
/// ```
#[derive(Debug)]
pub struct Redis {
    process: Process,
    url: String,
    password: Option<String>,
    certificate: Option<PathBuf>,
}

impl Redis {
    /// Starts a server with the default options.
    ///
    /// # Panics
    ///
    /// If there is no `redis-server` here, or it does not start.
    pub fn start() -> Self {
        Self::options().start()
    }

    /// Returns the server of this process, started with the first call; or the one that `LARDER_TEST_REDIS_URL`
    /// names.
    ///
    /// Who shares it should not count on being alone in any of its databases: keys of one's own are enough for most
    /// tests. One that clears a database, counts keys, or pauses the server wants [`start`](Self::start), which
    /// takes some milliseconds.
    ///
    /// # Panics
    ///
    /// If there is no `redis-server` here, or it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(|| match outside::server(NAME, VARIABLE) {
            Some((process, url)) => Redis { process, url, password: None, certificate: None },
            None => Redis::start(),
        })
    }

    /// Returns options for a server.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    /// Returns the URL of its first database, with the password. With TLS, its scheme is `rediss`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the file of the certificate that clients are to trust, in the format PEM, if it has TLS.
    pub fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }
}

impl Deref for Redis {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// How a [`Redis`] is started.
///
/// # Default
///
/// - no password, no TLS
/// - no replica, but a server of its own
/// - 16 databases, no limit of memory
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a server is started"]
pub struct RedisOptions {
    arguments: Vec<String>,
    password: Option<String>,
    replicates: Option<(u16, Option<String>)>,
    files: Vec<(&'static str, String)>,
    tls: bool,
}

impl RedisOptions {
    /// Asks clients for this password.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Takes only connections with TLS, with a certificate for 127.0.0.1 and localhost that is made for it; clients
    /// need none.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use larder_testkit::servers::Redis;
    ///
    /// let redis = Redis::options().tls().start();
    /// assert!(redis.url().starts_with("rediss://"));
    /// let _root = std::fs::read(redis.certificate().unwrap());
    /// ```
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Makes it a replica of `main`, which can be read from and not written to.
    pub fn replica_of(mut self, main: &Redis) -> Self {
        self.replicates = Some((main.port(), main.password.clone()));
        self
    }

    /// Adds arguments of the command `redis-server`, separated by blanks.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use larder_testkit::servers::Redis;
    ///
    /// let redis = Redis::options().arguments("--maxmemory 4mb --maxmemory-policy allkeys-lru").start();
    /// # let _ = redis;
    /// ```
    pub fn arguments(mut self, arguments: &str) -> Self {
        self.arguments.extend(arguments.split_whitespace().map(str::to_owned));
        self
    }

    /// Writes a file into its folder before it starts.
    pub(super) fn file(mut self, name: &'static str, text: String) -> Self {
        self.files.push((name, text));
        self
    }

    /// Starts the server. A replica has all that the other server has when this returns.
    ///
    /// # Panics
    ///
    /// If there is no `redis-server` here, or it does not start; with TLS, if there is no `openssl`.
    pub fn start(self) -> Redis {
        let redis_server = program();
        let process = Process::start(NAME, |port, folder| self.plan(redis_server.clone(), port, folder));
        self.started(process)
    }

    /// Starts the server on this port.
    pub(super) fn start_on(self, port: u16) -> Result<Redis, PortTaken> {
        let process = Process::start_on(port, NAME, |port, folder| self.plan(program(), port, folder))?;
        Ok(self.started(process))
    }

    fn plan(&self, redis_server: PathBuf, port: u16, folder: &Path) -> Plan {
        for (name, text) in &self.files {
            std::fs::write(folder.join(name), text).expect("the folder is new and ours");
        }
        let mut plan = Plan::new(redis_server, "Ready to accept connections")
            .arguments("--bind 127.0.0.1 --appendonly no --save")
            .argument("")
            // Else a main server waits five seconds for more replicas to come.
            .arguments("--repl-diskless-sync-delay 0");
        plan = if self.tls {
            certificate::make(folder);
            plan.arguments(&format!("--port 0 --tls-port {port} --tls-auth-clients no"))
                .arguments(&format!("--tls-cert-file {CERTIFICATE} --tls-ca-cert-file {CERTIFICATE}"))
                .arguments(&format!("--tls-key-file {KEY}"))
        } else {
            plan.arguments(&format!("--port {port}"))
        };
        if let Some(password) = &self.password {
            plan = plan.argument("--requirepass").argument(password);
        }
        if let Some((port, password)) = &self.replicates {
            plan = plan.argument("--replicaof").argument("127.0.0.1").argument(port.to_string());
            if let Some(password) = password {
                plan = plan.argument("--masterauth").argument(password);
            }
        }
        self.arguments.iter().fold(plan, Plan::argument)
    }

    fn started(self, process: Process) -> Redis {
        if self.replicates.is_some() {
            process.wait_for_log("REPLICA sync: Finished with success");
        }
        let secret = self.password.as_ref().map(|password| format!(":{password}@")).unwrap_or_default();
        let scheme = if self.tls { "rediss" } else { "redis" };
        let url = format!("{scheme}://{secret}127.0.0.1:{}/0", process.port());
        let certificate = self.tls.then(|| process.folder().join(CERTIFICATE));
        Redis { process, url, password: self.password, certificate }
    }
}

pub(super) fn program() -> PathBuf {
    program::find(
        "redis-server",
        program::path(),
        "`apt-get install redis-server`, or LARDER_TEST_REDIS_URL for `shared()`",
    )
}
