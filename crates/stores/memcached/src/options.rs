//! What can be chosen.

use crate::server::Server;
use crate::{Memcached, address, failure};
use larder_core::Result;
use std::time::Duration;

/// How a [`Memcached`] is made; from [`Memcached::options`].
///
/// # Default
///
/// - connections: at most 10 to each server, made when they are needed
/// - response timeout: 1 s, for each call as a whole
/// - connect timeout: 5 s
/// - largest value: 64 MiB, and 64 KiB for header and key, or what the server allows: 1 MiB unless it was told otherwise
///
/// # Examples
///
/// ```
/// use larder_memcached::Memcached;
/// use std::time::Duration;
///
/// let options = Memcached::options().response_timeout(Duration::from_millis(50)).max_connections(32);
/// let store = options.lazy("memcached://cache-1.test,cache-2.test:11212")?;
/// assert!(format!("{store:?}").contains("cache-1.test:11211"));
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until a store is made"]
pub struct MemcachedOptions {
    pub(crate) max_connections: usize,
    pub(crate) response_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_value_bytes: u64,
}

impl Default for MemcachedOptions {
    fn default() -> Self {
        MemcachedOptions {
            max_connections: 10,
            response_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(5),
            max_value_bytes: (64 << 20) + (64 << 10),
        }
    }
}

impl MemcachedOptions {
    /// Opens at most this many connections to each server. A call that finds none free waits for one, within its
    /// timeout.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Ends each call after `timeout` with an error of [`ErrorKind::Timeout`](larder_core::ErrorKind::Timeout): the wait
    /// for a connection and the making of one included.
    ///
    /// What was to be written may still arrive. The connection is closed.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Gives up making a connection after `timeout`, and ends [`connect`](MemcachedOptions::connect) then.
    ///
    /// A connection that takes longer than one call may last is finished for the next.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Neither reads nor writes values of more than `bytes`.
    ///
    /// A larger one is an error of [`ErrorKind::TooLarge`](larder_core::ErrorKind::TooLarge) (through a cache a miss and
    /// an event), as is one that the server does not take; a put that is refused removes the older value.
    pub fn max_value_bytes(mut self, bytes: u64) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// Connects to all servers of `url`, which is `memcached://host:port,host:port`.
    ///
    /// # Errors
    ///
    /// As for [`Memcached::connect`], and [`ErrorKind::Config`](larder_core::ErrorKind::Config) for options that cannot be.
    pub async fn connect(self, url: &str) -> Result<Memcached> {
        let limit = self.connect_timeout;
        let store = self.lazy(url)?;
        store.connect_all(limit).await?;
        Ok(store)
    }

    /// Makes a store that connects with the first call, so that a service starts also while its cache is down.
    ///
    /// Whatever is wrong beside the options and the form of the URL is then the error of each call, until it is mended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](larder_core::ErrorKind::Config) for options that cannot be, or a URL that is none.
    pub fn lazy(self, url: &str) -> Result<Memcached> {
        if self.max_connections == 0 {
            return Err(failure::config("a pool of no connections; `.max_connections(n)` takes 1 or more"));
        }
        let servers = address::parse(url)?;
        let servers = servers.iter().map(|address| Server::new(address, &self)).collect::<Result<_>>()?;
        Ok(Memcached::new(servers, self))
    }
}
