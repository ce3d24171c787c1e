//! A level that keeps nothing: beside it, whatever a cache answers comes from the store under test.

use bytes::Bytes;
use larder_core::{Capabilities, Cleared, Entry, Result, Store};
use std::task::Poll;

/// A store of values that forgets at once, as every store may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgetful;

impl Store<str> for Forgetful {
    type Value = Bytes;

    async fn get(&self, _: &str) -> Result<Option<Entry<Bytes>>> {
        Ok(None)
    }
    async fn insert(&self, _: &str, _: Entry<Bytes>) -> Result<()> {
        Ok(())
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn get_now(&self, _: &str) -> Poll<Option<Entry<Bytes>>> {
        Poll::Ready(None)
    }
    async fn clear(&self) -> Result<Cleared> {
        Ok(Cleared::Done)
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.immediate().clear()
    }
}
