//! A codec with a will of its own.

use bytes::Bytes;
use larder::Json;
use larder_core::{Codec, Format, Result};

/// Json, which does something whenever a value is read.
pub(crate) struct Meddling(pub(crate) Box<dyn Fn(u32) + Send + Sync>);

impl Format for Meddling {
    const ID: u8 = Json::ID;
}

impl Codec<String> for Meddling {
    fn encode(&self, key: &String, out: &mut Vec<u8>) -> Result<()> {
        Json.encode(key, out)
    }
    fn decode(&self, bytes: &Bytes) -> Result<String> {
        Json.decode(bytes)
    }
}

impl Codec<u32> for Meddling {
    fn encode(&self, value: &u32, out: &mut Vec<u8>) -> Result<()> {
        (self.0)(*value);
        Json.encode(value, out)
    }
    fn decode(&self, bytes: &Bytes) -> Result<u32> {
        let value = Json.decode(bytes)?;
        (self.0)(value);
        Ok(value)
    }
}
