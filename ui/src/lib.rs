//! What the compiler says to the commonest mistakes: see `tests/ui.rs`.
