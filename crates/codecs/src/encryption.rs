//! Encryption of values: XChaCha20-Poly1305.

use bytes::{BufMut, Bytes};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use larder_core::{Encrypt, Error, ErrorKind, Result};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

const ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const FRONT_BYTES: usize = ID_BYTES + NONCE_BYTES;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// Keys that values are encrypted with, for [`Cache::encrypted`](larder_core::Cache::encrypted).
///
/// The cipher is XChaCha20-Poly1305, with a random nonce of 24 bytes for each value: random nonces of that length do not
/// repeat, however many values there are. A value becomes 45 bytes longer: the number of the key (4 bytes), the nonce,
/// the tag (16), and a byte that says so.
///
/// To change the key, give a new one a new number and keep the old one as [`former`](EncryptionKeys::former) for as long
/// as values live. While old processes still run, give the new key to all of them as a former one first: what is
/// encrypted with a key that a process does not have is a miss to it.
///
/// `Debug` shows the numbers only. Keys are overwritten when they are dropped; copies that the stack or the caller holds
/// are not.
///
/// # Examples
///
/// ```
/// use larder_codecs::EncryptionKeys;
/// use larder_core::{Clock, Entry, Raw, SystemClock, Wire};
/// use bytes::Bytes;
///
/// // As `openssl rand -hex 32` prints them, usually from the environment; the first one encrypts.
/// let keys: EncryptionKeys = "2:0bd4f3f7b0a9e1b3c25d9a70e2a7b2cf1e0f9ed4b2b5a1f0c6d7e8f901234567,\
///                             1:8c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a6b7c8d9eafb".parse()?;
/// assert_eq!(format!("{keys:?}"), "EncryptionKeys(encrypts with 2, decrypts 2, 1)");
///
/// let (wire, clock) = (Wire::new(Raw).encrypted(keys), SystemClock);
/// let ada = Entry::new(Bytes::from("countess"), clock.now());
/// let bytes = wire.seal("users:ada", &ada, &clock)?;
/// assert!(!bytes.windows(8).any(|bytes| bytes == b"countess"));
/// assert_eq!(wire.open("users:ada", &bytes, &clock)?.value(), "countess");
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone)]
#[must_use = "keys do nothing until `.encrypted(keys)` is given them"]
pub struct EncryptionKeys {
    /// The first one encrypts. Each is behind a pointer, so that there is one copy of it, however often these are cloned.
    keys: Vec<(u32, Arc<XChaCha20Poly1305>)>,
}

impl EncryptionKeys {
    /// Makes keys of one, which encrypts and decrypts. The number travels with each value.
    pub fn new(number: u32, key: [u8; KEY_BYTES]) -> Self {
        EncryptionKeys { keys: vec![(number, Arc::new(cipher(key)))] }
    }

    /// Adds a key that only decrypts.
    ///
    /// # Panics
    ///
    /// If a key with this number is there already.
    #[track_caller]
    pub fn former(mut self, number: u32, key: [u8; KEY_BYTES]) -> Self {
        assert!(self.find(number).is_none(), "there is a key with number {number} already");
        self.keys.push((number, Arc::new(cipher(key))));
        self
    }

    fn find(&self, number: u32) -> Option<&XChaCha20Poly1305> {
        self.keys.iter().find(|key| key.0 == number).map(|key| &*key.1)
    }

    fn numbers(&self) -> String {
        let numbers: Vec<String> = self.keys.iter().map(|key| key.0.to_string()).collect();
        numbers.join(", ")
    }
}

fn cipher(mut key: [u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    let cipher = XChaCha20Poly1305::new(&key.into());
    key.zeroize();
    cipher
}

impl FromStr for EncryptionKeys {
    type Err = Error;

    /// Reads `number:key` once or several times with commas between them; a key is 64 hexadecimal digits. The first one
    /// encrypts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], which says which part is wrong and shows nothing of it.
    fn from_str(text: &str) -> Result<Self> {
        let mut keys: Option<EncryptionKeys> = None;
        for (place, part) in text.split(',').enumerate() {
            let wrong = |why: &str| {
                let message = format!("encryption key {} of the list: {why}", place + 1);
                Error::new(ErrorKind::Config, message)
            };
            let (number, digits) =
                part.trim().split_once(':').ok_or_else(|| wrong("it is not `number:key`"))?;
            let number = number.parse().map_err(|_| wrong("its number is not 0 to 4294967295"))?;
            let key = unhex(digits).ok_or_else(|| wrong("it is not 64 hexadecimal digits"))?;
            keys = Some(match keys {
                None => EncryptionKeys::new(number, *key),
                Some(keys) if keys.find(number).is_some() => {
                    return Err(wrong("its number is there already"));
                }
                Some(keys) => keys.former(number, *key),
            });
        }
        // A split has one part at least.
        keys.ok_or_else(|| Error::new(ErrorKind::Config, "there is no encryption key"))
    }
}

fn unhex(digits: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let digits = digits.as_bytes();
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(key)
}

impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKeys(encrypts with {}, decrypts {})", self.keys[0].0, self.numbers())
    }
}

impl Encrypt for EncryptionKeys {
    fn front_bytes(&self) -> usize {
        FRONT_BYTES
    }

    fn encrypt(&self, context: &[u8], out: &mut Vec<u8>, start: usize) -> Result<()> {
        let (number, cipher) = &self.keys[0];
        let mut nonce = [0; NONCE_BYTES];
        let no_random =
            |error| Error::new(ErrorKind::Codec, "no random numbers to encrypt it with").caused_by(error);
        getrandom::fill(&mut nonce).map_err(no_random)?;
        let (front, text) = out[start..].split_at_mut(FRONT_BYTES);
        front[..ID_BYTES].copy_from_slice(&number.to_le_bytes());
        front[ID_BYTES..].copy_from_slice(&nonce);
        let tag = cipher
            .encrypt_inout_detached(&XNonce::from(nonce), context, text.into())
            .map_err(|_| Error::new(ErrorKind::TooLarge, "the cipher takes less than 256 GiB"))?;
        out.put_slice(&tag);
        Ok(())
    }

    fn decrypt(&self, context: &[u8], sealed: &[u8]) -> Result<Bytes> {
        let damaged = || Error::new(ErrorKind::Corrupt, "they are too short to be encrypted");
        let (number, rest) = sealed.split_first_chunk::<ID_BYTES>().ok_or_else(damaged)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        let (text, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or_else(damaged)?;
        let number = u32::from_le_bytes(*number);
        let cipher = self.find(number).ok_or_else(|| {
            let message =
                format!("they are encrypted with key {number}, and there is only {}", self.numbers());
            Error::new(ErrorKind::Corrupt, message)
        })?;
        let mut text = text.to_vec();
        cipher
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                context,
                text.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| {
                let why =
                    "they were changed, or not encrypted with this key, for this cache and this key of it";
                Error::new(ErrorKind::Corrupt, why)
            })?;
        Ok(text.into())
    }
}
