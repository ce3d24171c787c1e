//! The one connection on which a store hears what others say.
//!
//! Bus and lock share it: `LISTEN` is a matter of a connection, and the connections of the pool go from one call to the
//! next. The first letter of what is heard says whom it is for.

use crate::dial::{Dial, Said};
use crate::options::PostgresOptions;
use larder_core::{Clock, SystemClock};
use larder_pooled::Deadline;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

/// The pause before a lost connection is made again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A connection on which nothing came for so many response timeouts is asked whether it is still one.
const SILENCE: u32 = 5;

/// Is told what comes.
pub(crate) trait Hears: Send + Sync + 'static {
    /// What came on the channel, whoever sent it.
    fn heard(&self, payload: &str);

    /// The connection was made, or made again.
    fn missed(&self);
}

/// Listens while it lives, from when it is first asked to.
pub(crate) struct Ear {
    ends: Arc<Ends>,
    /// None where connections come from a pool of somebody else, who keeps for himself what the server says by itself.
    dial: Option<Dial>,
    listen: String,
    response_timeout: Duration,
    connect_timeout: Duration,
    /// Held only to look whether there is a task, and to start one.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Where what is heard goes.
#[derive(Default)]
struct Ends {
    listens: AtomicBool,
    /// Held only to add one and to copy the list.
    all: Mutex<Vec<Arc<dyn Hears>>>,
}

impl Ear {
    pub(crate) fn new(options: &PostgresOptions, dial: Option<Dial>) -> Self {
        Ear {
            ends: Arc::default(),
            dial,
            listen: format!("LISTEN {}", options.quoted_channel()),
            response_timeout: options.response_timeout,
            connect_timeout: options.connect_timeout,
            task: Mutex::new(None),
        }
    }

    /// Has `end` told what comes, for as long as the ear lives.
    pub(crate) fn tell(&self, end: Arc<dyn Hears>) {
        lock(&self.ends.all).push(end);
    }

    /// Whether there can be a connection to listen on.
    pub(crate) fn can_listen(&self) -> bool {
        self.dial.is_some()
    }

    /// Whether it listens at this moment.
    pub(crate) fn listens(&self) -> bool {
        self.ends.listens.load(Relaxed)
    }

    /// Begins to listen, unless it does. Needs a runtime.
    pub(crate) fn listen(&self) {
        let Some(dial) = &self.dial else { return };
        let mut task = lock(&self.task);
        // One that has ended has lost its runtime.
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            self.ends.listens.store(false, Relaxed);
            let line = Line {
                ends: Arc::clone(&self.ends),
                dial: dial.clone(),
                listen: self.listen.clone(),
                response_timeout: self.response_timeout,
                connect_timeout: self.connect_timeout,
            };
            *task = Some(tokio::spawn(line.hold()));
        }
    }
}

impl Drop for Ear {
    /// Ends the task.
    fn drop(&mut self) {
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// The task that listens.
struct Line {
    ends: Arc<Ends>,
    dial: Dial,
    listen: String,
    response_timeout: Duration,
    connect_timeout: Duration,
}

impl Line {
    /// Makes connections one after the other, until it is aborted.
    async fn hold(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let dialed = async { Ok(self.dial.dial().await) };
            let mut deadline = Deadline::new(self.connect_timeout, "PostgreSQL");
            if let Ok(Ok((client, said))) = deadline.bound(dialed).await
                && self.serve(&client, said).await
            {
                pause = FIRST_PAUSE;
            }
            SystemClock.sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Listens until the connection is lost, and returns whether it ever did.
    async fn serve(&self, client: &Client, mut said: Said) -> bool {
        let mut hear = pin!(async {
            while let Some(notification) = said.next().await {
                self.ends.each(|end| end.heard(notification.payload()));
            }
        });
        let mut ask = pin!(self.ask(client));
        // What is asked is sent and answered by what hears.
        poll_fn(|cx| match hear.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => ask.as_mut().poll(cx),
        })
        .await;
        self.ends.listens.swap(false, Relaxed)
    }

    /// Says that we listen, and asks now and then whether we still do. Ends when there is no answer.
    async fn ask(&self, client: &Client) {
        if self.answers(client, &self.listen).await {
            self.ends.listens.store(true, Relaxed);
            self.ends.each(Hears::missed);
            loop {
                SystemClock.sleep(self.response_timeout * SILENCE).await;
                if !self.answers(client, "").await {
                    return;
                }
            }
        }
    }

    async fn answers(&self, client: &Client, sql: &str) -> bool {
        let mut deadline = Deadline::new(self.response_timeout, "PostgreSQL");
        let asked = async { Ok(client.batch_execute(sql).await.is_ok()) };
        deadline.bound(asked).await.unwrap_or(false)
    }
}

impl Ends {
    /// Tells all, of whom each may do with the ear what it likes.
    fn each(&self, tell: impl Fn(&dyn Hears)) {
        let all = lock(&self.all).clone();
        for end in all {
            tell(&*end);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What panicked elsewhere has not left a list by half.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
