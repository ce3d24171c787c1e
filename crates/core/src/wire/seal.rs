//! Writing an envelope: once, into its final buffer.

use super::Wire;
use crate::codec::Codec;
use crate::envelope::{self, CHECKSUM, ENCRYPTED, Moment, context, put_varint};
use crate::holds::Stamp;
use crate::{Error, ErrorKind, Result};
use bytes::{BufMut, Bytes};

impl<C> Wire<C> {
    /// Returns the envelope of `value` under `key`.
    pub(super) fn write<V>(&self, key: &str, value: &V, stamp: &Stamp, at: Moment) -> Result<Bytes>
    where
        C: Codec<V>,
    {
        let front = self.encryption.as_ref().map_or(0, |encryption| encryption.front_bytes());
        // All that is in front of the payload, and room for what encryption puts there. Returns where the payload begins.
        let head = |method: u8, out: &mut Vec<u8>| {
            let form = method | if self.encryption.is_some() { ENCRYPTED } else { 0 };
            envelope::write_header(C::ID, self.version, form, key, stamp, at, out)?;
            let start = out.len();
            out.put_bytes(0, front);
            Ok(start)
        };
        let (mut out, start) = match &self.compression {
            None => {
                let mut out = self.room.buffer();
                let start = head(0, &mut out)?;
                self.encode(value, &mut out)?;
                (out, start)
            }
            Some(compression) => {
                let mut raw = self.room.buffer();
                self.encode(value, &mut raw)?;
                // A reader makes no more of it than that.
                self.check_size(raw.len())?;
                self.room.learn(raw.len());
                let (mut out, mut start) = (Vec::new(), 0);
                let is_worth_it = raw.len() >= compression.min_bytes() && {
                    start = head(compression.method(), &mut out)?;
                    let before = out.len();
                    put_varint(raw.len() as u64, &mut out);
                    compression.compress(&raw, &mut out)?;
                    check_kept(&out, before)?;
                    out.len() - before < raw.len()
                };
                if !is_worth_it {
                    out.clear();
                    start = head(0, &mut out)?;
                    out.put_slice(&raw);
                }
                (out, start)
            }
        };
        if let Some(encryption) = &self.encryption {
            let context = context(&out[..start], key);
            encryption.encrypt(&context, &mut out, start)?;
            check_kept(&out, start + front)?;
        }
        let sum = envelope::checksum(&out);
        out[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        if self.compression.is_none() {
            self.room.learn(out.len());
        }
        if out.capacity() / 2 > out.len() {
            // Who keeps it, keeps all of it.
            out.shrink_to_fit();
        }
        Ok(out.into())
    }

    fn encode<V>(&self, value: &V, out: &mut Vec<u8>) -> Result<()>
    where
        C: Codec<V>,
    {
        let before = out.len();
        self.codec.encode(value, out)?;
        check_kept(out, before)
    }
}

fn check_kept(out: &[u8], before: usize) -> Result<()> {
    if out.len() < before {
        return Err(Error::new(ErrorKind::Codec, "the codec removed what was in the buffer before"));
    }
    Ok(())
}
