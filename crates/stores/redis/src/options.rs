//! How to connect, and what to expect of a connection.

mod shared;

use crate::access::{Access, addr};
use crate::address::{Address, Endpoint, Login, Place};
use crate::cluster::Cluster;
use crate::copies::Copies;
use crate::dial::{Dialer, Origin};
use crate::line::Line;
use crate::records::Records;
use crate::redis::Redis;
use crate::route::{Route, Servers};
use crate::secret::Secret;
use larder_core::{Error, ErrorKind, Result};
#[cfg(feature = "tls")]
use redis::ClientTlsConfig;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ProtocolVersion, RedisError, TlsMode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What a cache allows by itself, 64 MiB, and room for header and key.
const MAX_VALUE_BYTES: u64 = (64 << 20) + (64 << 10);

/// How to connect to Redis; from [`Redis::options`].
///
/// # Default
///
/// - response time-out: 1 s
/// - connect time-out: 1 s
/// - largest value: 64 MiB and 64 KiB for header and key
/// - user, password, database: those of the URL
/// - roots of trust for TLS: those of the system
/// - log and channel: `larder`; 100,000 names of each kind in the log
///
/// # Examples
///
/// ```no_run
/// use larder_redis::Redis;
/// use std::time::Duration;
///
/// # async fn example() -> larder_core::Result<()> {
/// let store = Redis::options()
///     .password(std::env::var("REDIS_PASSWORD").unwrap_or_default())
///     .response_timeout(Duration::from_millis(250))
///     .connect("redis://cache.internal/1")
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until a store is made of them"]
pub struct RedisOptions {
    login: Login,
    sentinels: Login,
    response_timeout: Duration,
    connect_timeout: Duration,
    max_value_bytes: u64,
    tracked: Option<usize>,
    log: String,
    log_names: u32,
    channel: String,
    #[cfg(feature = "tls")]
    root: Option<Vec<u8>>,
    #[cfg(feature = "tls")]
    client: Option<ClientTlsConfig>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        RedisOptions {
            login: Login::default(),
            sentinels: Login::default(),
            response_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            max_value_bytes: MAX_VALUE_BYTES,
            tracked: None,
            log: "larder".into(),
            log_names: 100_000,
            channel: "larder".into(),
            #[cfg(feature = "tls")]
            root: None,
            #[cfg(feature = "tls")]
            client: None,
        }
    }
}

