//! What can be said on the command line.

use crate::server::Kind;
use lexopt::prelude::*;
use std::ops::RangeInclusive;

pub(crate) const HELP: &str = "\
Kills and restarts the server behind a cache while callers use the cache.

Usage: cargo run --release --example outages --all-features -- [options]

Options:
  --server NAME   redis, postgres or memcached (default: redis); its program must be installed
  --seconds N     how long (default: 60)
  --outages N     how often the server is killed (default: 5); each takes a second and wants eight to recover
  --callers N     how many read at the same time (default: 64)
  --keys N        how many prices there are (default: 20000)
  --help          print this
";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) server: Kind,
    pub(crate) seconds: usize,
    pub(crate) outages: usize,
    pub(crate) callers: usize,
    pub(crate) keys: usize,
}

impl Options {
    /// Whether the server is to be killed in this second: at regular times, none of them at the end.
    pub(crate) fn is_time_for_an_outage(&self, second: usize) -> bool {
        let pause = self.seconds / (self.outages + 1);
        second.is_multiple_of(pause) && second / pause <= self.outages
    }
}

/// Returns the options, or `None` if help is wanted.
pub(crate) fn from_command_line() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options { server: Kind::Redis, seconds: 60, outages: 5, callers: 64, keys: 20_000 };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("server") => options.server = parser.value()?.parse_with(Kind::of)?,
            Long("seconds") => options.seconds = number(&mut parser, 10..=3_600)?,
            Long("outages") => options.outages = number(&mut parser, 1..=100)?,
            Long("callers") => options.callers = number(&mut parser, 1..=10_000)?,
            Long("keys") => options.keys = number(&mut parser, 100..=10_000_000)?,
            Long("help") | Short('h') => return Ok(None),
            unknown => return Err(unknown.unexpected()),
        }
    }
    if options.seconds / (options.outages + 1) < 9 {
        return Err("`--outages`: each wants nine seconds and as many are to be left at the end".into());
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
