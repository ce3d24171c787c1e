//! A codec that brings values of an older schema up to date; [`Cache::migrate`](crate::Cache::migrate) makes it.

use super::{Codec, Format};
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// The codec behind [`Cache::migrate`](crate::Cache::migrate).
pub struct Migrate<C, F> {
    pub(crate) codec: Arc<C>,
    pub(crate) migrate: F,
}

impl<C: Format, F: Send + Sync + 'static> Format for Migrate<C, F> {
    const ID: u8 = C::ID;

    fn name() -> &'static str {
        C::name()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<V, C, F> Codec<V> for Migrate<C, F>
where
    C: Codec<V>,
    F: Fn(u32, &Bytes) -> Result<V> + Send + Sync + 'static,
{
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        self.codec.encode(value, out)
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        self.codec.decode(bytes)
    }

    fn decode_format(&self, format: u8, bytes: &Bytes) -> Result<V> {
        self.codec.decode_format(format, bytes)
    }

    fn decode_older(&self, version: u32, format: u8, bytes: &Bytes) -> Result<V> {
        if format == C::ID {
            return (self.migrate)(version, bytes);
        }
        let message = format!("the value has version {version} of its schema, and codec {format} wrote it");
        Err(Error::new(
            ErrorKind::Codec,
            message + "; `.migrate(..)` is given what the cache's own codec wrote",
        ))
    }
}

impl<C: fmt::Debug, F> fmt::Debug for Migrate<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrate").field("codec", &self.codec).finish_non_exhaustive()
    }
}
