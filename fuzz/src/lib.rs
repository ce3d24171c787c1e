//! What the fuzz targets of larder have in common.

mod archive;
mod compresses;
mod decodes;
mod message;
mod value;

pub use archive::{Archive, decodes_archive};
pub use compresses::compresses;
pub use decodes::{decodes, decodes_as};
pub use message::{Choice, Message};
pub use value::{Double, Single, Tree};
