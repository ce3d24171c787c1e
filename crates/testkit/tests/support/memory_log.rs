//! A store with a log, in memory and right; or wrong in one way.
#![allow(dead_code, reason = "its flaws are for one of the tests that it serves")]

use bytes::Bytes;
use larder_core::{
    Answer, ByteStore, Capabilities, Cleared, Invalidated, Invalidation, Name, News, Position, PutIf, Record,
    Result, SharedLog, Token,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::yield_now;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    None,
    GivesAnotherLogEachTime,
    BeginsAtOne,
    CountsNames,
    NumbersOnlyWhatHasNames,
    SharesNumbers,
    MarksTheFirstNameOnly,
    KeepsTheFirstMark,
    TellsWhatWasKnown,
    TellsAllToNewcomers,
    TellsAllToThoseOfAnotherEra,
    TellsNothingOfItsOwn,
    TakesExpiringForRemoved,
    ForgetsTheKind,
    CutsNames,
    IgnoresHigherNumbers,
    OverlooksHigherNumbersOfReads,
    KeepsTheEra,
    KeepsMarksOfOldEras,
    KeepsTheCounterOfOldEras,
    NumbersThenVoids,
    ReadsThenAsks,
    VoidsNothing,
    RemovesWithoutAGuard,
    TurnsTokensRound,
    GivesNoTokens,
    PlantsNoGuard,
    GivesNoTokenToReaders,
    NamesAbsenceWithoutAGuard,
}

/// Clones are the same store.
#[derive(Clone)]
pub(crate) struct MemoryLog(Arc<Inner>);

struct Inner {
    flaw: Flaw,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `None` is a guard.
    records: BTreeMap<String, (u64, Option<Bytes>)>,
    states: u64,
    era: u64,
    number: u64,
    marks: BTreeMap<Name, u64>,
}

impl State {
    fn write(&mut self, key: &str, bytes: Option<Bytes>) -> Token {
        self.states += 1;
        self.records.insert(key.into(), (self.states, bytes));
        token(self.states)
    }
}

fn token(state: u64) -> Token {
    Token::new(state.to_be_bytes().to_vec())
}

async fn let_others_come_between() {
    for _ in 0..50 {
        yield_now().await;
    }
}

impl MemoryLog {
    pub(crate) fn new(flaw: Flaw) -> Self {
        let state = State { era: 77, number: u64::from(flaw == Flaw::BeginsAtOne), ..State::default() };
        MemoryLog(Arc::new(Inner { flaw, state: Mutex::new(state) }))
    }

    /// How many records there are, guards included.
    #[allow(dead_code, reason = "not every test looks")]
    pub(crate) fn records(&self) -> usize {
        self.0.state.lock().records.len()
    }
}

impl Inner {
    fn name(&self, name: &Name) -> Name {
        let text = name.as_str();
        match self.flaw {
            Flaw::TakesExpiringForRemoved => Name::parse(&text.replacen('~', "-", 1)).unwrap(),
            Flaw::ForgetsTheKind => Name::parse(&format!("t{}", &text[1..])).unwrap(),
            Flaw::CutsNames => Name::parse(&text.chars().take(1_000).collect::<String>()).unwrap(),
            _ => name.clone(),
        }
    }

    /// Begins a new era if somebody knows more than there is.
    fn judge(&self, state: &mut State, known: Option<Position>) {
        let is_ahead = known.is_some_and(|known| known.era == state.era && known.number > state.number);
        if !is_ahead || self.flaw == Flaw::IgnoresHigherNumbers {
            return;
        }
        state.era += u64::from(self.flaw != Flaw::KeepsTheEra);
        if self.flaw != Flaw::KeepsTheCounterOfOldEras {
            state.number = 0;
        }
        if self.flaw != Flaw::KeepsMarksOfOldEras {
            state.marks.clear();
        }
    }

    fn news(&self, state: &State, known: Option<Position>) -> News {
        let since = match known {
            Some(known) if known.era == state.era => Some(known.number),
            Some(_) => (self.flaw == Flaw::TellsAllToThoseOfAnotherEra).then_some(0),
            None => (self.flaw == Flaw::TellsAllToNewcomers).then_some(0),
        };
        let is_news = |number: u64| match self.flaw {
            Flaw::TellsWhatWasKnown => Some(number) >= since,
            _ => Some(number) > since,
        };
        let marks = state.marks.iter().filter(|(_, number)| since.is_some() && is_news(**number));
        News {
            position: Position { era: state.era, number: state.number },
            since: Some(marks.map(|(name, number)| (name.clone(), *number)).collect()),
            floor: 0,
            key_floor: 0,
        }
    }

    fn void(&self, state: &mut State, voids: &[&str]) -> Vec<Token> {
        let mut tokens: Vec<_> = voids
            .iter()
            .map(|key| match self.flaw {
                Flaw::VoidsNothing => state.records.get(*key).map_or(token(0), |(state, _)| token(*state)),
                Flaw::RemovesWithoutAGuard => {
                    state.records.remove(*key);
                    token(0)
                }
                _ => state.write(key, None),
            })
            .collect();
        match self.flaw {
            Flaw::TurnsTokensRound => tokens.reverse(),
            Flaw::GivesNoTokens => tokens.clear(),
            _ => {}
        }
        tokens
    }

