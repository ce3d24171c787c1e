//! The log of invalidations that the processes of a service share.
//!
//! Everything that is invalidated, a key, a tag, a whole namespace, is numbered in one log, by the store that the
//! processes share. A value carries the position that its load began at; whoever reads it compares that with the marks
//! of its names. Nothing in this depends on clocks. What a process does with a log is in
//! `Coherence`; this is what a store must do.

use crate::crowd::all_of;
use crate::record::{Record, Token};
use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What the calls of a [`SharedLog`], a [`Bus`](crate::Bus) and a [`Lock`](crate::Lock) return: a future that can be
/// behind a trait object.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A log of invalidations, kept beside the records of a store: [`ByteStore::log`](crate::ByteStore::log).
///
/// # Contract
///
/// - The log has an *era*, a random number, and a *counter*, which begins at 0 and goes up by one with each
///   [`invalidate`](Self::invalidate). Two positions are compared within one era only.
/// - [`invalidate`](Self::invalidate) is one step: first the records are voided, then the counter goes up and every
///   name is marked with it. Nobody sees one without the other. (Where records and log cannot be reached together, the
///   records are voided first, and the call fails unless both are done.)
/// - *All of the log is lost together, or the loss is noticed.* A new era begins when there is no log, when a part of
///   it is missing, when the server is not the one that wrote it (another machine took over, or it began again with what it
///   had saved some time ago), and when somebody knows a higher number of the same era than the log has. It begins before anybody is
///   answered, and with it counter, marks and floors.
/// - Marks are kept for a long time, not for ever: the oldest go when there are too many, and the *floor* rises to the
///   highest number among them. Names of keys have a floor of their own, because there are many more of them. Marks of whole
///   namespaces stay.
/// - A call that failed may have been carried out. It is never repeated by the log where that would void a record twice.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a log of invalidations")]
pub trait SharedLog: Send + Sync + 'static {
    /// Returns where the log stands, and what was marked after `known`, in one round trip.
    fn news(&self, known: Option<Position>) -> Answer<'_, News>;

    /// Returns the record under `key` as [`get_with_token`](crate::ByteStore::get_with_token) does, and the news, in one
    /// round trip; the record is read no earlier than the news, or in the same step. Without `guard_for` no guard is
    /// planted, and the record needs no token.
    fn read<'a>(
        &'a self,
        known: Option<Position>,
        key: &'a str,
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Record, News)>;

    /// Returns the records under `keys` and the news, as [`read`](Self::read) does for one. No record is read earlier than
    /// the news, and one that cannot be read spoils no other.
    ///
    /// The default reads all at the same time; a log that can reads them in one statement.
    fn read_many<'a>(
        &'a self,
        known: Option<Position>,
        keys: &'a [&'a str],
        guard_for: Option<Duration>,
    ) -> Answer<'a, (Vec<Result<Record>>, News)> {
        Box::pin(async move {
            let reads: Vec<_> = keys.iter().map(|key| self.read(known, key, guard_for)).collect();
            earliest(all_of(usize::MAX, reads).await)
        })
    }

    /// Voids the records, as [`guard`](crate::ByteStore::guard) does, and marks the names with the next number, in one
    /// step and one round trip (two where they are on several servers). Either may be none.
    fn invalidate<'a>(
        &'a self,
        known: Option<Position>,
        invalidation: Invalidation<'a>,
    ) -> Answer<'a, Invalidated>;

    /// Returns the number that each name was last marked with, in one round trip.
    fn marks<'a>(
        &'a self,
        known: Option<Position>,
        names: &'a [Name],
    ) -> Answer<'a, (Vec<Option<u64>>, News)>;

    /// Returns what people call this log, for errors: the store and its place, without passwords.
    fn place(&self) -> String;
}

/// Joins reads that were made at the same time: what was read later than the news may be told with them. A record of
/// another era may not.
fn earliest(reads: Vec<Result<(Record, News)>>) -> Result<(Vec<Result<Record>>, News)> {
    let told = reads.iter().filter_map(|read| read.as_ref().ok()).map(|(_, news)| news);
    let Some(news) = told.min_by_key(|news| news.position.number).cloned() else {
        let error = reads.into_iter().find_map(Result::err);
        return Err(error.unwrap_or_else(|| Error::new(ErrorKind::Unsupported, "no key was asked for")));
    };
    let era = news.position.era;
    let of_the_era = |(record, news): (Record, News)| {
        let changed = || Error::new(ErrorKind::Store, "the log of invalidations changed while it was read");
        if news.position.era == era { Ok(record) } else { Err(changed()) }
    };
    Ok((reads.into_iter().map(|read| read.and_then(of_the_era)).collect(), news))
}

