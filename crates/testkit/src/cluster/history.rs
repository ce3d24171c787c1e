//! What happened in a run, in its order: what the checker judges and a story is told from.

use super::agenda::Moment;
use super::network::Place;
use super::operations::Operation;
use super::page::Page;
use std::collections::BTreeMap;

/// The record of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    pub(crate) calls: Vec<Call>,
    /// How many of them have not ended.
    pub(crate) open: usize,
    /// Where each page came from, by its number.
    pub(crate) pages: BTreeMap<u64, Origin>,
    /// When each version of each row was written.
    pub(crate) written: BTreeMap<(u64, u64), Moment>,
    pub(crate) notes: Vec<(Moment, Note)>,
    /// How often a place was asked for what.
    pub(crate) round_trips: BTreeMap<(Place, &'static str), u64>,
}

/// A call of a cache.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) node: usize,
    /// Which process on the node: each crash begins another.
    pub(crate) life: u32,
    pub(crate) operation: Operation,
    pub(crate) began: Moment,
    /// Whether, as it began, the node had nothing of the key in its first level and was doing nothing to it.
    pub(crate) from_nothing: bool,
    /// The page that it inserts.
    pub(crate) inserted: Option<Page>,
    pub(crate) end: Option<(Moment, Answer)>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Read(Option<Page>),
    Done,
    Failed(String),
    /// Its node crashed.
    CutOff,
}

/// Where a page came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin {
    /// When its load began, or the call that inserted it.
    pub(crate) began: Moment,
    /// What was invalidated by a call that began later than this includes it: the beginning of its load, or the end of
    /// the call that inserted it, if that has ended.
    pub(crate) settled: Option<Moment>,
    /// What it is, once it was made.
    pub(crate) page: Option<Page>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Note {
    Began(usize),
    Ended(usize),
    LoadBegan { node: usize, key: u64, page: u64 },
    LoadEnded { node: usize, key: u64, page: u64, end: LoadEnd },
    Wrote { row: u64, version: u64 },
    Served { place: Place, node: usize, what: &'static str, key: Option<u64> },
    Fault(String),
}

/// How a load ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LoadEnd {
    Made(Page),
    Failed,
    CutOff,
}

impl History {
    pub(crate) fn note(&mut self, at: Moment, note: Note) {
        match &note {
            Note::LoadBegan { page, .. } => {
                let origin = Origin { began: at, settled: Some(at), page: None };
                self.pages.insert(*page, origin);
            }
            Note::LoadEnded { page, end: LoadEnd::Made(made), .. } => {
                if let Some(origin) = self.pages.get_mut(page) {
                    origin.page = Some(made.clone());
                }
            }
            Note::Wrote { row, version } => {
                self.written.insert((*row, *version), at);
            }
            _ => {}
        }
        self.notes.push((at, note));
    }

    /// Begins a call, which is known by the number that is returned.
    pub(crate) fn begin(&mut self, call: Call) -> usize {
        let (number, at) = (self.calls.len(), call.began);
        if let Some(page) = &call.inserted {
            let origin = Origin { began: at, settled: None, page: Some(page.clone()) };
            self.pages.insert(page.number(), origin);
        }
        self.calls.push(call);
        self.open += 1;
        self.notes.push((at, Note::Began(number)));
        number
    }

    /// Ends a call.
    pub(crate) fn end(&mut self, number: usize, at: Moment, answer: Answer) {
        let call = &mut self.calls[number];
        call.end = Some((at, answer));
        self.open -= 1;
        let inserted = call.inserted.as_ref().map(Page::number);
        if let Some(origin) = inserted.and_then(|page| self.pages.get_mut(&page)) {
            origin.settled = Some(at);
        }
        self.notes.push((at, Note::Ended(number)));
    }

    /// Ends the calls of a process that crashed.
    pub(crate) fn cut_off(&mut self, node: usize, at: Moment) {
        let open = |call: &Call| call.node == node && call.end.is_none();
        let open: Vec<_> = (0..self.calls.len()).filter(|number| open(&self.calls[*number])).collect();
        for number in open {
            self.end(number, at, Answer::CutOff);
        }
    }

    pub(crate) fn count(&mut self, place: Place, what: &'static str) {
        *self.round_trips.entry((place, what)).or_default() += 1;
    }
}

/// The key of a record, by its text.
pub(crate) fn key_in(record: &str) -> Option<u64> {
    record.rsplit(':').next()?.parse().ok()
}
