//! What is in a folder beside objects. The driver does not show the files that it stages.

use crate::name;
use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::SystemTime;

/// Returns the names of the folders in `root` that belong to larder: one a namespace.
pub(crate) fn ours(root: &Path) -> Vec<String> {
    named(root).map(|(name, _)| name).filter(|name| name::is_folder(name)).collect()
}

/// Removes what puts staged in one of [`ours`] and did not change since `before`. Returns how many.
///
/// A file that cannot be removed is left for the next time.
pub(crate) fn remove_staged(folder: &Path, before: SystemTime) -> u64 {
    let mut removed = 0;
    for (shard, entry) in named(folder).filter(|(name, _)| name::is_shard(name)) {
        for (_, entry) in named(&entry.path()).filter(|(file, _)| name::is_staged(&shard, file)) {
            if is_file_since(&entry, before) && fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
    }
    removed
}

fn is_file_since(entry: &DirEntry, before: SystemTime) -> bool {
    // Of the entry itself, not of what a link points to.
    let Ok(metadata) = entry.metadata() else { return false };
    metadata.is_file() && metadata.modified().is_ok_and(|changed| changed <= before)
}

/// Returns the entries whose names are text; ours are. A folder that cannot be read has none.
fn named(folder: &Path) -> impl Iterator<Item = (String, DirEntry)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)))
}
