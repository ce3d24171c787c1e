//! What an entry can be invalidated by.

use crate::shared_log::Name;
use std::sync::Arc;

/// The names of one entry: its key and that key's namespace, where keys have texts that other processes know, and its
/// tags.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    /// The key with its namespace.
    pub(crate) key: Option<&'a str>,
    pub(crate) tags: &'a [Arc<str>],
}

impl<'a> Names<'a> {
    /// Each name, as what it names and its text.
    pub(super) fn each(self) -> impl Iterator<Item = (u8, &'a str)> {
        let key = self.key.map(|key| (b'k', key));
        let namespace = self.key.map(|key| (b'n', prefix(key)));
        let tags = self.tags.iter().map(|tag| (b't', &**tag));
        tags.chain(key).chain(namespace)
    }

    /// Each name in both ways, as a log has them.
    pub(super) fn to_ask_for(self) -> Vec<Name> {
        let key = self.key.map(Name::key);
        let namespace = self.key.map(|key| Name::namespace(prefix(key)));
        let names = self.tags.iter().map(|tag| Name::tag(tag)).chain(key).chain(namespace);
        names.flat_map(|name| [name.expiring(), name]).collect()
    }
}

/// The namespace of a key, with its colon.
fn prefix(key: &str) -> &str {
    key.split_inclusive(':').next().unwrap_or(key)
}
