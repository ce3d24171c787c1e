//! A broken promise, told so that one can see how it came about.

use super::agenda::Moment;
use super::checker::Breach;
use super::database::rows_of;
use super::history::{Answer, History, LoadEnd, Note};
use super::network::Place;
use super::run::{Ran, Wrong};
use super::script::Script;
use std::fmt;
use std::fmt::Write as _;

/// A promise that a run of a simulated cluster broke. `Display` tells the story: what happened to the key, when and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    seed: u64,
    kind: ViolationKind,
    steps: usize,
    story: String,
}

/// Which promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// What was invalidated was served: too late, or again.
    Stale,
    /// The value of another key was served.
    Foreign,
    /// A value was served that nobody made, or made so.
    Untrue,
    /// A call did not end when all was well again.
    Endless,
    /// The tasks of a node never came to rest.
    Spinning,
    /// A call panicked.
    Panicked,
}

impl Violation {
    pub(crate) fn of(script: &Script, ran: &Ran, wrong: &Wrong) -> Self {
        let (kind, story) = match wrong {
            Wrong::Breach(breach) => tell(&ran.history, breach),
            Wrong::Spins(node) => {
                let story = format!("The tasks of node {node} never come to rest at {:?}.\n", ran.time);
                (ViolationKind::Spinning, story)
            }
            Wrong::Panicked(message) => (ViolationKind::Panicked, format!("A call panicked: {message}\n")),
        };
        let steps = script.steps.len() + script.troubles.len();
        Violation { seed: script.setup.seed, kind, steps, story }
    }

    /// Returns the seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns which promise was broken.
    pub fn kind(&self) -> ViolationKind {
        self.kind
    }

    /// Returns how many steps and faults the run had.
    pub fn steps(&self) -> usize {
        self.steps
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, with {} steps and faults: {:?}", self.seed, self.steps, self.kind)?;
        f.write_str(&self.story)
    }
}

impl std::error::Error for Violation {}

/// What of a history is about one key, from some moment to another.
struct Part {
    key: Option<u64>,
    from: Moment,
    to: Moment,
}

fn tell(history: &History, breach: &Breach) -> (ViolationKind, String) {
    let (kind, number) = match *breach {
        Breach::Stale { read, .. } => (ViolationKind::Stale, read),
        Breach::Foreign { read } => (ViolationKind::Foreign, read),
        Breach::Untrue { read } => (ViolationKind::Untrue, read),
        Breach::Endless { call } => (ViolationKind::Endless, call),
    };
    let call = &history.calls[number];
    let page = match &call.end {
        Some((_, Answer::Read(Some(page)))) => Some(page),
        _ => None,
    };
    let mut story = String::new();
    if let (Breach::Stale { invalidation, .. }, Some(page)) = (breach, page) {
        let invalidation = &history.calls[*invalidation];
        let returned = invalidation.end.as_ref().map_or(invalidation.began, |(at, _)| *at);
        let _ = writeln!(
            story,
            "{page:?} is older than {:?} on node {}, which returned at {:?}. \
             It was the answer to {:?} on node {}, which began {:?} after that.",
            invalidation.operation,
            invalidation.node,
            returned.time,
            call.operation,
            call.node,
            call.began.time.saturating_sub(returned.time),
        );
    }
    let origin = page.and_then(|page| history.pages.get(&page.number()));
    let to = call.end.as_ref().map(|(at, _)| *at).or(history.notes.last().map(|(at, _)| *at));
    let part = Part {
        key: call.operation.key(),
        from: origin.map_or(call.began, |origin| origin.began),
        to: to.unwrap_or_default(),
    };
    for (at, note) in &history.notes {
        if part.from <= *at && *at <= part.to && part.is_about(history, note) {
            let _ = writeln!(story, "{:>12} {}", format!("{:.3?}", at.time), line(history, note));
        }
    }
    (kind, story)
}

impl Part {
    fn is_about(&self, history: &History, note: &Note) -> bool {
        let Some(key) = self.key else { return true };
        match note {
            Note::Began(call) | Note::Ended(call) => {
                let operation = history.calls[*call].operation;
                operation.key() == Some(key) || operation.extent().is_some_and(|extent| extent.covers(key))
            }
            Note::LoadBegan { key: of, .. } | Note::LoadEnded { key: of, .. } => *of == key,
            Note::Wrote { row, .. } => rows_of(key).contains(row),
            // What has no key is about many of them.
            Note::Served { key: of, .. } => of.is_none_or(|of| of == key),
            Note::Fault(_) => true,
        }
    }
}

fn line(history: &History, note: &Note) -> String {
    match note {
        Note::Began(call) => {
            let call = &history.calls[*call];
            let nothing = if call.from_nothing { ", which has nothing of it" } else { "" };
            format!("node {}: {:?} begins{nothing}", call.node, call.operation)
        }
        Note::Ended(call) => {
            let call = &history.calls[*call];
            let answer = call.end.as_ref().map(|(_, answer)| answer);
            format!("node {}: {:?} ends: {}", call.node, call.operation, answer.map_or("?".into(), said))
        }
        Note::LoadBegan { node, page, .. } => format!("node {node}: the load of page {page} begins"),
        Note::LoadEnded { node, page, end, .. } => match end {
            LoadEnd::Made(made) => format!("node {node}: the load ends: {made:?}"),
            LoadEnd::Failed => format!("node {node}: the load of page {page} fails"),
            LoadEnd::CutOff => format!("node {node}: the load of page {page} is cut off"),
        },
        Note::Wrote { row, version } => format!("row {row} is v{version}"),
        Note::Served { place, node, what, .. } => {
            let place = match place {
                Place::Shared => "shared store",
                Place::Lower => "lower store",
                Place::Bus => "bus",
            };
            format!("{place}: {what}, for node {node}")
        }
        Note::Fault(fault) => format!("fault: {fault}"),
    }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Read(Some(page)) => format!("{page:?}"),
        Answer::Read(None) => "nothing".into(),
        Answer::Done => "done".into(),
        Answer::Failed(error) => format!("error: {error}"),
        Answer::CutOff => "cut off by the crash".into(),
    }
}
