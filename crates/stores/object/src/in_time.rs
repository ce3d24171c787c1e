//! The time-out of single calls.

use crate::Object;
use futures::future::{Either, select};
use larder_core::{Error, ErrorKind, Result};
use std::future::Future;
use std::pin::pin;

impl Object {
    /// Does `work`, unless it takes too long.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let Some(span) = self.timeout else { return work.await };
        match select(pin!(work), self.clock.sleep(span)).await {
            Either::Left((done, _)) => done,
            Either::Right(((), _)) => {
                let message = format!("no answer within {span:?}; `.timeout(span)` allows more");
                Err(Error::new(ErrorKind::Timeout, message))
            }
        }
    }
}
