//! A codec for values behind a pointer.

use super::{Codec, Format};
use crate::Result;
use bytes::Bytes;
use std::sync::Arc;

/// Encodes `Arc<V>` as the codec inside encodes `V`, so that a level in memory in front can hold pointers: a hit then
/// copies a pointer and not the value.
///
/// The bytes are those of the codec inside: one cache may hold `V` and another one `Arc<V>`.
///
/// # Examples
///
/// ```
/// use larder::prelude::*;
/// use larder::Shared;
/// use std::sync::Arc;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let pages = Cache::new(Memory::new(10_000))
///     .chain(Cache::new(Object::in_memory()).codec(Shared(Json)));
///
/// pages.insert("/", Arc::new(String::from("a long page"))).await?;
/// let page = pages.get("/").await?.unwrap();
/// assert!(Arc::ptr_eq(&page, &pages.get("/").await?.unwrap()));
/// # larder::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Shared<C>(pub C);

impl<C: Format> Format for Shared<C> {
    const ID: u8 = C::ID;

    fn name() -> &'static str {
        C::name()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<V, C: Codec<V>> Codec<Arc<V>> for Shared<C> {
    fn encode(&self, value: &Arc<V>, out: &mut Vec<u8>) -> Result<()> {
        self.0.encode(value, out)
    }

    fn decode(&self, bytes: &Bytes) -> Result<Arc<V>> {
        self.0.decode(bytes).map(Arc::new)
    }

    fn decode_format(&self, format: u8, bytes: &Bytes) -> Result<Arc<V>> {
        self.0.decode_format(format, bytes).map(Arc::new)
    }

    fn decode_older(&self, version: u32, format: u8, bytes: &Bytes) -> Result<Arc<V>> {
        self.0.decode_older(version, format, bytes).map(Arc::new)
    }
}
