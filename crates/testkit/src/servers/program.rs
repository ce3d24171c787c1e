//! Where the programs are.

use std::path::{Path, PathBuf};

/// Returns the path of `program`, from the first of these folders that has it.
///
/// # Panics
///
/// If it is in none. What it needs is named by `cure`.
pub(super) fn find(program: &str, folders: impl IntoIterator<Item = PathBuf>, cure: &str) -> PathBuf {
    let found = folders.into_iter().map(|folder| folder.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("there is no `{program}` here. `cargo xtask test` installs it; by hand: {cure}")
    })
}

/// Returns the folders of PATH.
pub(super) fn path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

/// Returns the folders in which a program of the project's own is looked for: where `cargo xtask test` installs
/// it in the version that the tests are made for, and then those of PATH.
pub(super) fn installed(folder: &str) -> Vec<PathBuf> {
    let servers = std::env::var_os("LARDER_SERVERS_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/servers")),
        PathBuf::from,
    );
    std::iter::once(servers.join(folder)).chain(path()).collect()
}

/// Returns the folders of the versions of a Debian package that keeps them apart, the newest one first.
pub(super) fn versions(folder: &str, programs: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versions: Vec<_> =
        entries.filter_map(|path| Some((number(&path)?, path.join(programs)))).collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, path)| path).collect()
}

fn number(folder: &Path) -> Option<u32> {
    folder.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "`cargo xtask test` installs it; by hand: `apt-get install nothing`")]
    fn a_program_that_is_missing_is_a_panic_with_its_cure() {
        find("larder-has-no-such-program", path(), "`apt-get install nothing`");
    }
}
