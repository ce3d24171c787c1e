//! The commands of this repository: `cargo xtask help`.

mod behaviours;
mod fuzz;
mod instructions;
mod lint;
mod parts;
mod servers;
mod sources;
mod test;

use std::path::Path;
use std::process::{Command, ExitCode};
use test::Servers;

const HELP: &str = "\
The commands of this repository.

Usage: cargo xtask <command>

Commands:
  test          run every test: unit, behaviour, conformance, UI and doc tests, models of races, and the quickstart;
                installs the servers that stores are tested against, where they are missing
  test --without-servers
                install nothing, and run only the tests that need no server
  lint          check formatting, lints, docs, dependencies and the rules for sources
  fuzz --seconds N [--target NAME]
                feed every fuzz target, or one, with what it has not seen, each for N seconds; installs cargo-fuzz
  instructions  count the instructions of a hit in its six forms, as JSON (needs valgrind)
  help          print this
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => usage("a command is missing"),
        ["test", "--without-servers"] => test::run(Servers::None),
        ["fuzz", ref words @ ..] => match fuzz::Options::parse(words) {
            Ok(options) => fuzz::run(&options),
            Err(problem) => usage(&problem),
        },
        [command, unknown, ..] => usage(&format!("`{command}` takes no `{unknown}`")),
        ["test"] => test::run(Servers::All),
        ["lint"] => lint::run(),
        ["instructions"] => instructions::run(),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        [unknown] => usage(&format!("there is no command `{unknown}`")),
    }
}

/// Says what is wrong with the arguments. As with most tools, that is status 2, and 1 is a check that failed.
fn usage(problem: &str) -> ExitCode {
    eprintln!("error: {problem}\n\n{HELP}");
    ExitCode::from(2)
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in a folder of the repository")
}

/// A cargo command in the root of the repository. Arguments are separated by blanks.
fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split_whitespace()).current_dir(root());
    command
}

/// Whether cargo has the subcommand `name`.
fn has(name: &str) -> bool {
    cargo(name).arg("--version").output().is_ok_and(|output| output.status.success())
}
