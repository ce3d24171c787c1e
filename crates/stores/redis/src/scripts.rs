//! What takes several commands in one step: scripts, which the server knows by the hash of their text.

use crate::route::Text;
use redis::{Cmd, Script as Hashed};
use std::sync::LazyLock;

/// A script, and what the server calls it once it has seen it.
pub(crate) struct Script {
    text: &'static str,
    hashed: LazyLock<Hashed>,
}

impl Script {
    /// The command that runs it with these keys; arguments are to be added.
    pub(crate) fn cmd(&self, text: Text, keys: &[&str]) -> Cmd {
        let mut cmd = match text {
            Text::Hash => redis::cmd("EVALSHA").arg(self.hashed.get_hash()).take(),
            Text::Whole => redis::cmd("EVAL").arg(self.text).take(),
        };
        cmd.arg(keys.len()).arg(keys);
        cmd
    }
}

macro_rules! script {
    ($($file:literal),+) => {{
        const TEXT: &str = concat!($(include_str!(concat!("scripts/", $file)), "\n"),+);
        Script { text: TEXT, hashed: LazyLock::new(|| Hashed::new(TEXT)) }
    }};
}

/// Returns the record, after planting or extending a guard.
pub(crate) static GET_WITH_TOKEN: Script = script!("get_with_token.lua");

/// Puts a record in place of the one with the token, and returns whether it did.
pub(crate) static PUT_IF: Script = script!("put_if.lua");

/// Returns where the log stands, and what happened since.
pub(crate) static LOG_NEWS: Script = script!("log.lua", "log_news.lua");

/// Voids records and marks names, and returns the same.
pub(crate) static LOG_INVALIDATE: Script = script!("log.lua", "log_invalidate.lua");

/// Returns the marks of names, and the same.
pub(crate) static LOG_MARKS: Script = script!("log.lua", "log_marks.lua");

/// Takes a lease, and returns whether it did.
pub(crate) static ACQUIRE: Script = script!("acquire.lua");

/// Prolongs a lease, and returns whether it did.
pub(crate) static RENEW: Script = script!("renew.lua");

/// Ends a lease, and returns whether it did.
pub(crate) static RELEASE: Script = script!("release.lua");
