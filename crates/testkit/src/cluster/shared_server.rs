//! The server that the nodes share: records with tokens, a log, and what can go wrong with both.

use super::log_state::{Kept, LogState};
use super::random::Random;
use bytes::Bytes;
use larder_core::{Invalidated, Name, News, Position, PutIf, Record, Token};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How the shared server of a run is set up.
#[derive(Clone, Debug)]
pub(crate) struct SharedSettings {
    /// Whether records and log are on several machines, and reached one after the other.
    pub(crate) split: bool,
    pub(crate) kept: Kept,
    /// How many operations a replica may lag behind.
    pub(crate) lag: usize,
}

pub(crate) struct SharedServer {
    pub(crate) settings: SharedSettings,
    random: Random,
    /// Which machine it is, since when.
    identity: u64,
    pub(crate) down: bool,
    data: Data,
    /// What the last few writes found, the oldest first: where a replica may be.
    before: VecDeque<Data>,
    /// No number is used again, whatever is lost.
    tokens: u64,
}

#[derive(Clone, Default)]
struct Data {
    records: BTreeMap<String, Stored>,
    log: Option<LogState>,
}

#[derive(Clone)]
struct Stored {
    /// `None` for a guard.
    bytes: Option<Bytes>,
    token: u64,
    ends: Option<Duration>,
}

impl SharedServer {
    pub(crate) fn new(settings: SharedSettings, mut random: Random) -> Self {
        let identity = random.next();
        SharedServer {
            settings,
            random,
            identity,
            down: false,
            data: Data::default(),
            before: VecDeque::new(),
            tokens: 0,
        }
    }

    /// Notes what a replica may still have.
    fn about_to_write(&mut self) {
        if self.settings.lag > 0 {
            self.before.push_back(self.data.clone());
            if self.before.len() > self.settings.lag {
                self.before.pop_front();
            }
        }
    }

    fn store(&mut self, key: &str, bytes: Option<Bytes>, ends: Option<Duration>) -> Token {
        self.tokens += 1;
        self.data.records.insert(key.into(), Stored { bytes, token: self.tokens, ends });
        token(self.tokens)
    }

    /// The record that is there, if its time is not over.
    fn record(&mut self, now: Duration, key: &str) -> Option<&mut Stored> {
        if self.data.records.get(key)?.ends.is_some_and(|ends| ends <= now) {
            self.data.records.remove(key);
        }
        self.data.records.get_mut(key)
    }

    pub(crate) fn get(&mut self, now: Duration, key: &str) -> Option<Bytes> {
        self.record(now, key)?.bytes.clone()
    }

    pub(crate) fn get_with_token(&mut self, now: Duration, key: &str, guard_for: Duration) -> Record {
        if let Some(stored) = self.record(now, key) {
            if stored.bytes.is_none() {
                stored.ends = Some(now + guard_for);
            }
            return Record::new(stored.bytes.clone(), token(stored.token));
        }
        Record::new(None, self.guard(now, key, guard_for))
    }

    pub(crate) fn guard(&mut self, now: Duration, key: &str, guard_for: Duration) -> Token {
        self.about_to_write();
        self.store(key, None, Some(now + guard_for))
    }

    pub(crate) fn put(&mut self, key: &str, bytes: Bytes, ends: Option<Duration>) {
        self.about_to_write();
        self.store(key, Some(bytes), ends);
    }

    pub(crate) fn put_if(
        &mut self,
        now: Duration,
        key: &str,
        expected: &Token,
        bytes: Bytes,
        ends: Option<Duration>,
    ) -> PutIf {
        if self.record(now, key).is_none_or(|stored| token(stored.token) != *expected) {
            return PutIf::Refused;
        }
        self.put(key, bytes, ends);
        PutIf::Done
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.about_to_write();
        self.data.records.remove(key);
    }

    pub(crate) fn clear(&mut self, prefix: &str) {
        self.about_to_write();
        self.data.records.retain(|key, _| !key.starts_with(prefix));
    }

    fn log(&mut self, known: Option<Position>) -> &mut LogState {
        LogState::checked(&mut self.data.log, self.identity, known, &mut self.random)
    }

