//! A connection that hears a channel, for all who listen in this process, and that comes back by itself.
//!
//! ```text
//! connect ──▶ subscribe ──▶ tell everyone that something may have been missed ──▶ hear, until the connection ends
//!    ▲                                                                                      │
//!    └────────────── a pause: 50 ms, twice as long after each attempt that fails, 5 s ◀──────┘
//! ```
//!
//! Messages are told as they are read from the connection; nothing waits in this process, so that who is slow slows the
//! connection down. A server gives up a connection that it cannot send to. One that died in silence is found by asking it
//! now and then.

use crate::dial::Dialer;
use crate::records::Records;
use crate::route::Servers;
use crate::within::within;
use larder_core::{Clock, Error, ErrorKind, Listener, Result, SystemClock};
use parking_lot::Mutex;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{PushInfo, PushKind, Value};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a server is asked whether it is still there.
const ASKED_EVERY: Duration = Duration::from_secs(5);

/// Ends the connection when it is dropped.
pub(crate) struct Ear {
    records: Arc<Records>,
    audience: Arc<Audience>,
    /// Held to look whether the task lives, and to begin it.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Those who listen.
struct Audience {
    channel: String,
    /// Held to look who is there, never while somebody is told something: he may do anything.
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
}

impl Ear {
    pub(crate) fn new(records: Arc<Records>, channel: String) -> Self {
        let audience = Arc::new(Audience { channel, listeners: Mutex::default() });
        Ear { records, audience, task: Mutex::new(None) }
    }

    pub(crate) fn channel(&self) -> &str {
        &self.audience.channel
    }

    /// Tells `listener` what comes, for as long as it lives.
    pub(crate) fn add(&self, listener: Weak<dyn Listener>) {
        {
            let mut listeners = self.audience.listeners.lock();
            listeners.retain(|listener| listener.strong_count() > 0);
            listeners.push(listener);
        }
        self.listen();
    }

    /// Sees to it that somebody hears the channel: the runtime on which that was done may have ended. Without a runtime
    /// nothing is heard.
    pub(crate) fn listen(&self) {
        let mut task = self.task.lock();
        if task.as_ref().is_none_or(JoinHandle::is_finished)
            && let Ok(runtime) = Handle::try_current()
        {
            let hearing = hear_for_ever(Arc::clone(&self.records), Arc::clone(&self.audience));
            *task = Some(runtime.spawn(hearing));
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut() {
            task.abort();
        }
    }
}

impl Audience {
    fn all(&self) -> Vec<Arc<dyn Listener>> {
        self.listeners.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn hear(&self, message: &PushInfo) {
        // The channel, and what was said.
        if let (PushKind::Message, [_, Value::BulkString(message)]) = (&message.kind, &message.data[..]) {
            self.all().iter().for_each(|listener| listener.heard(message));
        }
    }
}

async fn hear_for_ever(records: Arc<Records>, audience: Arc<Audience>) {
    let mut pause = SHORTEST_PAUSE;
    for attempt in 0_usize.. {
        let gone = Arc::new(Notify::new());
        if let Ok(connection) = connect(&records, &audience, &gone, attempt).await {
            audience.all().iter().for_each(|listener| listener.missed());
            until_it_ends(connection, &gone, records.route.timeout).await;
            pause = SHORTEST_PAUSE;
        }
        SystemClock.sleep(shortened(pause)).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Connects to the server, or to a node of the cluster, each time to another: a message that was published at one is heard
/// at all.
async fn connect(
    records: &Records,
    audience: &Arc<Audience>,
    gone: &Arc<Notify>,
    attempt: usize,
) -> Result<MultiplexedConnection> {
    let (audience, gone) = (Arc::clone(audience), Arc::clone(gone));
    let channel = audience.channel.clone();
    let hear = move |message: PushInfo| match message.kind {
        PushKind::Disconnection => gone.notify_one(),
        _ => audience.hear(&message),
    };
    match &records.route.servers {
        Servers::One(line) => line.dialer().listen(&channel, hear).await,
        Servers::Cluster(cluster) => {
            let nodes = cluster.masters(records.route.deadline()).await?;
            let dialer: Option<&Dialer> =
                nodes.get(attempt % nodes.len().max(1)).map(|node| node.line.dialer());
            let Some(dialer) = dialer else {
                return Err(Error::new(ErrorKind::Store, "the Redis cluster has no nodes"));
            };
            dialer.listen(&channel, hear).await
        }
    }
}

async fn until_it_ends(mut connection: MultiplexedConnection, gone: &Notify, timeout: Duration) {
    let ping = redis::cmd("PING");
    while within(ASKED_EVERY, gone.notified()).await.is_none() {
        match within(timeout, connection.req_packed_command(&ping)).await {
            Some(Ok(_)) => {}
            _ => return,
        }
    }
}

/// Between half of it and all of it, so that those who lost the same server do not come back at the same moment.
fn shortened(pause: Duration) -> Duration {
    let part = RandomState::new().build_hasher().finish() % 512;
    pause.mul_f64(1.0 - f64::from(u16::try_from(part).unwrap_or(0)) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_between_half_and_all_of_it() {
        let pauses: Vec<_> = (0..1_000).map(|_| shortened(LONGEST_PAUSE)).collect();
        assert!(pauses.iter().all(|pause| (LONGEST_PAUSE / 2..=LONGEST_PAUSE).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
