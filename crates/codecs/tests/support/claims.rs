//! A method of compression that writes what it is told, so that an envelope is right but for its payload.

use bytes::Bytes;
use larder_core::{Compress, Result};

/// Has a payload in place of whatever it compresses.
pub(crate) struct Claims {
    pub(crate) method: u8,
    pub(crate) payload: Vec<u8>,
}

impl Compress for Claims {
    fn method(&self) -> u8 {
        self.method
    }
    fn name(&self) -> &'static str {
        "claims"
    }
    fn min_bytes(&self) -> usize {
        0
    }
    fn compress(&self, _: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.payload);
        Ok(())
    }
    fn decompress(&self, _: u8, _: &[u8], _: usize) -> Result<Bytes> {
        unreachable!("it only writes")
    }
}
