//! The folder that keeps the database and the files of the cache from one run to the next.

use anyhow::{Context, ensure};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that says whose folder this is, so that nothing of anybody else's is ever removed.
const MARK: &str = "made-by-larder-quickstart";

pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens the folder, which is made if need be, and with `clean` emptied first.
    ///
    /// # Errors
    ///
    /// If there are files in it that this program has not made.
    pub(crate) fn open(path: &Path, clean: bool) -> anyhow::Result<Self> {
        let folder = Folder(path.to_owned());
        folder.prepare(clean).with_context(|| format!("the folder {} cannot be used", path.display()))?;
        Ok(folder)
    }

    fn prepare(&self, clean: bool) -> anyhow::Result<()> {
        let Folder(path) = self;
        fs::create_dir_all(path)?;
        let ours = path.join(MARK).exists();
        ensure!(ours || fs::read_dir(path)?.next().is_none(), "it has files which this program has not made");
        if clean && ours {
            eprintln!("removing what an earlier run left in {}", path.display());
            unless_missing(fs::remove_dir_all(self.cache()))?;
            unless_missing(fs::remove_file(self.database()))?;
        }
        fs::write(path.join(MARK), "`--clean` removes the database and the cache beside this file.\n")?;
        fs::create_dir_all(self.cache())?;
        Ok(())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("products.sqlite")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// Returns how many values the cache has on disk that are not older than `ttl`.
    pub(crate) fn count_values(&self, ttl: Duration) -> io::Result<usize> {
        count_files(&self.cache(), ttl)
    }
}

fn count_files(folder: &Path, ttl: Duration) -> io::Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files += count_files(&entry.path(), ttl)?;
        } else {
            // A file from the future has no age.
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            files += usize::from(age < ttl);
        }
    }
    Ok(files)
}

fn unless_missing(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
