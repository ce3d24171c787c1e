//! What can be said on the command line.

use crate::trace;
use lexopt::prelude::*;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub(crate) struct Options {
    /// Where the database and the files of the cache are.
    pub(crate) folder: PathBuf,
    /// Start over.
    pub(crate) clean: bool,
    /// How many requests to replay.
    pub(crate) requests: usize,
    /// How many clients send them, each one request at a time.
    pub(crate) clients: usize,
}

impl Default for Options {
    fn default() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/quickstart");
        Options { folder, clean: false, requests: trace::LENGTH, clients: 64 }
    }
}

/// Returns the options, or `None` if help is wanted.
pub(crate) fn from_command_line() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("clean") => options.clean = true,
            Long("dir") => options.folder = parser.value()?.into(),
            Long("requests") => options.requests = number(&mut parser, 1..=trace::LENGTH)?,
            Long("clients") => options.clients = number(&mut parser, 1..=10_000)?,
            Long("help") | Short('h') => return Ok(None),
            unknown => return Err(unknown.unexpected()),
        }
    }
    Ok(Some(options))
}

fn number(parser: &mut lexopt::Parser, allowed: RangeInclusive<usize>) -> Result<usize, lexopt::Error> {
    let (least, most) = (*allowed.start(), *allowed.end());
    parser.value()?.parse_with(|text| match text.parse() {
        Ok(number) if allowed.contains(&number) => Ok(number),
        _ => Err(format!("expected a number from {least} to {most}")),
    })
}

pub(crate) fn help() -> String {
    let Options { folder, requests, clients, .. } = Options::default();
    format!(
        "\
Replays recorded requests of a web shop against a database, then through larder.

Usage: cargo run --release --example quickstart -- [options]

Options:
  --requests N   replay the first N requests only (default: all {requests})
  --clients N    how many clients send them (default: {clients})
  --dir PATH     where to keep the database and the files of the cache
                 (default: {})
  --clean        start over: remove what an earlier run left there
  --help         print this
",
        folder.display()
    )
}
