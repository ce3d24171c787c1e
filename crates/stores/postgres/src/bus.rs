//! What was invalidated, told to the other processes by `NOTIFY`.
//!
//! ```text
//! NOTIFY channel, 'm' and the message in base64      7,999 bytes at most
//! ```

use crate::calls::{Calls, Twice};
use crate::ear::{Ear, Hears};
use crate::row;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use larder_core::{Answer, Bus, Error, ErrorKind, Listener, Result};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

/// The server takes less than 8,000 bytes, of which one says what it is; three of ours are four of base64.
const MOST_BYTES: usize = 7_998 / 4 * 3 + 1;
/// So many messages go in one statement.
const BATCH: usize = 64;
/// What a message begins with.
const MESSAGE: char = 'm';

/// A [`Bus`] by `LISTEN` and `NOTIFY`; from [`Postgres::bus`](crate::Postgres::bus).
///
/// A handle: clones are the same bus. It listens on a connection of its own, made with the first listener, which all
/// listeners share; messages are sent through the connections of the store, those of the same moment in one statement.
/// A lost connection is made again after 50 ms, then after twice as long each time, up to 10 s. One on which nothing came for
/// five response timeouts is asked whether it is still there.
///
/// Only processes that use the same database and [channel](crate::PostgresOptions::channel) hear each other. A message has
/// at most 5,998 bytes. It is sent to who listens at that moment, and kept for nobody. Equal messages that are published at
/// the same moment may be heard as one.
///
/// # Panics
///
/// Its calls, [`subscribe`](Bus::subscribe) too, need a Tokio runtime with I/O.
///
/// # Examples
///
/// ```no_run
/// use larder_core::Bus;
/// use larder_postgres::Postgres;
///
/// # async fn example() -> larder_core::Result<()> {
/// let bus = Postgres::connect("postgres://app:secret@db.test/shop").await?.bus()?;
/// bus.publish("anything".into()).await?;
/// assert_eq!(bus.place(), "the channel larder of PostgreSQL at db.test:5432/shop");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a bus does nothing until a cache is told of it"]
pub struct PostgresBus {
    calls: Calls,
    ear: Arc<Ear>,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Held only to add one and to copy the list.
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
    /// What is to be sent, and whom to tell. Held only to add and to take.
    waiting: Mutex<VecDeque<Waiting>>,
    /// Held while messages are sent, across awaits: the others gather meanwhile.
    sending: AsyncMutex<()>,
}

struct Waiting {
    payload: String,
    sent: oneshot::Sender<Result<()>>,
}

impl PostgresBus {
    pub(crate) fn new(calls: Calls, ear: Arc<Ear>) -> Self {
        let inner = Arc::new(Inner::default());
        ear.tell(Arc::clone(&inner) as _);
        PostgresBus { calls, ear, inner }
    }

    /// Sends what waits until this message is among what was sent.
    async fn send(self, mut sent: oneshot::Receiver<Result<()>>) -> Result<()> {
        let _sending = self.inner.sending.lock().await;
        loop {
            // Whoever sent before us may have sent ours too.
            if let Ok(sent) = sent.try_recv() {
                return sent;
            }
            let batch: Vec<Waiting> = {
                let mut waiting = lock(&self.inner.waiting);
                let some = waiting.len().min(BATCH);
                waiting.drain(..some).collect()
            };
            if batch.is_empty() {
                return Err(Error::new(
                    ErrorKind::Closed,
                    "the message was dropped with the call that sent it",
                ));
            }
            let (payloads, tell): (Vec<String>, Vec<_>) =
                batch.into_iter().map(|waiting| (waiting.payload, waiting.sent)).unzip();
            let values = row::values![self.calls.options().channel.clone(), payloads];
            // Who hears it twice does no more than once.
            let done = self.calls.run(|sql| &sql.notify, values, Twice::Fine).await.map(drop);
            for sent in tell {
                // Whose call was dropped does not wait.
                let _ = sent.send(done.clone());
            }
        }
    }
}

impl Bus for PostgresBus {
    fn publish(&self, message: Bytes) -> Answer<'_, ()> {
        Box::pin(async move {
            if message.len() > MOST_BYTES {
                let bytes = message.len();
                let message = format!("a message of {bytes} bytes, where PostgreSQL carries {MOST_BYTES}");
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
            let mut payload = String::from(MESSAGE);
            STANDARD_NO_PAD.encode_string(&message, &mut payload);
            let (sent, wait) = oneshot::channel();
            lock(&self.inner.waiting).push_back(Waiting { payload, sent });
            let mut deadline = self.calls.deadline();
            let send = self.clone().send(wait);
            deadline.bound(larder_pooled::finish(send)).await
        })
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        lock(&self.inner.listeners).push(Weak::clone(&listener));
        self.ear.listen();
        // The others were told when the connection was made.
        if self.ear.listens() {
            tokio::spawn(async move { listener.upgrade().map(|listener| listener.missed()) });
        }
    }

    fn max_message_bytes(&self) -> usize {
        MOST_BYTES
    }

    fn place(&self) -> String {
        format!("the channel {} of {}", self.calls.options().channel, self.calls.place())
    }
}

impl Inner {
    /// Tells all who are still there, without holding the list: each may subscribe another.
    fn each(&self, tell: impl Fn(&dyn Listener)) {
        let listeners: Vec<_> = {
            let mut listeners = lock(&self.listeners);
            listeners.retain(|listener| listener.strong_count() > 0);
            listeners.iter().filter_map(Weak::upgrade).collect()
        };
        for listener in listeners {
            tell(&*listener);
        }
    }
}

impl Hears for Inner {
    fn heard(&self, payload: &str) {
        // What is no message of ours was sent by somebody else who uses the channel.
        let message = payload.strip_prefix(MESSAGE).and_then(|text| STANDARD_NO_PAD.decode(text).ok());
        if let Some(message) = message {
            self.each(|listener| listener.heard(&message));
        }
    }

    fn missed(&self) {
        self.each(Listener::missed);
    }
}

impl fmt::Debug for PostgresBus {
    /// Prints where the server is, and no credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBus").field("place", &self.place()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What panicked elsewhere has not left a list by half.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
