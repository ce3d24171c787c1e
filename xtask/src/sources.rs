//! The rules for source files that no lint knows: their length, and what must not be left in them.

use crate::root;
use std::fs;
use std::path::{Path, PathBuf};

/// A file above this many lines is listed, as a question.
const LONG: usize = 400;
/// A file above this many lines is an error.
const TOO_LONG: usize = 600;

/// What must not be in a source file, and the files that may have it all the same. Written in two pieces, so
/// that this file does not break its own rules.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    (concat!("todo", "!("), &[]),
    (concat!("unimplemented", "!("), &[]),
    (concat!("#[", "ignore"), &[]),
    (concat!("thread::", "sleep"), SLEEPERS),
    (concat!("time::", "sleep("), SLEEPERS),
];

/// Not even the system's clock sleeps: its threads wait to be woken. The quickstart's database waits as a disk or a
/// network would.
const SLEEPERS: &[&str] = &["examples/quickstart/database.rs"];

pub(crate) fn check() -> Result<(), String> {
    let files = all().map_err(|error| format!("cannot list the sources: {error}"))?;
    let mut problems = 0;
    for path in &files {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root()).unwrap_or(path).display().to_string();
        let lines = text.lines().count();
        if lines > TOO_LONG {
            println!("{name}: {lines} lines, more than {TOO_LONG}: split it by concept");
            problems += 1;
        } else if lines > LONG {
            println!("{name}: {lines} lines; is it one concept? (allowed up to {TOO_LONG})");
        }
        for (number, what) in broken_rules(&name, &text) {
            println!("{name}:{number}: `{what}` must not be left in the sources");
            problems += 1;
        }
    }
    println!("{} source files, {problems} problems", files.len());
    if problems == 0 { Ok(()) } else { Err("listed above".to_owned()) }
}

/// Returns all Rust files, in order.
pub(crate) fn all() -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    find(root(), &mut files)?;
    files.sort();
    Ok(files)
}

/// Returns the lines, numbered from 1, that have something forbidden in the file called `name`.
fn broken_rules<'a>(name: &'a str, text: &'a str) -> impl Iterator<Item = (usize, &'static str)> + 'a {
    let applying = FORBIDDEN.into_iter().filter(move |(_, allowed)| !allowed.contains(&name));
    applying.flat_map(move |(what, _)| {
        let lines = text.lines().zip(1..);
        lines.filter(move |(line, _)| line.contains(what)).map(move |(_, number)| (number, what))
    })
}

/// Adds the Rust files under `folder` to `files`, without what git ignores or keeps for itself.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !(name.starts_with('.') || name == "target") {
                find(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_left_is_found_with_its_line() {
        for (what, _) in FORBIDDEN {
            let text = format!("fn f() {{\n    {what}1);\n}}\n");
            assert_eq!(broken_rules("src/lib.rs", &text).collect::<Vec<_>>(), [(2, what)]);
        }
    }

    #[test]
    fn only_the_files_on_the_list_may_sleep() {
        let text = concat!("std::thread::", "sleep(pause);");
        assert_eq!(broken_rules("examples/quickstart/database.rs", text).count(), 0);
        assert_eq!(broken_rules("crates/core/src/cache.rs", text).count(), 1);
    }
}
