//! What is in a folder: our objects, read from the disk in the order of their names, and the files that puts staged,
//! which the driver does not show.

use crate::name;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// An object that is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: object_store::path::Path,
    pub(crate) bytes: u64,
    pub(crate) changed: SystemTime,
}

/// One of the folders that have files in them: `FOLDER/SHARD`.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    folder: String,
    /// The first two digits of the files in it.
    digits: String,
    path: PathBuf,
}

impl Shard {
    /// Returns all of `root`, in order. Nothing but our own folders is entered: others may not even be listed.
    pub(crate) fn all(root: &Path) -> Vec<Shard> {
        let mut all = Vec::new();
        for (folder, entry) in named(root).filter(|(name, _)| name::is_folder(name)) {
            for (digits, entry) in named(&entry.path()).filter(|(name, _)| name::is_shard(name)) {
                all.push(Shard { folder: folder.clone(), digits, path: entry.path() });
            }
        }
        all.sort_by(|one, other| (&one.folder, &one.digits).cmp(&(&other.folder, &other.digits)));
        all
    }

    /// Tells whether nothing in it comes after `last`.
    pub(crate) fn is_before(&self, last: &str) -> bool {
        let own = format!("{}/{}", self.folder, self.digits);
        *own < *last && !last.starts_with(&own)
    }

    /// Returns its objects in order. One that goes while it is looked at is none; nor is a shard that is gone.
    pub(crate) fn files(&self) -> io::Result<Vec<File>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = [&self.folder, &self.digits, &name].into_iter().map(String::as_str).collect();
            // Of the entry itself, not of what a link points to.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
                && name::is_object(&path)
            {
                files.push(File { path, bytes: metadata.len(), changed: metadata.modified()? });
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// Removes what puts staged and did not change since `before`. Returns how many.
    ///
    /// A file that cannot be removed is left for the next time.
    pub(crate) fn remove_staged(&self, before: SystemTime) -> u64 {
        let mut removed = 0;
        for (_, entry) in named(&self.path).filter(|(file, _)| name::is_staged(&self.digits, file)) {
            if is_file_since(&entry, before) && fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
        removed
    }
}

/// Does blocking work on a thread for it, where there is a runtime. `None` if that ended before.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await.ok(),
        Err(_) => Some(work()),
    }
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
