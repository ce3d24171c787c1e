//! Redis with a sentinel.

use super::process::{Plan, Process};
use super::redis::{self, Redis};

/// A Redis server, a replica of it, and a sentinel which makes the replica the main one when the other is gone for
/// half a second.
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::RedisSentinel;
///
/// let redis = RedisSentinel::start();
/// redis.main().kill();
/// redis.wait_for_failover(); // about a second later
/// // Who asks the sentinel for the server called "main" is told where the replica is.
/// let _settings = (redis.url(), RedisSentinel::NAME);
/// ```
#[derive(Debug)]
pub struct RedisSentinel {
    // Ended first: it would take the end of the others for a failure.
    sentinel: Process,
    main: Redis,
    replica: Redis,
    url: String,
}

impl RedisSentinel {
    /// The name under which the sentinel knows the main server.
    pub const NAME: &str = "main";

    /// Starts the three of them. The sentinel knows the replica when this returns.
    ///
    /// # Panics
    ///
    /// If there is no `redis-server` here, or one does not start.
    pub fn start() -> Self {
        let main = Redis::start();
        let replica = Redis::options().replica_of(&main).start();
        let redis_server = redis::program();
        let sentinel = Process::start("Redis sentinel", |port, folder| {
            let name = Self::NAME;
            // It writes there what it finds out.
            let configuration = format!(
                "port {port}\nbind 127.0.0.1\nsentinel monitor {name} 127.0.0.1 {} 1\n\
                 sentinel down-after-milliseconds {name} 500\nsentinel failover-timeout {name} 5000\n",
                main.port()
            );
            std::fs::write(folder.join("sentinel.conf"), configuration).expect("the folder is new and ours");
            Plan::new(redis_server.clone(), "+monitor master").arguments("sentinel.conf --sentinel")
        });
        sentinel.wait_for_log(&format!("+slave slave 127.0.0.1:{}", replica.port()));
        let url = format!("redis://127.0.0.1:{}", sentinel.port());
        RedisSentinel { sentinel, main, replica, url }
    }

    /// Returns the URL of the sentinel.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the sentinel.
    pub fn sentinel(&self) -> &Process {
        &self.sentinel
    }

    /// Returns the server that is the main one at first.
    pub fn main(&self) -> &Redis {
        &self.main
    }

    /// Returns the server that is the replica at first.
    pub fn replica(&self) -> &Redis {
        &self.replica
    }

    /// Waits until the sentinel has made the replica the main server.
    ///
    /// # Panics
    ///
    /// If it does not in a minute.
    pub fn wait_for_failover(&self) {
        self.sentinel.wait_for_log(&format!("+switch-master {}", Self::NAME));
    }
}
