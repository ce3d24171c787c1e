//! What most files that use a cache need: `use larder::prelude::*;`

pub use crate::{Cache, LoadError, hours, millis, minutes, secs};

#[cfg(any(feature = "zstd", feature = "lz4", feature = "gzip"))]
pub use crate::Compressing as _;
#[cfg(feature = "json")]
pub use crate::Json;
#[cfg(feature = "memory")]
pub use crate::Memory;
#[cfg(feature = "msgpack")]
pub use crate::MessagePack;
#[cfg(feature = "object")]
pub use crate::Object;
