//! What the fuzz targets of larder have in common.

mod decodes;
mod value;

pub use decodes::decodes;
pub use value::{Double, Single, Tree};

mod archive;
pub use archive::{Archive, decodes_archive};
