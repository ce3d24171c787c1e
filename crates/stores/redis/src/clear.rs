//! Removing what has a prefix: the keys are listed and removed some at a time, on each server.

use crate::line::Line;
use crate::redis::Redis;
use crate::route::Servers;
use crate::{command, fault};
use futures::future::join_all;
use larder_core::{Cleared, Result};
use redis::{Cmd, Value, cmd};
use std::slice;

/// Keys that the server looks at, of whatever prefix, before it does something else.
const LOOKED_AT: u64 = 1_000;
/// Keys that are removed in one go.
const REMOVED: usize = 500;

impl Redis {
    pub(crate) async fn clear_prefix(&self, prefix: &str) -> Result<Cleared> {
        // A prefix of no namespace would be that of other programs' keys too.
        if prefix.strip_suffix(':').is_none_or(|namespace| namespace.contains(':')) {
            return Ok(Cleared::Unsupported);
        }
        match &self.route().servers {
            Servers::One(line) => self.clear_server(line, prefix, true).await?,
            Servers::Cluster(cluster) => {
                let nodes = cluster.masters(self.route().deadline()).await?;
                let done =
                    join_all(nodes.iter().map(|node| self.clear_server(&node.line, prefix, false))).await;
                done.into_iter().collect::<Result<()>>()?;
            }
        }
        Ok(Cleared::Done)
    }

    /// An error ends it: the next command would have the same one.
    async fn clear_server(&self, line: &Line, prefix: &str, takes_many: bool) -> Result<()> {
        let pattern = pattern(prefix);
        let mut cursor = 0;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern[..]).arg("COUNT").arg(LOOKED_AT);
            let Some((next, keys)) = page(self.say(line, scan).await?) else {
                return Err(fault::unexpected(line.place()));
            };
            for keys in keys.chunks(REMOVED) {
                if takes_many {
                    self.say(line, command::unlink(keys)).await?;
                } else {
                    // The keys are of many slots, and a node takes only those of one in a command.
                    let each = keys.iter().map(|key| self.say(line, command::unlink(slice::from_ref(key))));
                    join_all(each).await.into_iter().try_for_each(|done| done.map(drop))?;
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    async fn say(&self, line: &Line, cmd: Cmd) -> Result<Value> {
        let answered = line.call(cmd, 0, self.route().deadline()).await;
        answered.map(|reply| reply.value).map_err(|failure| failure.error)
    }
}

/// Reads a page of a listing: where the next begins, and the keys of this one.
fn page(reply: Value) -> Option<(u64, Vec<Vec<u8>>)> {
    let Value::Array(page) = reply else { return None };
    let Ok([Value::BulkString(next), Value::Array(keys)]) = <[Value; 2]>::try_from(page) else { return None };
    let next = str::from_utf8(&next).ok()?.parse().ok()?;
    let key = |key| if let Value::BulkString(key) = key { Some(key) } else { None };
    Some((next, keys.into_iter().map(key).collect::<Option<_>>()?))
}

/// The pattern that matches what has the prefix, and nothing else.
fn pattern(prefix: &str) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() + 1);
    for byte in prefix.bytes() {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^' | b'-') {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    pattern.push(b'*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_patterns_is_taken_as_it_is() {
        assert_eq!(pattern("users:"), b"users:*");
        assert_eq!(pattern(r"u*s?[a-z]\:"), br"u\*s\?\[a\-z\]\\:*");
    }

    #[test]
    fn a_page_that_is_none_is_refused() {
        let text = |text: &str| Value::BulkString(text.into());
        let good = Value::Array(vec![text("7"), Value::Array(vec![text("a")])]);
        assert_eq!(page(good), Some((7, vec!["a".into()])));
        for garbled in [
            Value::Nil,
            Value::Array(vec![text("7")]),
            Value::Array(vec![text("x"), Value::Array(vec![])]),
            Value::Array(vec![text("7"), Value::Nil]),
            Value::Array(vec![text("7"), Value::Array(vec![Value::Int(1)])]),
        ] {
            assert_eq!(page(garbled.clone()), None, "{garbled:?}");
        }
    }
}