/// Where a log stands: how many invalidations of its era it has numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which log it is: another one has another.
    pub era: u64,
    /// The number of the last invalidation.
    pub number: u64,
}

/// Where a log stands, and what happened since somebody last asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Where the log stands.
    pub position: Position,
    /// What was marked after the position that the caller knew, each name with the number of its last mark, in any
    /// order. Empty where the caller knew none, or one of another era. `None` where not all of it is there any more,
    /// or it is too much to tell.
    pub since: Option<Vec<(Name, u64)>>,
    /// Marks of tags with numbers up to this one may have been forgotten.
    pub floor: u64,
    /// Marks of keys with numbers up to this one may have been forgotten.
    pub key_floor: u64,
}

/// What is to be invalidated, see [`SharedLog::invalidate`].
#[derive(Clone, Copy, Debug)]
pub struct Invalidation<'a> {
    /// The keys of records to void.
    pub voids: &'a [&'a str],
    /// For how long a guard stands where a record was.
    pub guard_for: Duration,
    /// What is to be marked.
    pub names: &'a [Name],
}

/// An invalidation that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalidated {
    /// The number that its names were marked with.
    pub number: u64,
    /// Where the log stands with it. What was marked since includes these names.
    pub news: News,
    /// The tokens of the guards, one a voided record, in their order.
    pub tokens: Vec<Token>,
}

/// What can be invalidated: a key, a tag, or all keys of a namespace; and how: removed, or expired, which is kept for
/// loads that fail.
///
/// A text of one letter for what it is (`k`, `t`, `n`), one sign for how (`-` removed, `~` expired), and the key with its
/// namespace, the tag, or the namespace with its colon. Logs and buses keep and carry it as it is.
///
/// # Examples
///
/// ```
/// use larder_core::Name;
///
/// let tag = Name::tag("team:7");
/// assert_eq!(tag.as_str(), "t-team:7");
/// assert_eq!(Name::parse("t-team:7").unwrap(), tag);
/// assert_eq!(tag.expiring().as_str(), "t~team:7");
/// assert!(Name::key("users:ada").is_key());
/// assert!(Name::parse("x-y").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// Names the record under `key`, which begins with its namespace.
    pub fn key(key: &str) -> Self {
        Self::of('k', key)
    }

    /// Names a tag.
    pub fn tag(tag: &str) -> Self {
        Self::of('t', tag)
    }

    /// Names everything whose key begins with `prefix`, a namespace and its colon.
    pub fn namespace(prefix: &str) -> Self {
        Self::of('n', prefix)
    }

    fn of(what: char, text: &str) -> Self {
        Name(format!("{what}-{text}").into())
    }

    /// Returns the same name, to be expired and not removed.
    #[must_use = "the name is returned, not changed in place"]
    pub fn expiring(&self) -> Self {
        Name(format!("{}~{}", &self.0[..1], &self.0[2..]).into())
    }

    /// Reads a name as a log or a bus has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] if it is none.
    pub fn parse(text: &str) -> Result<Self> {
        match text.as_bytes() {
            [b'k' | b't' | b'n', b'-' | b'~', ..] => Ok(Name(text.into())),
            _ => Err(Error::new(ErrorKind::Corrupt, "a name of an invalidation that larder did not write")),
        }
    }

    /// Returns the name as logs and buses have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it names, as a letter, and its text.
    pub(crate) fn parts(&self) -> (u8, &str) {
        (self.0.as_bytes()[0], &self.0[2..])
    }

    /// Whether it names a key.
    pub fn is_key(&self) -> bool {
        self.0.starts_with('k')
    }

    /// Whether it names a whole namespace.
    pub fn is_namespace(&self) -> bool {
        self.0.starts_with('n')
    }

    /// Whether what has this name is kept for loads that fail.
    pub fn expires(&self) -> bool {
        self.0[1..].starts_with('~')
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.as_str())
    }
}
