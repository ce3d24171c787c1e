//! What a node has read and invalidated, and how it tells that.

use crate::Result;
use anyhow::Context;
use larder::{Clock, SystemClock};
use std::collections::HashMap;
use std::io::Write;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

/// Through what a row was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// The shared store alone.
    Far = 0,
    /// A memory in front of it.
    Near = 1,
    /// What was made of the row, in memory too.
    Page = 2,
}

impl Way {
    pub(crate) const ALL: [Way; 3] = [Way::Far, Way::Near, Way::Page];
}

/// What was invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    /// The row.
    Row = 0,
    /// Whatever was made of it, and itself.
    Tag = 1,
}

/// Times are microseconds of the machine's clock, which all processes share.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The start of the last read that gave this version.
    pub(crate) read: HashMap<(Way, u32, u64), u64>,
    /// Row, the version that it had got before, and when the invalidation had returned.
    pub(crate) invalidated: Vec<(Reach, u32, u64, u64)>,
    pub(crate) counts: Counts,
}

/// What a node counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) reads: u64,
    /// Reads that memory answered.
    pub(crate) from_memory: u64,
    pub(crate) loads: u64,
    /// Reads that ended with an error.
    pub(crate) lost: u64,
    pub(crate) invalidations: u64,
    /// Those that returned an error.
    pub(crate) failed: u64,
}

impl Counts {
    fn fields(&mut self) -> [&mut u64; 6] {
        [
            &mut self.reads,
            &mut self.from_memory,
            &mut self.loads,
            &mut self.lost,
            &mut self.invalidations,
            &mut self.failed,
        ]
    }

    pub(crate) fn add(&mut self, mut other: Counts) {
        for (sum, more) in self.fields().into_iter().zip(other.fields()) {
            *sum += *more;
        }
    }
}

pub(crate) fn now() -> u64 {
    let since = SystemClock.wall().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    u64::try_from(since.as_micros()).expect("it is not that late yet")
}

impl Tally {
    pub(crate) fn write(mut self, out: &mut impl Write) -> std::io::Result<()> {
        for ((way, row, version), start) in &self.read {
            writeln!(out, "read {} {row} {version} {start}", *way as u8)?;
        }
        for (reach, row, version, returned) in &self.invalidated {
            writeln!(out, "invalidated {} {row} {version} {returned}", *reach as u8)?;
        }
        write!(out, "counts")?;
        self.counts.fields().into_iter().try_for_each(|count| write!(out, " {count}"))?;
        writeln!(out)
    }

    /// Adds what another node has written.
    pub(crate) fn add(&mut self, text: &str) -> Result<()> {
        let mut is_whole = false;
        for line in text.lines() {
            let mut words = line.split(' ');
            let kind = words.next();
            let numbers = words.map(str::parse).collect::<std::result::Result<Vec<u64>, _>>();
            let numbers = numbers.with_context(|| format!("a node said `{line}`"))?;
            match (kind, &numbers[..]) {
                (Some("read"), &[way, row, version, start]) => {
                    let way = Way::ALL[usize::try_from(way)?];
                    let last = self.read.entry((way, u32::try_from(row)?, version)).or_default();
                    *last = start.max(*last);
                }
                (Some("invalidated"), &[reach, row, version, returned]) => {
                    let reach = if reach == 0 { Reach::Row } else { Reach::Tag };
                    self.invalidated.push((reach, u32::try_from(row)?, version, returned));
                }
                (Some("counts"), &[reads, from_memory, loads, lost, invalidations, failed]) => {
                    is_whole = true;
                    self.counts.add(Counts { reads, from_memory, loads, lost, invalidations, failed });
                }
                _ => anyhow::bail!("a node said `{line}`"),
            }
        }
        anyhow::ensure!(is_whole, "a node ended before it had told what it saw");
        Ok(())
    }
}

/// The last reads of one row in one way, which many tasks note at full speed.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Vec<(u64, u64)>>);

impl Seen {
    /// Notes that a read which began at `start` gave `version`.
    pub(crate) fn note(&self, version: u64, start: u64) {
        let mut versions = self.0.lock().expect("nobody panics here");
        // The newest are at the end, and nearly all reads give one of those.
        match versions.iter_mut().rev().find(|(known, _)| *known == version) {
            Some((_, last)) => *last = start.max(*last),
            None => versions.push((version, start)),
        }
    }

    pub(crate) fn take(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics here"))
    }
}
