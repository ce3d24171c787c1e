//! Which node has which slot.

use super::slots::SLOTS;
use crate::address::Endpoint;
use crate::fault;
use crate::line::Line;
use larder_core::Result;
use redis::Value;
use std::sync::Arc;

/// A server of the cluster.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    pub(crate) line: Line,
}

/// Not changed once it is there: a new one takes its place.
#[derive(Clone, Debug)]
pub(super) struct Map {
    nodes: Vec<Arc<Node>>,
    /// The number of the node, counted from one; none has zero.
    slots: Box<[u16]>,
}

impl Default for Map {
    fn default() -> Self {
        Map { nodes: Vec::new(), slots: vec![0; SLOTS].into() }
    }
}

impl Map {
    /// Reads the answer to `CLUSTER SLOTS`, which `asked` gave.
    pub(super) fn from_table(
        table: &[Value],
        asked: &Endpoint,
        node: impl Fn(&Endpoint) -> Arc<Node>,
    ) -> Result<Self> {
        let mut map = Map::default();
        for range in table {
            let (first, last, endpoint) =
                range_of(range, asked).ok_or_else(|| fault::unexpected(&asked.to_string()))?;
            let number = match map.nodes.iter().position(|known| known.endpoint == endpoint) {
                Some(known) => number(known),
                None => map.add(node(&endpoint)),
            };
            map.slots[first..=last].fill(number);
        }
        Ok(map)
    }

    /// The same, but for one slot.
    pub(super) fn with(&self, slot: usize, owner: Arc<Node>) -> Self {
        let mut map = self.clone();
        let known = map.nodes.iter().position(|known| known.endpoint == owner.endpoint);
        map.slots[slot] = known.map_or_else(|| map.add(owner), number);
        map
    }

    pub(super) fn owner(&self, slot: usize) -> Option<&Arc<Node>> {
        self.nodes.get(usize::from(self.slots[slot]).checked_sub(1)?)
    }

    pub(super) fn node(&self, endpoint: &Endpoint) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|known| known.endpoint == *endpoint)
    }

    pub(super) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    fn add(&mut self, node: Arc<Node>) -> u16 {
        self.nodes.push(node);
        number(self.nodes.len() - 1)
    }
}

/// There are no more nodes than slots.
fn number(position: usize) -> u16 {
    u16::try_from(position + 1).unwrap_or(0)
}

/// Reads `first, last, [host, port, ..] of the master, ..`.
fn range_of(range: &Value, asked: &Endpoint) -> Option<(usize, usize, Endpoint)> {
    let Value::Array(range) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = &range[..] else {
        return None;
    };
    let (first, last) = (usize::try_from(*first).ok()?, usize::try_from(*last).ok()?);
    let [host, Value::Int(port), ..] = &master[..] else { return None };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        Value::Nil => "",
        _ => return None,
    };
    let endpoint = same_host_if_none(host, u16::try_from(*port).ok()?, asked)?;
    (first <= last && last < SLOTS).then_some((first, last, endpoint))
}

/// A node that does not know its own name leaves it out, and means: where you have reached me. `?` is a name that was
/// asked for and is not configured.
fn same_host_if_none(host: &str, port: u16, asked: &Endpoint) -> Option<Endpoint> {
    match (host, asked) {
        ("" | "?", Endpoint::Tcp(asked, _)) => Some(Endpoint::Tcp(asked.clone(), port)),
        ("" | "?", Endpoint::Unix(_)) => None,
        _ => Some(Endpoint::Tcp(host.to_owned(), port)),
    }
}

/// Reads where a slot is, from what a node says that does not have it: `3999 127.0.0.1:6381`, also with an IPv6 address,
/// whose last part is the port.
pub(super) fn redirect(detail: &str, asked: &Endpoint) -> Option<Endpoint> {
    let (host, port) = detail.split(' ').nth(1)?.rsplit_once(':')?;
    same_host_if_none(host.trim_matches(['[', ']']), port.parse().ok()?, asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp(host.into(), port)
    }

    #[test]
    fn redirects_are_read_in_all_their_forms() {
        let asked = tcp("seed", 1);
        for (detail, expected) in [
            ("3999 127.0.0.1:6381", Some(tcp("127.0.0.1", 6381))),
            ("1 ::1:7", Some(tcp("::1", 7))),
            ("1 [::1]:7", Some(tcp("::1", 7))),
            ("1 :7", Some(tcp("seed", 7))),
            ("1 ?:7", Some(tcp("seed", 7))),
            ("1 host:port", None),
            ("", None),
            ("no", None),
        ] {
            assert_eq!(redirect(detail, &asked), expected, "{detail}");
        }
    }

    #[test]
    fn a_table_is_read_or_refused() {
        let text = |text: &'static str| Value::BulkString(text.into());
        let range = |first, last, host, port| {
            let master = Value::Array(vec![host, Value::Int(port), text("id")]);
            Value::Array(vec![Value::Int(first), Value::Int(last), master])
        };
        let asked = tcp("seed", 1);
        assert_eq!(range_of(&range(0, 5, text("a"), 7), &asked), Some((0, 5, tcp("a", 7))));
        assert_eq!(range_of(&range(5, 16_383, Value::Nil, 7), &asked), Some((5, 16_383, tcp("seed", 7))));
        assert_eq!(range_of(&range(0, 0, text(""), 7), &asked), Some((0, 0, tcp("seed", 7))));
        for garbled in [
            range(5, 4, text("a"), 7),
            range(0, 16_384, text("a"), 7),
            range(-1, 4, text("a"), 7),
            range(0, 4, text("a"), 70_000),
            range(0, 4, Value::Int(1), 7),
            Value::Array(vec![]),
            Value::Nil,
        ] {
            assert_eq!(range_of(&garbled, &asked), None, "{garbled:?}");
        }
    }
}
