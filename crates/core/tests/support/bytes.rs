// The smallest store of bytes and a codec, for the examples of this crate.

use bytes::{Bytes, BytesMut};
use larder_core::{ByteStore, Codec, Error, Format, Result};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::SystemTime;

#[derive(Default)]
pub struct ByteMap(Mutex<HashMap<String, Bytes>>);

impl ByteStore for ByteMap {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }
    async fn put(&self, key: &str, bytes: Bytes, _expires_at: Option<SystemTime>) -> Result<()> {
        self.0.lock().unwrap().insert(key.into(), bytes);
        Ok(())
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
}

pub struct Decimal;

impl Format for Decimal {
    const ID: u8 = 64;
}

impl Codec<u32> for Decimal {
    fn encode(&self, value: &u32, out: &mut BytesMut) -> Result<()> {
        out.extend_from_slice(value.to_string().as_bytes());
        Ok(())
    }
    fn decode(&self, bytes: &Bytes) -> Result<u32> {
        let text = std::str::from_utf8(bytes).map_err(Error::codec)?;
        text.parse().map_err(Error::codec)
    }
}
