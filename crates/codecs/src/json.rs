//! JSON.

use crate::withheld;
use bytes::Bytes;
use larder_core::{Codec, Error, ErrorKind, Format, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Encodes values as JSON, for bytes that people read and other languages write.
///
/// Takes every value that serde can turn into JSON and back. Floating-point numbers come back exactly.
///
/// Not promised: `NaN` and the infinities, which JSON has not. They are written as `null`, so a value that
/// holds one is a miss when read, and `Some` of one becomes `None`; `MessagePack` keeps them. A map needs keys that are
/// strings or numbers. A type that is nested by options alone (`struct Chain(Option<Box<Chain>>)`), which JSON cannot hold
/// anyway, **overflows the stack** when it is read: the parser counts arrays and maps.
///
/// # Errors
///
/// [`ErrorKind::Codec`], without the value:
/// - encoding: a map whose keys are not text, or a value whose own `Serialize` fails
/// - decoding: no JSON, or not of this type; nested deeper than 128 levels; bytes after the value
///
/// # Examples
///
/// ```
/// use larder_codecs::Json;
/// use larder_core::Codec;
/// use bytes::Bytes;
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct User {
///     name: String,
///     #[serde(default)]
///     admin: bool,
/// }
///
/// let mut out = Vec::new();
/// Json.encode(&User { name: "ada".into(), admin: true }, &mut out)?;
/// assert_eq!(&out[..], br#"{"name":"ada","admin":true}"#);
///
/// // Written before the field `admin` was there.
/// let older: User = Json.decode(&Bytes::from(r#"{"name":"ada"}"#))?;
/// assert_eq!(older, User { name: "ada".into(), admin: false });
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    const ID: u8 = 1;
}

impl<V: Serialize + DeserializeOwned> Codec<V> for Json {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<()> {
        serde_json::to_writer(&mut *out, value).map_err(|error| failed(&error))
    }

    fn decode(&self, bytes: &Bytes) -> Result<V> {
        serde_json::from_slice(bytes).map_err(|error| failed(&error))
    }
}

fn failed(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    match error.classify() {
        // These messages are fixed texts of the parser.
        Category::Syntax | Category::Eof | Category::Io => Error::new(ErrorKind::Codec, text),
        Category::Data => {
            let (line, column) = (error.line(), error.column());
            let told = withheld::unless_safe(&text);
            let place = if line == 0 || told == text {
                String::new()
            } else {
                format!(" at line {line} column {column}")
            };
            Error::new(ErrorKind::Codec, format!("{told}{place}"))
        }
    }
}