impl RedisOptions {
    /// Logs in as this user, in place of that of the URL. Only together with a password.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.login.user = Some(user.into());
        self
    }

    /// Logs in with this password, in place of that of the URL: as it is, nothing percent-encoded. An empty one is
    /// none.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.login.password = secret(password.into());
        self
    }

    /// Logs in to the sentinels with this password. They have their own, and none by default.
    pub fn sentinel_password(mut self, password: impl Into<String>) -> Self {
        self.sentinels.password = secret(password.into());
        self
    }

    /// Trusts servers whose certificates these have signed, in PEM, in place of those that the system trusts.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root = Some(pem.into());
        self
    }

    /// Shows this certificate to the server, with its secret key, both in PEM.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client = Some(ClientTlsConfig { client_cert: pem.into(), client_key: key.into() });
        self
    }

    /// Waits at most this long for an answer. A call that has none by then is an error of
    /// [`ErrorKind::Timeout`]; whether a write was carried out is not known then.
    ///
    /// A time that includes connecting, if there is no connection. [`clear`](larder_core::ByteStore::clear) takes as
    /// long as there are keys: this holds for each of its steps.
    ///
    /// # Default
    ///
    /// - 1 s
    ///
    /// # Panics
    ///
    /// If it is zero.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        assert!(
            !timeout.is_zero(),
            "a response time-out of zero would let no call through; give it some milliseconds"
        );
        self.response_timeout = timeout;
        self
    }

    /// Waits at most this long for a connection, with all that is said at its beginning.
    ///
    /// # Default
    ///
    /// - 1 s
    ///
    /// # Panics
    ///
    /// If it is zero.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        assert!(
            !timeout.is_zero(),
            "a connect time-out of zero would never connect; give it some milliseconds"
        );
        self.connect_timeout = timeout;
        self
    }

    /// Neither reads nor writes values of more than `bytes`.
    ///
    /// A larger one is an error of [`ErrorKind::TooLarge`] (through a cache a miss and an event); a put that is
    /// refused removes the older value. What others have put under a key is read before it is refused: Redis itself
    /// holds 512 MiB a key at most.
    ///
    /// # Default
    ///
    /// - 64 MiB and 64 KiB: what a cache allows by itself, and a little
    pub fn max_value_bytes(mut self, bytes: u64) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// Keeps copies of what is read, of at most `max_bytes` together, and answers from them for as long as the server
    /// does not say that a key has changed: a get of what nobody writes then costs no round trip.
    ///
    /// Worth its memory for few keys that are read all the time by a cache without a memory level, or with one whose
    /// entries must be as new as Redis itself. The server keeps a table of what each connection has read. Wants one server
    /// (no cluster), and Redis 6 or newer. What is changed elsewhere is seen when the server's message has come, a
    /// network's delay after the change; over a connection that died in silence, after 10 s at the latest.
    ///
    /// # Default
    ///
    /// - off
    pub fn tracked(mut self, max_bytes: usize) -> Self {
        self.tracked = Some(max_bytes);
        self
    }

    /// Connects, and returns when the server has answered.
    ///
    /// `url` is `redis://user:password@host:port/database`, `rediss://` for TLS, `redis+cluster://host:port,host:port`,
    /// `redis+sentinel://host:port,host:port/service/database` or `unix:///path`; `valkey` may stand for `redis`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`]: the URL is none, the password is refused, the database does not exist, what listens
    ///   there is not Redis, or not a cluster, or not a sentinel
    /// - [`ErrorKind::Unsupported`]: the URL asks for TLS, and the feature `tls` is off
    /// - [`ErrorKind::Store`], [`ErrorKind::Timeout`]: nobody is there
    ///
    /// Each names the cure, and none has the password in it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the connection, if there was one already.
    pub async fn connect(self, url: &str) -> Result<Redis> {
        let first = self.connect_timeout.saturating_add(self.response_timeout);
        let redis = self.lazy(url)?;
        redis.reach(first).await?;
        Ok(redis)
    }

    /// Returns at once, and connects with the first call: for a service that starts while Redis is down.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] or [`ErrorKind::Unsupported`] if the URL or another setting cannot be used. That nobody is
    /// there, or the password is refused, is an error of the calls.
    pub fn lazy(self, url: &str) -> Result<Redis> {
        let mut address = Address::parse(url)?;
        address.login.user = self.login.user.clone().or(address.login.user);
        address.login.password = self.login.password.clone().or(address.login.password);
        if address.tls && cfg!(not(feature = "tls")) {
            let cure =
                "switch on the feature `tls` of `larder-redis` (`redis-tls` of `larder`), or use `redis://`";
            return Err(Error::new(ErrorKind::Unsupported, format!("connections over TLS; {cure}")));
        }
        if self.tracked.is_some() && matches!(address.place, Place::Cluster(_)) {
            let message = "`.tracked(n)` is for one server; leave it out for a cluster";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let access = Access {
            login: address.login,
            database: address.database,
            tls: address.tls,
            #[cfg(feature = "tls")]
            root: self.root.clone(),
            #[cfg(feature = "tls")]
            client: self.client.clone(),
        };
        #[cfg(feature = "tls")]
        access.check()?;
        self.open(address.place, access).map_err(|error| unusable(&error))
    }

    /// Makes a store of the driver's client, which connects with the first call. Its time-outs are those of these
    /// options.
    pub fn from_client(self, client: Client) -> Redis {
        let place = client.get_connection_info().addr().to_string();
        self.one(Origin::Client(Box::new(client)), place)
    }

    fn open(self, place: Place, access: Access) -> std::result::Result<Redis, RedisError> {
        match place {
            Place::Server(endpoint) => {
                let client = access.client(&endpoint)?;
                Ok(self.one(Origin::Client(Box::new(client)), endpoint.to_string()))
            }
            Place::Sentinels(sentinels, service) => {
                let client = self.sentinels(&sentinels, &service, &access)?;
                let place = format!("the master `{service}` of the sentinels {}", list(&sentinels));
                Ok(self.one(Origin::Sentinels(Arc::new(Mutex::new(client))), place))
            }
            Place::Cluster(seeds) => {
                // So that settings which cannot be are an error now.
                for seed in &seeds {
                    access.client(seed)?;
                }
                let (connect, respond) = (self.connect_timeout, self.response_timeout);
                let cluster = Cluster::new(seeds, access, connect, respond);
                Ok(self.over(Servers::Cluster(Arc::new(cluster)), None))
            }
        }
    }

    fn sentinels(
        &self,
        sentinels: &[Endpoint],
        service: &str,
        access: &Access,
    ) -> std::result::Result<SentinelClient, RedisError> {
        let addresses = sentinels.iter().map(|sentinel| addr(sentinel, false));
        let mut builder = SentinelClientBuilder::new(addresses, service, SentinelServerType::Master)?
            .set_client_to_redis_db(i64::from(access.database))
            .set_client_to_redis_protocol(ProtocolVersion::RESP3);
        if access.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
            #[cfg(feature = "tls")]
            if let Some(certificates) = access.certificates() {
                builder = builder.set_client_to_redis_certificates(certificates);
            }
        }
        if let Some(user) = &access.login.user {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = &access.login.password {
            builder = builder.set_client_to_redis_password(password.reveal());
        }
        if let Some(password) = &self.sentinels.password {
            builder = builder.set_client_to_sentinel_password(password.reveal());
        }
        builder.build()
    }

    fn one(&self, origin: Origin, place: String) -> Redis {
        let copies = self.tracked.map(|max_bytes| Arc::new(Copies::new(max_bytes)));
        let dialer = Dialer::new(origin, place, self.connect_timeout, copies.clone());
        self.over(Servers::One(Line::new(dialer, self.response_timeout)), copies)
    }

    fn over(&self, servers: Servers, copies: Option<Arc<Copies>>) -> Redis {
        let route = Route { servers, timeout: self.response_timeout };
        let records = Records { route, max_value_bytes: self.max_value_bytes, copies };
        Redis::over(records, &self.log, self.log_names, &self.channel)
    }
}

impl fmt::Debug for RedisOptions {
    /// Prints neither passwords nor keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("login", &self.login)
            .field("sentinels", &self.sentinels)
            .field("response_timeout", &self.response_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_value_bytes", &self.max_value_bytes)
            .field("tracked", &self.tracked)
            .field("log", &self.log)
            .field("log_names", &self.log_names)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

fn list(endpoints: &[Endpoint]) -> String {
    endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Of the driver's words only those that cannot repeat a setting.
fn unusable(error: &RedisError) -> Error {
    let category = error.category();
    Error::new(ErrorKind::Config, format!("Redis cannot be connected to with these settings: {category}"))
}

fn secret(password: String) -> Option<Secret> {
    Some(password).filter(|password| !password.is_empty()).map(Secret::new)
}
