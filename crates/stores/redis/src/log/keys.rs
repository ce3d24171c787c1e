//! The keys of a log. None of them has a colon, so that no cache has them, and no clear of a namespace meets them.

use redis::Cmd;

/// How many keys there are beside that of its state.
pub(super) const PARTS: i64 = 3;

/// The keys of one log, which are all in one slot of a cluster.
pub(super) struct Keys {
    name: String,
    state: String,
    /// Of tags, of keys and of namespaces.
    marks: [String; 3],
}

impl Keys {
    pub(super) fn new(name: &str) -> Self {
        Keys {
            name: name.to_owned(),
            state: format!("{{{name}}}.log"),
            marks: ["tags", "keys", "namespaces"].map(|kind| format!("{{{name}}}.log.{kind}")),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The keys of the scripts of the log, and these behind them.
    pub(super) fn with<'a>(&'a self, others: &[&'a str]) -> Vec<&'a str> {
        let mut all = Vec::with_capacity(4 + others.len());
        all.push(&*self.state);
        all.extend(self.marks.iter().map(String::as_str));
        all.extend(others);
        all
    }

    /// What [`Standing::read`](super::Standing::read) reads.
    pub(super) fn position(&self) -> Cmd {
        let mut position = Cmd::with_capacity(7, 64 + self.state.len());
        position.arg("HMGET").arg(&self.state);
        for field in ["server", "era", "number", "floor", "key_floor"] {
            position.arg(field);
        }
        position
    }

    /// How many of its parts are there.
    pub(super) fn count_parts(&self) -> Cmd {
        let mut count = Cmd::with_capacity(4, 64 + 3 * self.state.len());
        count.arg("EXISTS").arg(&self.marks);
        count
    }
}
