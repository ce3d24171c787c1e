//! What the compiler says to the commonest mistakes: see `tests/ui.rs`; and to correct use, which is nothing: see [`quiet`].

pub mod quiet;
