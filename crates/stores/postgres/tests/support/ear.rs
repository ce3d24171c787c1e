//! A listener that a test can wait for.

use larder_core::{Clock, Listener, SystemClock};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// What a listener was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Heard(Vec<u8>),
    Missed,
}

pub(crate) struct Ears {
    tell: mpsc::UnboundedSender<Told>,
    told: Mutex<mpsc::UnboundedReceiver<Told>>,
}

impl Ears {
    pub(crate) fn new() -> Arc<Self> {
        let (tell, told) = mpsc::unbounded_channel();
        Arc::new(Ears { tell, told: Mutex::new(told) })
    }

    pub(crate) fn weak(self: &Arc<Self>) -> Weak<dyn Listener> {
        Arc::downgrade(self) as _
    }

    /// Waits for what it is told next, for as long as a server may take.
    pub(crate) async fn next(&self) -> Told {
        let mut told = self.told.lock().await;
        in_time(told.recv()).await.unwrap()
    }

    /// Waits for the next message, whatever was missed before.
    pub(crate) async fn hear(&self) -> Vec<u8> {
        loop {
            if let Told::Heard(message) = self.next().await {
                return message;
            }
        }
    }

    pub(crate) async fn miss(&self) {
        while self.next().await != Told::Missed {}
    }

    /// Whether nothing was told that is not taken yet.
    pub(crate) async fn is_quiet(&self) -> bool {
        self.told.lock().await.is_empty()
    }
}

impl Listener for Ears {
    fn heard(&self, message: &[u8]) {
        self.tell.send(Told::Heard(message.to_vec())).unwrap();
    }

    fn missed(&self) {
        self.tell.send(Told::Missed).unwrap();
    }
}

/// Waits for something that a real server does, and not for ever.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut timer = SystemClock.sleep(Duration::from_secs(30));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Pending => timer.as_mut().poll(cx).map(|()| panic!("nothing came in 30 s")),
        done @ Poll::Ready(_) => done,
    })
    .await
}
