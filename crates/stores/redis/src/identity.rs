//! Which server it is: not where it is, but which process, since when.

use redis::Value;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Names one run of one server. Another machine that takes over has another, and so has the same one once it was started
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(u64);

impl Identity {
    /// That of the server which calls its run so.
    pub(crate) fn of(run_id: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        run_id.hash(&mut hasher);
        Identity(hasher.finish())
    }

    /// Reads it from the answer to `INFO server`.
    pub(crate) fn read(info: &Value) -> Option<Self> {
        let text = match info {
            Value::BulkString(text) => str::from_utf8(text).ok()?,
            Value::VerbatimString { text, .. } | Value::SimpleString(text) => text,
            _ => return None,
        };
        let run_id = text.lines().find_map(|line| line.strip_prefix("run_id:"))?;
        Some(Self::of(run_id.trim_end().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_of_a_server_is_found_in_what_it_says_of_itself() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:0123abc\r\ntcp_port:6379\r\n";
        let expected = Some(Identity::of(b"0123abc"));
        assert_eq!(Identity::read(&Value::BulkString(info.into())), expected);
        let verbatim = Value::VerbatimString { format: redis::VerbatimFormat::Text, text: info.into() };
        assert_eq!(Identity::read(&verbatim), expected);
        assert_ne!(expected, Some(Identity::of(b"0123abd")));
        for none in [Value::Nil, Value::BulkString(vec![0xFF]), Value::SimpleString("run:7".into())] {
            assert_eq!(Identity::read(&none), None, "{none:?}");
        }
    }
}
