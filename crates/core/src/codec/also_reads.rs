//! A codec that also reads what another one wrote; [`Cache::also_reads`](crate::Cache::also_reads) makes it.

use super::{Codec, Format};
use crate::Result;
use bytes::Bytes;
use std::sync::Arc;

/// The codec behind [`Cache::also_reads`](crate::Cache::also_reads): writes with `C`, reads also what `D` wrote.
#[derive(Debug)]
pub struct AlsoReads<C, D> {
    pub(crate) codec: Arc<C>,
    pub(crate) former: D,
}

impl<C: Format, D: Format> Format for AlsoReads<C, D> {
    const ID: u8 = C::ID;

    fn name() -> &'static str {
        C::name()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<V, C: Codec<V>, D: Codec<V>> Codec<V> for AlsoReads<C, D> {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        self.codec.encode(value, out)
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        self.codec.decode(bytes)
    }

    fn decode_format(&self, format: u8, bytes: &Bytes) -> Result<V> {
        if format == D::ID { self.former.decode(bytes) } else { self.codec.decode_format(format, bytes) }
    }

    fn decode_older(&self, version: u32, format: u8, bytes: &Bytes) -> Result<V> {
        if format == D::ID {
            self.former.decode_older(version, format, bytes)
        } else {
            self.codec.decode_older(version, format, bytes)
        }
    }
}
