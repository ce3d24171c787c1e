//! What is stored under a key, and what tells it from whatever is stored there later.

use bytes::Bytes;
use std::fmt;

/// What [`get_with_token`](crate::ByteStore::get_with_token) found under a key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The bytes, of whatever age, unless there are none.
    pub bytes: Option<Bytes>,
    /// What [`put_if`](crate::ByteStore::put_if) takes to replace this record and no other. `None` from a store
    /// that cannot do that.
    pub token: Option<Token>,
}

impl Record {
    /// Makes a record that can be replaced by its token.
    pub fn new(bytes: Option<Bytes>, token: Token) -> Self {
        Record { bytes, token: Some(token) }
    }

    /// Makes the record of a store without tokens.
    pub fn without_token(bytes: Option<Bytes>) -> Self {
        Record { bytes, token: None }
    }
}

impl fmt::Debug for Record {
    /// Shows how many bytes there are, not the bytes: they are someone's values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("bytes", &self.bytes.as_ref().map(Bytes::len))
            .field("token", &self.token)
            .finish()
    }
}

/// Names one state of one key in one store. Every write makes another.
///
/// Only the store that made it knows what it says; nobody else compares or keeps it.
///
/// # Examples
///
/// ```
/// use larder_core::Token;
///
/// let token = Token::new(b"etag-7".as_slice());
/// assert_eq!(token.as_bytes(), b"etag-7");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Bytes);

impl Token {
    /// Makes a token of whatever the store tells its records apart by: an etag, a generation, a random number.
    pub fn new(token: impl Into<Bytes>) -> Self {
        Token(token.into())
    }

    /// Returns what it was made of.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.0.escape_ascii())
    }
}

/// What became of a put that had a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a refused put stored nothing"]
pub enum PutIf {
    /// The bytes are stored.
    Done,
    /// What is under the key is no longer what the token was given for; nothing was stored.
    Refused,
    /// The store cannot do this; nothing was stored.
    Unsupported,
}

/// One of the puts of [`put_many`](crate::ByteStore::put_many).
#[derive(Clone)]
pub struct Put<'a> {
    /// Where to put them.
    pub key: &'a str,
    /// The bytes.
    pub bytes: Bytes,
    /// From when on they are of no use, if ever.
    pub expires_at: Option<std::time::SystemTime>,
}

impl fmt::Debug for Put<'_> {
    /// Shows how many bytes there are, not the bytes: they are someone's values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put")
            .field("key", &self.key)
            .field("bytes", &self.bytes.len())
            .field("expires_at", &self.expires_at)
            .finish()
    }
}
