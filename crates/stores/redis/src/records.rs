//! What store, log, bus and lock have in common: the way to the servers, and what is known of the records there.

use crate::copies::Copies;
use crate::record;
use crate::route::Route;
use crate::{expiry, fault};
use bytes::Bytes;
use larder_core::{Error, ErrorKind, Record, Result, Token};
use redis::{Cmd, Value};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) route: Route,
    pub(crate) max_value_bytes: u64,
    pub(crate) copies: Option<Arc<Copies>>,
}

impl Records {
    /// Does what changes these keys, and forgets what is known of them: before, so that nobody reads it meanwhile, and
    /// after, because somebody may have.
    pub(crate) async fn changing<T>(&self, keys: &[&str], change: impl Future<Output = T>) -> T {
        let forget = || {
            if let Some(copies) = &self.copies {
                for key in keys {
                    copies.forget(key);
                }
            }
        };
        forget();
        let changed = change.await;
        forget();
        changed
    }

    pub(crate) fn check_size(&self, bytes: usize) -> Result<()> {
        let most = self.max_value_bytes;
        if bytes as u64 <= most {
            return Ok(());
        }
        let cure = "`.max_value_bytes(n)` of its options allows more";
        Err(Error::new(
            ErrorKind::TooLarge,
            format!("a value of {bytes} bytes, where {most} are allowed; {cure}"),
        ))
    }

    /// The bytes in a record that was read.
    pub(crate) fn bytes_of(&self, reply: Value) -> Result<Option<Bytes>> {
        match reply {
            Value::Nil => Ok(None),
            reply => self.open(reply).map(|(bytes, _)| bytes),
        }
    }

    /// A record that was read together with its token.
    pub(crate) fn record_of(&self, reply: Value) -> Result<Record> {
        let (bytes, token) = self.open(reply)?;
        Ok(Record::new(bytes, Token::new(token)))
    }

    fn open(&self, reply: Value) -> Result<(Option<Bytes>, Bytes)> {
        let Value::BulkString(found) = reply else { return Err(fault::unexpected(self.route.place())) };
        self.check_size(found.len().saturating_sub(record::HEADER))?;
        record::open(found.into())
    }
}

/// Adds the arguments of [`GET_WITH_TOKEN`](crate::scripts::GET_WITH_TOKEN): the guard that is planted if nothing is there.
pub(crate) fn add_guard(cmd: &mut Cmd, guard: &[u8; record::HEADER], guard_for: Duration) {
    cmd.arg(&guard[..]).arg(expiry::millis(guard_for));
}
