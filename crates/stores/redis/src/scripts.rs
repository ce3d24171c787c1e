//! What takes several commands in one step: scripts, which the server knows by the hash of their text.

use redis::Script as Hashed;
use std::sync::LazyLock;

/// A script, and what the server calls it once it has seen it.
pub(crate) struct Script {
    pub(crate) text: &'static str,
    hashed: LazyLock<Hashed>,
}

impl Script {
    /// Its SHA-1, in hexadecimal digits.
    pub(crate) fn hash(&self) -> &str {
        self.hashed.get_hash()
    }
}

macro_rules! script {
    ($file:literal) => {
        Script { text: include_str!($file), hashed: LazyLock::new(|| Hashed::new(include_str!($file))) }
    };
}

/// Returns the record, after planting or extending a guard.
pub(crate) static GET_WITH_TOKEN: Script = script!("scripts/get_with_token.lua");

/// Puts a record in place of the one with the token, and returns whether it did.
pub(crate) static PUT_IF: Script = script!("scripts/put_if.lua");
