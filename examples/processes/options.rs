//! What can be said on the command line.

use crate::server::Kind;
use lexopt::prelude::*;
use std::ops::RangeInclusive;

pub(crate) const HELP: &str = "\
Plays a service of several processes over one server, and judges what they read.

Usage: cargo run --release --all-features --example processes -- [options]

Options:
  --scene NAME     mixed or leader (default: mixed)
  --server NAME    redis or postgres (default: redis); its program must be installed
  --processes N    how many (default: 4; in the scene `leader`: 64)
  --seconds N      how long `mixed` takes (default: 30)
  --keys N         how many rows there are in `mixed` (default: 64)
  --help           print this
";

pub(crate) struct Options {
    pub(crate) role: Role,
    pub(crate) server: Kind,
    pub(crate) processes: usize,
    pub(crate) seconds: usize,
    pub(crate) keys: u32,
}

/// What this process is.
pub(crate) enum Role {
    /// Who starts the others and judges.
    Mixed,
    Leader,
    /// One that was started, for the scene `mixed`.
    Node(Place),
    /// One that was started, for the scene `leader`.
    Asker(Place),
}

/// What a node is to be, and where it finds what it works with: for who starts it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) scene: &'a str,
    pub(crate) url: &'a str,
    pub(crate) rows: &'a str,
}

impl Options {
    /// The arguments of that node.
    pub(crate) fn of_node(&self, number: usize, call: Call<'_>) -> Vec<String> {
        let (number, keys) = (number.to_string(), self.keys.to_string());
        let place = [("--scene", call.scene), ("--url", call.url), ("--rows", call.rows)];
        let rest = [("--server", self.server.name()), ("--node", &number), ("--keys", &keys)];
        place.into_iter().chain(rest).flat_map(|(name, value)| [name.to_owned(), value.to_owned()]).collect()
    }
}

/// Where a node finds what it works with.
pub(crate) struct Place {
    pub(crate) number: u32,
    pub(crate) server: Kind,
    pub(crate) url: String,
    pub(crate) rows: String,
}

/// Returns the options, or `None` if help is wanted.
pub(crate) fn from_command_line() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options { role: Role::Mixed, server: Kind::Redis, processes: 0, seconds: 30, keys: 64 };
    let (mut url, mut rows, mut number) = (String::new(), String::new(), None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("scene") => {
                options.role = parser.value()?.parse_with(|name| match name {
                    "mixed" => Ok(Role::Mixed),
                    "leader" => Ok(Role::Leader),
                    _ => Err("expected mixed or leader"),
                })?;
            }
            Long("server") => options.server = parser.value()?.parse_with(Kind::of)?,
            Long("processes") => options.processes = within(&mut parser, 2..=256)?,
            Long("seconds") => options.seconds = within(&mut parser, 10..=3_600)?,
            Long("keys") => options.keys = within(&mut parser, 1..=100_000)?,
            // What a node is told by who starts it.
            Long("node") => number = Some(within(&mut parser, 0..=255)?),
            Long("url") => url = parser.value()?.string()?,
            Long("rows") => rows = parser.value()?.string()?,
            Long("help") | Short('h') => return Ok(None),
            unknown => return Err(unknown.unexpected()),
        }
    }
    if let Some(number) = number {
        let place = Place { number, server: options.server, url, rows };
        options.role = match options.role {
            Role::Leader => Role::Asker(place),
            _ => Role::Node(place),
        };
    }
    if options.processes == 0 {
        options.processes = if matches!(options.role, Role::Leader) { 64 } else { 4 };
    }
    Ok(Some(options))
}

fn within<T>(parser: &mut lexopt::Parser, allowed: RangeInclusive<T>) -> Result<T, lexopt::Error>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    parser.value()?.parse_with(|text| match text.parse() {
        Ok(number) if allowed.contains(&number) => Ok(number),
        _ => Err(format!("expected a number from {} to {}", allowed.start(), allowed.end())),
    })
}
