//! The attributes and derives of the crate `larder`, which re-exports and documents them.
