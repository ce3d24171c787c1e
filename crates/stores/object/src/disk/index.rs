//! Which files there are, in the order of their last use.

use crate::folder::File;
use crate::name;
use object_store::path::Path;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a file system allocates at once.
pub(super) const BLOCK: u64 = 4_096;

/// The number of its folder and the number that its name is: a fifth of what the path would take.
type Id = (u32, u128);

#[derive(Default)]
pub(super) struct Index {
    /// The folders by their numbers, which are never given anew.
    folders: Vec<String>,
    files: HashMap<Id, Slot>,
    /// By the moment of the last use, which no two files share.
    order: BTreeMap<u64, Id>,
    /// The sum of the sizes in `files`.
    bytes: u64,
    /// The next moment.
    next: u64,
    /// What was written since the last count began.
    written: u64,
    /// What was taken out since the last count began, and between that and the one before. The file goes a moment after
    /// it is taken out here, so a count may still see it.
    gone: [HashSet<Id>; 2],
}

struct Slot {
    bytes: u64,
    used: u64,
}

impl Index {
    pub(super) fn files(&self) -> u64 {
        self.files.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes out what has to go for a new file at `path`.
    pub(super) fn victims_for(&mut self, path: &Path, bytes: u64, max_bytes: u64) -> Vec<Path> {
        let replaced = self.id(path).and_then(|id| self.files.get(&id)).map_or(0, |slot| slot.bytes);
        // What is replaced is the last that should go, and would be counted twice.
        self.used(path);
        self.victims(max_bytes.saturating_add(replaced).saturating_sub(blocks(bytes)))
    }

    /// Takes out the least recently used until no more than `max_bytes` are left.
    pub(super) fn victims(&mut self, max_bytes: u64) -> Vec<Path> {
        let mut victims = Vec::new();
        while self.bytes > max_bytes {
            let Some((_, id)) = self.order.first_key_value() else { break };
            let id = *id;
            victims.push(self.path(id));
            self.drop(id);
        }
        victims
    }

    /// Returns what was written since the last count.
    pub(super) fn wrote(&mut self, path: &Path, bytes: u64) -> u64 {
        if let Some(id) = self.id(path) {
            self.put(id, blocks(bytes));
        }
        self.written = self.written.saturating_add(blocks(bytes));
        self.written
    }

    pub(super) fn used(&mut self, path: &Path) {
        if let Some(id) = self.id(path)
            && let Some(slot) = self.files.get_mut(&id)
        {
            self.order.remove(&slot.used);
            slot.used = self.next;
            self.order.insert(self.next, id);
            self.next += 1;
        }
    }

    pub(super) fn removed(&mut self, path: &Path) {
        if let Some(id) = self.id(path) {
            self.drop(id);
        }
    }

    pub(super) fn cleared(&mut self, folder: &str) {
        let Some(number) = self.folders.iter().position(|name| name == folder) else { return };
        let gone: Vec<Id> = self.files.keys().filter(|id| id.0 as usize == number).copied().collect();
        for id in gone {
            self.drop(id);
        }
    }

    /// Returns the present moment.
    pub(super) fn begin_count(&mut self) -> u64 {
        self.written = 0;
        self.gone.swap(0, 1);
        self.gone[0].clear();
        self.next
    }

    /// Takes over a count that began then. What was used since is left as it is: the count may have come too early
    /// or too late for it.
    pub(super) fn end_count(&mut self, began: u64, found: &[File]) {
        let mut gone: HashSet<Id> =
            self.files.iter().filter(|(_, slot)| slot.used < began).map(|(id, _)| *id).collect();
        for file in found {
            let Some(id) = self.id(&file.path) else { continue };
            gone.remove(&id);
            match self.files.get_mut(&id) {
                Some(slot) if slot.used >= began => {}
                Some(slot) => {
                    self.bytes = self.bytes - slot.bytes + blocks(file.bytes);
                    slot.bytes = blocks(file.bytes);
                }
                None if self.gone.iter().any(|gone| gone.contains(&id)) => {}
                // Someone else's, and so written since the last count: after all that is known.
                None => self.put(id, blocks(file.bytes)),
            }
        }
        for id in gone {
            self.drop(id);
        }
    }

    fn put(&mut self, id: Id, bytes: u64) {
        self.drop(id);
        self.files.insert(id, Slot { bytes, used: self.next });
        self.order.insert(self.next, id);
        self.next += 1;
        self.bytes += bytes;
    }

    fn drop(&mut self, id: Id) {
        if let Some(slot) = self.files.remove(&id) {
            self.order.remove(&slot.used);
            self.bytes -= slot.bytes;
            self.gone[0].insert(id);
        }
    }

    fn id(&mut self, path: &Path) -> Option<Id> {
        let (folder, file) = name::parts(path)?;
        let number = self.folders.iter().position(|name| *name == folder).unwrap_or_else(|| {
            self.folders.push(folder);
            self.folders.len() - 1
        });
        Some((u32::try_from(number).ok()?, file))
    }

    fn path(&self, (folder, file): Id) -> Path {
        name::from_parts(&self.folders[folder as usize], file)
    }
}

/// What a file of so many bytes takes.
fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).max(1).saturating_mul(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn path(key: &str) -> Path {
        name::path(&format!("users:{key}"))
    }

    fn with(keys: &[&str]) -> Index {
        let mut index = Index::default();
        for key in keys {
            index.wrote(&path(key), 1);
        }
        index
    }

    fn file(key: &str, bytes: u64) -> File {
        File { path: path(key), bytes, changed: UNIX_EPOCH }
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut index = with(&["a", "b", "c"]);
        index.used(&path("a"));
        assert_eq!(index.victims_for(&path("d"), 1, 3 * BLOCK), [path("b")]);
        assert_eq!((index.files(), index.bytes()), (2, 2 * BLOCK));
        assert_eq!(index.victims(0), [path("c"), path("a")]);
    }

    #[test]
    fn what_is_replaced_needs_only_the_difference() {
        let mut index = with(&["a", "b", "c"]);
        assert_eq!(index.victims_for(&path("a"), BLOCK, 3 * BLOCK), []);
        assert_eq!(index.victims_for(&path("a"), BLOCK + 1, 3 * BLOCK), [path("b")]);
        index.wrote(&path("a"), BLOCK + 1);
        assert_eq!((index.files(), index.bytes()), (2, 3 * BLOCK));
    }

    #[test]
    fn a_count_finds_what_others_did_and_leaves_what_was_done_meanwhile() {
        let mut index = with(&["stays", "grown by others", "removed by others"]);
        let began = index.begin_count();
        index.wrote(&path("written meanwhile"), 1);
        index.wrote(&path("stays"), 3 * BLOCK);
        index.removed(&path("grown by others"));
        index.wrote(&path("grown by others"), 1);
        index.end_count(
            began,
            &[file("stays", 1), file("new", 2 * BLOCK), file("grown by others", 9 * BLOCK)],
        );

        assert_eq!(index.files(), 4);
        assert_eq!(index.bytes(), (1 + 3 + 1 + 2) * BLOCK);
        assert_eq!(index.victims(0).last(), Some(&path("new")));
    }

    #[test]
    fn a_count_that_still_sees_what_was_taken_out_does_not_bring_it_back() {
        let mut index = with(&["a", "b"]);
        index.removed(&path("a"));
        let began = index.begin_count();
        index.removed(&path("b"));
        let both = [file("a", 1), file("b", 1)];
        index.end_count(began, &both);
        assert_eq!((index.files(), index.bytes()), (0, 0));

        // Twice later it is someone else's.
        for files in [1, 2] {
            let began = index.begin_count();
            index.end_count(began, &both);
            assert_eq!(index.files(), files);
        }
    }

    #[test]
    fn a_cleared_folder_is_empty_and_no_other() {
        let mut index = with(&["a", "b"]);
        let other = name::path("other:a");
        index.wrote(&other, 1);
        index.cleared("larder-users");
        assert_eq!((index.files(), index.bytes()), (1, BLOCK));
        assert_eq!(index.victims(0), [other]);
    }
}