    pub(crate) fn news(&mut self, known: Option<Position>) -> News {
        self.log(known).news(known)
    }

    pub(crate) fn marks(&mut self, known: Option<Position>, names: &[Name]) -> (Vec<Option<u64>>, News) {
        let log = self.log(known);
        (log.marks(names), log.news(known))
    }

    pub(crate) fn mark(&mut self, known: Option<Position>, names: &[Name]) -> Invalidated {
        self.about_to_write();
        let kept = self.settings.kept;
        let log = self.log(known);
        let number = log.mark(names, kept);
        Invalidated { number, news: log.news(known), tokens: Vec::new() }
    }

    /// Loses everything.
    pub(crate) fn flush(&mut self) {
        self.data = Data::default();
        self.before.clear();
    }

    /// Begins again with what it had.
    pub(crate) fn restart(&mut self) {
        self.identity = self.random.next();
    }

    /// A replica takes over that lacks the last so many writes. Returns how many those were.
    pub(crate) fn fail_over(&mut self, lacking: usize) -> usize {
        let lacking = lacking.min(self.before.len());
        if lacking > 0 {
            self.data = self.before[self.before.len() - lacking].clone();
        }
        self.before.clear();
        self.restart();
        lacking
    }

    pub(crate) fn lose_marks(&mut self) {
        if let Some(log) = &mut self.data.log {
            log.lose_marks();
        }
    }

    /// Loses one record, as under pressure. Returns its key.
    pub(crate) fn evict(&mut self) -> Option<String> {
        let length = self.data.records.len();
        let place = if length == 0 { return None } else { self.random.place(length) };
        let key = self.data.records.keys().nth(place)?.clone();
        self.data.records.remove(&key);
        Some(key)
    }

    /// Loses all guards, as if their time were over.
    pub(crate) fn lose_guards(&mut self) {
        self.data.records.retain(|_, stored| stored.bytes.is_some());
    }
}

fn token(number: u64) -> Token {
    Token::new(number.to_be_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(5);
    const LONG: Duration = Duration::from_secs(60);

    fn server() -> SharedServer {
        let kept = Kept { tags: 9, keys: 9, tail: 9 };
        SharedServer::new(SharedSettings { split: false, kept, lag: 3 }, Random::of(1, "server"))
    }

    #[test]
    fn a_failover_takes_records_and_log_back_together_and_no_token_comes_twice() {
        let mut server = server();
        let token = server.guard(NOW, "k:1", LONG);
        let position = server.mark(None, &[Name::key("k:1")]).news.position;
        assert_eq!(server.put_if(NOW, "k:1", &token, "one".into(), None), PutIf::Done);
        let lost = server.guard(NOW, "k:1", LONG);

        assert_eq!(server.fail_over(2), 2);

        assert_eq!(server.get(NOW, "k:1"), None, "the guard is there again");
        assert_eq!(server.put_if(NOW, "k:1", &lost, "two".into(), None), PutIf::Refused);
        assert_eq!(server.put_if(NOW, "k:1", &token, "one".into(), None), PutIf::Done);
        let anew = server.guard(NOW, "k:1", LONG);
        assert!(anew != lost && anew != token);
        assert_ne!(server.news(Some(position)).position.era, position.era);
    }

    #[test]
    fn guards_and_records_end() {
        let mut server = server();
        let record = server.get_with_token(NOW, "k:1", LONG);
        let again = server.get_with_token(NOW + LONG / 2, "k:1", LONG);
        assert_eq!(record.token, again.token, "and it lasts as long anew");
        let token = again.token.unwrap();
        let ends = Some(NOW + 2 * LONG);
        assert_eq!(server.put_if(NOW + LONG, "k:1", &token, "one".into(), ends), PutIf::Done);
        assert_eq!(server.get(NOW + 2 * LONG - Duration::from_nanos(1), "k:1").unwrap(), "one");
        assert_eq!(server.get(NOW + 2 * LONG, "k:1"), None);

        let token = server.guard(NOW, "k:2", LONG);
        assert_eq!(server.put_if(NOW + LONG, "k:2", &token, "late".into(), None), PutIf::Refused);
    }
}