    fn mark(&self, state: &mut State, names: &[Name]) -> u64 {
        state.number += match self.flaw {
            Flaw::CountsNames => names.len().max(1) as u64,
            Flaw::NumbersOnlyWhatHasNames => u64::from(!names.is_empty()),
            _ => 1,
        };
        let number = state.number;
        let most = if self.flaw == Flaw::MarksTheFirstNameOnly { 1 } else { names.len() };
        for name in names.iter().take(most) {
            let mark = state.marks.entry(self.name(name)).or_insert(number);
            if self.flaw != Flaw::KeepsTheFirstMark {
                *mark = number;
            }
        }
        number
    }

    fn record(&self, state: &mut State, key: &str, guard_for: Option<Duration>) -> Record {
        if let Some((number, bytes)) = state.records.get(key) {
            let token = token(*number);
            return match guard_for {
                Some(_) if self.flaw != Flaw::GivesNoTokenToReaders => Record::new(bytes.clone(), token),
                _ => Record::without_token(bytes.clone()),
            };
        }
        match (guard_for, self.flaw) {
            (Some(_), Flaw::GivesNoTokenToReaders) => Record::without_token(None),
            (Some(_), Flaw::PlantsNoGuard) | (None, Flaw::NamesAbsenceWithoutAGuard) => {
                Record::new(None, token(0))
            }
            (Some(_), _) => Record::new(None, state.write(key, None)),
            (None, _) => Record::without_token(None),
        }
    }
}

impl SharedLog for Inner {
    fn news(&self, known: Option<Position>) -> Answer<'_, News> {
        Box::pin(async move {
            let mut state = self.state.lock();
            self.judge(&mut state, known);
            Ok(Inner::news(self, &state, known))
        })
    }

    fn read<'a>(
        &'a self,
        known: Option<Position>,
        key: &'a str,
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Record, News)> {
        Box::pin(async move {
            let mut early = None;
            if self.flaw == Flaw::ReadsThenAsks {
                early = Some(self.record(&mut self.state.lock(), key, guard_for));
                let_others_come_between().await;
            }
            let mut state = self.state.lock();
            if self.flaw != Flaw::OverlooksHigherNumbersOfReads {
                self.judge(&mut state, known);
            }
            let news = Inner::news(self, &state, known);
            Ok((early.unwrap_or_else(|| self.record(&mut state, key, guard_for)), news))
        })
    }

    fn invalidate<'a>(
        &'a self,
        known: Option<Position>,
        invalidation: Invalidation<'a>,
    ) -> Answer<'a, Invalidated> {
        Box::pin(async move {
            let Invalidation { voids, names, .. } = invalidation;
            let in_two_steps = self.flaw == Flaw::NumbersThenVoids;
            let (number, mut news, mut tokens) = {
                let mut state = self.state.lock();
                self.judge(&mut state, known);
                let tokens = if in_two_steps { Vec::new() } else { self.void(&mut state, voids) };
                let own = self.flaw == Flaw::TellsNothingOfItsOwn;
                let before = own.then(|| Inner::news(self, &state, known));
                let number = self.mark(&mut state, names);
                let mut news = Inner::news(self, &state, known);
                if let Some(before) = before {
                    news.since = before.since;
                }
                (number, news, tokens)
            };
            if in_two_steps {
                let_others_come_between().await;
                tokens = self.void(&mut self.state.lock(), voids);
            }
            if self.flaw == Flaw::SharesNumbers {
                let_others_come_between().await;
                let mut state = self.state.lock();
                state.number = number;
                news.position.number = number;
            }
            Ok(Invalidated { number, news, tokens })
        })
    }

    fn marks<'a>(
        &'a self,
        known: Option<Position>,
        names: &'a [Name],
    ) -> Answer<'a, (Vec<Option<u64>>, News)> {
        Box::pin(async move {
            let mut state = self.state.lock();
            self.judge(&mut state, known);
            let marks = names.iter().map(|name| state.marks.get(&self.name(name)).copied()).collect();
            Ok((marks, Inner::news(self, &state, known)))
        })
    }

    fn place(&self) -> String {
        "memory".into()
    }
}

impl ByteStore for MemoryLog {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        Ok(self.0.state.lock().records.get(key).and_then(|(_, bytes)| bytes.clone()))
    }
    async fn put(&self, key: &str, bytes: Bytes, _: Option<SystemTime>) -> Result<()> {
        self.0.state.lock().write(key, Some(bytes));
        Ok(())
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.state.lock().records.remove(key);
        Ok(())
    }
    async fn get_with_token(&self, key: &str, _: Duration) -> Result<Record> {
        let mut state = self.0.state.lock();
        if let Some((number, bytes)) = state.records.get(key) {
            return Ok(Record::new(bytes.clone(), token(*number)));
        }
        Ok(Record::new(None, state.write(key, None)))
    }
    async fn guard(&self, key: &str, _: Duration) -> Result<Option<Token>> {
        Ok(Some(self.0.state.lock().write(key, None)))
    }
    async fn put_if(&self, key: &str, then: &Token, bytes: Bytes, _: Option<SystemTime>) -> Result<PutIf> {
        let mut state = self.0.state.lock();
        let now = state.records.get(key).map_or(token(0), |(number, _)| token(*number));
        if now != *then {
            return Ok(PutIf::Refused);
        }
        state.write(key, Some(bytes));
        Ok(PutIf::Done)
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        let is_another = self.0.flaw == Flaw::GivesAnotherLogEachTime;
        let log: Arc<Inner> = if is_another { MemoryLog::new(Flaw::None).0 } else { Arc::clone(&self.0) };
        Some(log)
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.state.lock().records.retain(|key, _| !key.starts_with(prefix));
        Ok(Cleared::Done)
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.clear().put_if()
    }
}
