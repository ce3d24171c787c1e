//! What a memory is written down as, for the next process.
//!
//! Version 1, numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 3 | magic `FE 4C 58` |
//! | 1 | version, 1 |
//! | each entry | its length in 4 bytes, their check in 4, and an [envelope](crate::envelope) of that length |
//! | 4, 4, 8 | length 0, its check, and how many entries there are |
//!
//! The check is half of the XXH3 of the length, with the number of the entry as its seed: a length that is damaged would make nonsense of all
//! that follows, so there reading ends. An envelope that is damaged is passed over. Its payload is the length of the key, in
//! 4 bytes, the key and the value, both as the codec writes them; what the envelope says it belongs to is `larder export` and the
//! name of the cache.

use crate::codec::{Codec, Format};
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::io::{self, Read, Write};
use std::sync::Arc;
use twox_hash::XxHash3_64;

const MAGIC: [u8; 3] = [0xFE, b'L', b'X'];
const VERSION: u8 = 1;
const HEAD: usize = 8;
/// The beginning, and the end.
const AROUND: u64 = 4 + 8 + 8;

/// Writes a snapshot of at most so many bytes.
pub(crate) struct Writer<W: Write> {
    out: io::BufWriter<W>,
    entries: u64,
    bytes: u64,
    max_bytes: u64,
}

impl<W: Write> Writer<W> {
    pub(crate) fn begin(out: W, max_bytes: u64) -> io::Result<Self> {
        let mut out = io::BufWriter::new(out);
        out.write_all(&MAGIC)?;
        out.write_all(&[VERSION])?;
        Ok(Writer { out, entries: 0, bytes: AROUND, max_bytes })
    }

    /// Returns whether there was room for it.
    pub(crate) fn push(&mut self, envelope: &[u8]) -> io::Result<bool> {
        let Ok(length) = u32::try_from(envelope.len()) else { return Ok(false) };
        let bytes = self.bytes.saturating_add((HEAD + envelope.len()) as u64);
        if bytes > self.max_bytes {
            return Ok(false);
        }
        self.out.write_all(&head(length, self.entries))?;
        self.out.write_all(envelope)?;
        (self.bytes, self.entries) = (bytes, self.entries + 1);
        Ok(true)
    }

    /// Returns how many entries there are, in how many bytes.
    pub(crate) fn end(mut self) -> io::Result<(u64, u64)> {
        self.out.write_all(&head(0, self.entries))?;
        self.out.write_all(&self.entries.to_le_bytes())?;
        self.out.flush()?;
        Ok((self.entries, self.bytes))
    }
}

fn head(length: u32, number: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let (first, second) = head.split_at_mut(4);
    first.copy_from_slice(&length.to_le_bytes());
    let sum = XxHash3_64::oneshot_with_seed(number, first);
    second.copy_from_slice(&sum.to_le_bytes()[..4]);
    head
}

/// Reads a snapshot, with trust in nothing.
pub(crate) struct Reader<R: Read> {
    from: io::BufReader<R>,
    number: u64,
}

/// What comes next.
pub(crate) enum Next {
    Envelope(Bytes),
    /// An entry that is larger than what is read.
    TooLarge,
    /// The end that was written.
    End,
    /// Another end: what follows, if anything does, cannot be read.
    Cut,
}

impl<R: Read> Reader<R> {
    pub(crate) fn begin(from: R) -> Result<Self> {
        let mut from = io::BufReader::new(from);
        let mut start = Vec::with_capacity(4);
        from.by_ref().take(4).read_to_end(&mut start).map_err(Error::store)?;
        let [first, second, third, version] = start[..] else {
            return Err(Error::new(ErrorKind::Corrupt, "this is no export of a cache: it is too short"));
        };
        if [first, second, third] != MAGIC {
            return Err(Error::new(ErrorKind::Corrupt, "this is no export of a cache"));
        }
        if version != VERSION {
            let message = format!("the export has version {version}, which another release of larder reads");
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        Ok(Reader { from, number: 0 })
    }

    /// Takes no more memory than what is there, and than `max_bytes`.
    pub(crate) fn next(&mut self, max_bytes: usize) -> Result<Next> {
        let mut start = Vec::with_capacity(HEAD);
        self.take(HEAD as u64).read_to_end(&mut start).map_err(Error::store)?;
        let Some(length) = start.first_chunk().map(|length| u32::from_le_bytes(*length)) else {
            return Ok(Next::Cut);
        };
        if start != head(length, self.number) {
            return Ok(Next::Cut);
        }
        if length == 0 {
            let mut entries = Vec::with_capacity(8);
            self.take(8).read_to_end(&mut entries).map_err(Error::store)?;
            return Ok(if entries == self.number.to_le_bytes() { Next::End } else { Next::Cut });
        }
        self.number += 1;
        if length as usize > max_bytes {
            let passed = io::copy(&mut self.take(length.into()), &mut io::sink()).map_err(Error::store)?;
            return Ok(if passed == u64::from(length) { Next::TooLarge } else { Next::Cut });
        }
        let mut envelope = Vec::new();
        self.take(length.into()).read_to_end(&mut envelope).map_err(Error::store)?;
        Ok(if envelope.len() == length as usize { Next::Envelope(envelope.into()) } else { Next::Cut })
    }

    fn take(&mut self, bytes: u64) -> io::Take<&mut io::BufReader<R>> {
        self.from.by_ref().take(bytes)
    }
}

/// Writes a key and a value as one, by a codec for both.
pub(crate) struct Pairs<C>(pub(crate) Arc<C>);

impl<C: Format> Format for Pairs<C> {
    const ID: u8 = C::ID;

    fn name() -> &'static str {
        C::name()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<K, V, C: Codec<K> + Codec<V>> Codec<(K, V)> for Pairs<C> {
    fn encode(&self, (key, value): &(K, V), out: &mut Vec<u8>) -> Result<()> {
        let mut text = Vec::new();
        self.0.encode(key, &mut text)?;
        let length = u32::try_from(text.len())
            .map_err(|_| Error::new(ErrorKind::TooLarge, "the key takes 4 GiB or more"))?;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&text);
        self.0.encode(value, out)
    }

    fn decode(&self, bytes: &Bytes) -> Result<(K, V)> {
        let (key, value) = halves(bytes)?;
        Ok((self.0.decode(&key)?, self.0.decode(&value)?))
    }

    fn decode_format(&self, format: u8, bytes: &Bytes) -> Result<(K, V)> {
        let (key, value) = halves(bytes)?;
        Ok((self.0.decode_format(format, &key)?, self.0.decode_format(format, &value)?))
    }

    fn decode_older(&self, version: u32, format: u8, bytes: &Bytes) -> Result<(K, V)> {
        let (key, value) = halves(bytes)?;
        // The version is that of the values.
        Ok((self.0.decode_format(format, &key)?, self.0.decode_older(version, format, &value)?))
    }
}

fn halves(bytes: &Bytes) -> Result<(Bytes, Bytes)> {
    let cut = || Error::new(ErrorKind::Corrupt, "they end within the key");
    let length = bytes.first_chunk().map(|length| u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
    let rest = bytes.slice(4..);
    if length > rest.len() {
        return Err(cut());
    }
    Ok((rest.slice(..length), rest.slice(length..)))
}
