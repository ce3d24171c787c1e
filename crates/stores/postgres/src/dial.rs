//! A connection that is not one of the pool: what the server says by itself is heard on it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error as DriverError, Notification, Socket};

type Dialing = Pin<Box<dyn Future<Output = Result<(Client, Said), DriverError>> + Send>>;
type Poller = dyn FnMut(&mut Context<'_>) -> Poll<Option<Result<AsyncMessage, DriverError>>> + Send;

/// Makes such connections, whatever they speak TLS with.
#[derive(Clone)]
pub(crate) struct Dial(Arc<dyn Fn() -> Dialing + Send + Sync>);

impl Dial {
    pub(crate) fn new<T>(mut config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        config.application_name("larder listening");
        Dial(Arc::new(move || {
            let (config, tls) = (config.clone(), tls.clone());
            Box::pin(async move {
                let (client, mut connection) = config.connect(tls).await?;
                Ok((client, Said(Box::new(move |cx| connection.poll_message(cx)))))
            })
        }))
    }

    pub(crate) async fn dial(&self) -> Result<(Client, Said), DriverError> {
        (self.0)().await
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}

/// What the server says. Nothing is sent or answered on the connection unless somebody waits here.
pub(crate) struct Said(Box<Poller>);

impl Said {
    /// Returns the next notification; none once the connection is lost.
    pub(crate) async fn next(&mut self) -> Option<Notification> {
        loop {
            match poll_fn(|cx| (self.0)(cx)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => return Some(notification),
                // A notice, of which there are none that matter.
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}
