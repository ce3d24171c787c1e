//! Making a connection to one server.

use crate::copies::Copies;
use crate::fault;
use crate::identity::Identity;
use crate::within::within;
use larder_core::{Error, ErrorKind as Kind, Result};
use redis::aio::MultiplexedConnection;
use redis::sentinel::SentinelClient;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, ProtocolVersion, PushInfo, PushKind, RedisError, Value, cmd,
    pipe,
};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Mutex;

/// Where a server is, and how to connect to it. Clones are the same.
#[derive(Clone)]
pub(crate) struct Dialer {
    origin: Origin,
    place: Arc<str>,
    timeout: Duration,
    copies: Option<Arc<Copies>>,
}

#[derive(Clone)]
pub(crate) enum Origin {
    Client(Box<Client>),
    /// Held while the sentinels are asked, across awaits: hence tokio's.
    Sentinels(Arc<Mutex<SentinelClient>>),
}

/// A connection, what the server calls it, and which server that is.
pub(crate) struct Dialed {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) id: Option<i64>,
    pub(crate) server: Option<Identity>,
    watch: Arc<Watch>,
}

/// What is heard of a connection beside answers.
struct Watch {
    gone: AtomicBool,
    copies: Option<Arc<Copies>>,
}

impl Dialer {
    pub(crate) fn new(
        origin: Origin,
        place: impl Into<Arc<str>>,
        timeout: Duration,
        copies: Option<Arc<Copies>>,
    ) -> Self {
        Dialer { origin, place: place.into(), timeout, copies }
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Connects, and has the server close the connection that it calls `last`, if there is that: what was given up on
    /// it must not be carried out later.
    pub(crate) fn dial(&self, last: Option<i64>) -> impl Future<Output = Result<Dialed>> + Send + use<> {
        let dialer = self.clone();
        async move {
            let dial = dialer.connect(last);
            within(dialer.timeout, dial).await.unwrap_or_else(|| Err(dialer.late()))
        }
    }

    /// Connects, and hears a channel: `hear` is told each message, and when the connection has ended.
    pub(crate) async fn listen(
        &self,
        channel: &str,
        hear: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection> {
        let config = unlimited().set_push_sender(move |message: PushInfo| {
            hear(message);
            Ok::<(), Infallible>(())
        });
        let listening = async {
            let mut connection = match &self.origin {
                Origin::Client(client) => {
                    let info = client.get_connection_info();
                    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
                    let client = Client::open(info.clone().set_redis_settings(settings))?;
                    client.get_multiplexed_async_connection_with_config(&config).await?
                }
                Origin::Sentinels(sentinels) => {
                    sentinels.lock().await.get_async_connection_with_config(&config).await?
                }
            };
            connection.subscribe(channel).await?;
            Ok(connection)
        };
        match within(self.timeout, listening).await {
            None => Err(self.late()),
            Some(listening) => {
                listening.map_err(|error: RedisError| fault::of_connecting(&error, &self.place))
            }
        }
    }

    async fn connect(&self, last: Option<i64>) -> Result<Dialed> {
        let watch = Arc::new(Watch { gone: AtomicBool::new(false), copies: self.copies.clone() });
        let connected = match &self.origin {
            Origin::Client(client) => self.connect_client(client, &watch).await,
            Origin::Sentinels(sentinels) => {
                let config = config(Some(&watch));
                sentinels.lock().await.get_async_connection_with_config(&config).await
            }
        };
        let mut connection = connected.map_err(|error| fault::of_connecting(&error, &self.place))?;
        let mut first = pipe();
        if let Some(last) = last {
            first.add_command(cmd("CLIENT").arg("KILL").arg("ID").arg(last).take());
        }
        if self.copies.is_some() {
            first.add_command(cmd("CLIENT").arg("TRACKING").arg("ON").take());
        }
        // Before anything else is said, so that each answer is known to be that of this server.
        first.add_command(cmd("INFO").arg("server").take());
        first.add_command(cmd("CLIENT").arg("ID").take());
        let answers = connection.send_packed_commands(&first, 0, first.len()).await;
        let mut answers = answers.map_err(|error| fault::of_driver(&error, &self.place))?;
        // Whoever may not ask this goes without.
        let id = match answers.pop().map(Value::extract_error) {
            Some(Ok(Value::Int(id))) => Some(id),
            Some(Err(error)) if error.code() == Some("NOAUTH") => {
                return Err(fault::of_driver(&error, &self.place));
            }
            _ => None,
        };
        let server = answers.pop().as_ref().and_then(Identity::read);
        if self.copies.is_some()
            && let Some(Err(error)) = answers.pop().map(Value::extract_error)
        {
            return Err(fault::untracked(&error, &self.place));
        }
        Ok(Dialed { connection, id, server, watch })
    }

    async fn connect_client(
        &self,
        client: &Client,
        watch: &Arc<Watch>,
    ) -> std::result::Result<MultiplexedConnection, RedisError> {
        let info = client.get_connection_info();
        let settings = info.redis_settings();
        // Only version 3 of the protocol has messages that nobody asked for, such as that of the end.
        let speaks = settings.protocol() == ProtocolVersion::RESP3;
        let config = config(speaks.then_some(watch));
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        match connected {
            Err(error) if error.kind() == ErrorKind::RESP3NotSupported && self.copies.is_none() => {
                let settings = settings.clone().set_protocol(ProtocolVersion::RESP2);
                let older = Client::open(info.clone().set_redis_settings(settings))?;
                older.get_multiplexed_async_connection_with_config(&self::config(None)).await
            }
            connected => connected,
        }
    }

    fn late(&self) -> Error {
        let message = format!(
            "no connection to Redis at {} within {:?}; check host and port, and whether it speaks TLS as the URL says; \
             `.connect_timeout(d)` allows more",
            self.place, self.timeout
        );
        Error::new(Kind::Timeout, message)
    }
}

/// Time-outs are ours: those of the driver need a runtime with timers.
fn unlimited() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

fn config(watch: Option<&Arc<Watch>>) -> AsyncConnectionConfig {
    let config = unlimited();
    let Some(watch) = watch.map(Arc::clone) else { return config };
    config.set_push_sender(move |message: PushInfo| {
        watch.hear(&message);
        Ok::<(), Infallible>(())
    })
}

impl Dialed {
    /// Whether it is known to be of no use any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.watch.gone.load(Relaxed)
    }
}

impl Drop for Dialed {
    /// The server's memory of what was read goes with the connection.
    fn drop(&mut self) {
        self.watch.end();
    }
}

impl Watch {
    fn hear(&self, message: &PushInfo) {
        match message.kind {
            PushKind::Disconnection => self.end(),
            PushKind::Invalidate => self.forget(&message.data),
            _ => {}
        }
    }

    fn forget(&self, keys: &[Value]) {
        let Some(copies) = &self.copies else { return };
        let Some(Value::Array(keys)) = keys.first() else {
            // Of everything, as when the server was emptied.
            return copies.forget_all();
        };
        for key in keys {
            match key {
                // What is no text is no key of ours.
                Value::BulkString(key) => str::from_utf8(key).map_or((), |key| copies.forget(key)),
                _ => copies.forget_all(),
            }
        }
    }

    fn end(&self) {
        self.gone.store(true, Relaxed);
        if let Some(copies) = &self.copies {
            copies.forget_all();
        }
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").field("place", &self.place).finish_non_exhaustive()
    }
}
