//! The folder of a server, removed with its value.

use super::port::random;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A folder that nobody else has. A process that is killed does not get to remove it; then the server's watchdog
/// does.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one for the server called `name`.
    pub(super) fn new(name: &str) -> Self {
        let name = name.to_lowercase().replace(' ', "-");
        loop {
            let path = std::env::temp_dir().join(format!("larder-{name}-{:08x}", random() >> 32));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Folder(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{} cannot be made: {error}", path.display()),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The watchdog has removed it already if a server was started in it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
