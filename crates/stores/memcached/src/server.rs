//! One server: its connections, and what is asked of it.

use crate::command::{Command, Mode, Set};
use crate::connect::{self, Connector};
use crate::failure;
use crate::item::{Generation, HEAD_BYTES};
use crate::name::Name;
use crate::options::MemcachedOptions;
use crate::reply::{Found, Reply, Value};
use bytes::Bytes;
use deadpool::managed::{Object, Pool, PoolError};
use larder_core::{Clock, Error, ErrorKind, Result, SystemClock};
use larder_pooled::Deadline;
use larder_pooled::finish;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What memcached needs for an item beside name and value, rounded up.
const ITEM_OVERHEAD: u64 = 64;
/// So many generations are remembered. They are guesses only, so all may be forgotten.
const REMEMBERED: usize = 1_024;

/// Whether commands may run again where nobody knows whether they ran.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    Fine,
    No,
}

pub(crate) struct Server {
    pub(crate) address: Arc<str>,
    pool: Pool<Connector>,
    response_timeout: Duration,
    max_value_bytes: u64,
    /// The generations that were seen last, by the names of their items. Held only for one look. Where one has been
    /// replaced since, the answer to the write that used it says so.
    generations: Mutex<HashMap<Bytes, Generation>>,
}

impl Server {
    pub(crate) fn new(address: &str, options: &MemcachedOptions) -> Result<Self> {
        let address: Arc<str> = address.into();
        Ok(Server {
            pool: connect::pool(Arc::clone(&address), options.max_connections, options.connect_timeout)?,
            address,
            response_timeout: options.response_timeout,
            max_value_bytes: options.max_value_bytes,
            generations: Mutex::default(),
        })
    }

    /// Makes a connection.
    pub(crate) async fn connect(&self) -> Result<()> {
        self.lend().await.map(|(lent, _)| lent.give_back())
    }

    /// Asks all of `commands` in one round trip.
    pub(crate) async fn ask(&self, commands: &[Command], twice: Twice) -> Result<Vec<Reply>> {
        let mut is_first = twice == Twice::Fine;
        let most = self.max_value_bytes.saturating_add(HEAD_BYTES as u64);
        loop {
            let (lent, is_late) = self.lend().await?;
            let replies = if is_late {
                self.ask_patiently(lent, commands.to_vec(), most).await?
            } else {
                lent.ask(commands, most).await
            };
            match replies {
                Ok(replies) => return Ok(replies),
                Err(error) => {
                    // The others were there when the server went away, too.
                    drop(self.pool.retain(|_, _| false));
                    if !std::mem::take(&mut is_first) {
                        return Err(failure::of_connection(&error, &self.address));
                    }
                }
            }
        }
    }

    /// Asks, and goes on though the call that waits ends, which has less time left than a request may take: a connection
    /// that is well would be closed with it, and making another would make the next call late as well.
    async fn ask_patiently(
        &self,
        lent: Lent,
        commands: Vec<Command>,
        most: u64,
    ) -> Result<io::Result<Vec<Reply>>> {
        let mut deadline = Deadline::new(self.response_timeout, "memcached");
        finish(async move { deadline.bound(async { Ok(lent.ask(&commands, most).await) }).await }).await
    }

    /// Borrows a connection, and says whether that took its time.
    async fn lend(&self) -> Result<(Lent, bool)> {
        let start = SystemClock.now();
        let connection = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            other => Error::store(other.to_string()),
        })?;
        let is_late = SystemClock.now().since(start) > self.response_timeout / 16;
        Ok((Lent { connection: Some(connection), response_timeout: self.response_timeout }, is_late))
    }

    /// Says whether a value may be put, as far as is known here.
    pub(crate) fn check_size(&self, name: &Name, bytes: u64) -> Result<()> {
        if bytes > self.max_value_bytes {
            return Err(self.too_large_to_read(bytes));
        }
        let allowed = self.pool.manager().item_size_max.load(Relaxed);
        let needed = bytes + HEAD_BYTES as u64 + name.item.len() as u64 + ITEM_OVERHEAD;
        if allowed != 0 && needed > allowed { Err(self.too_large(bytes)) } else { Ok(()) }
    }

    /// Says that the server does not take a value.
    pub(crate) fn too_large(&self, bytes: u64) -> Error {
        let (address, allowed) = (&self.address, self.pool.manager().item_size_max.load(Relaxed));
        let message = format!(
            "a value of {bytes} bytes, where memcached at {address} takes items of {allowed}; start it with a larger -I"
        );
        Error::new(ErrorKind::TooLarge, message)
    }

    /// Says that a value is larger than we were told to handle.
    pub(crate) fn too_large_to_read(&self, bytes: u64) -> Error {
        let most = self.max_value_bytes;
        let message =
            format!("a value of {bytes} bytes, where {most} are allowed; `.max_value_bytes(n)` allows more");
        Error::new(ErrorKind::TooLarge, message)
    }

    pub(crate) fn unexpected(&self) -> Error {
        failure::unexpected(&self.address)
    }

    /// Returns the generation that counted when it was asked for last.
    pub(crate) async fn guess(&self, item: &Bytes) -> Result<Generation> {
        let guess = self.generations().get(item).copied();
        match guess {
            Some(generation) => Ok(generation),
            None => self.generation(item).await,
        }
    }

    /// Asks for the generation that counts. Where there is none, it was lost with all that it had kept alive, and
    /// another begins.
    pub(crate) async fn generation(&self, item: &Bytes) -> Result<Generation> {
        let get = Command::Get { item: item.clone() };
        let mut mode = Mode::Add;
        for _ in 0..8 {
            let replies = self.ask(std::slice::from_ref(&get), Twice::Fine).await?;
            if let Some(generation) = self.note(item, replies.first()) {
                return Ok(generation);
            }
            if let Some(Reply::Found(found)) = replies.first() {
                // Nothing of ours.
                mode = Mode::Cas(found.cas);
            }
            self.begin(item, mode).await?;
        }
        Err(self.unexpected())
    }

    /// Begins a generation, and with it ends the one before.
    pub(crate) async fn begin(&self, item: &Bytes, mode: Mode) -> Result<()> {
        let value = Bytes::copy_from_slice(&Generation::random().0.to_be_bytes());
        let set = Set { item: item.clone(), head: Bytes::new(), value, flags: 0, exptime: 0, mode };
        let replies = self.ask(&[Command::Set(set)], Twice::Fine).await?;
        self.generations().remove(item);
        match replies.first() {
            Some(Reply::Done { .. } | Reply::Refused | Reply::Absent) => Ok(()),
            Some(Reply::Failed(said)) => Err(failure::of_command(said, &self.address)),
            _ => Err(self.unexpected()),
        }
    }

    /// Takes note of the reply to a question for a generation.
    pub(crate) fn note(&self, item: &Bytes, reply: Option<&Reply>) -> Option<Generation> {
        let Some(Reply::Found(Found { value: Value::Read(bytes), .. })) = reply else { return None };
        let generation = Generation(u64::from_be_bytes(bytes[..].try_into().ok()?));
        let mut generations = self.generations();
        if generations.get(item) != Some(&generation) {
            if generations.len() >= REMEMBERED {
                generations.clear();
            }
            generations.insert(item.clone(), generation);
        }
        Some(generation)
    }

    fn generations(&self) -> std::sync::MutexGuard<'_, HashMap<Bytes, Generation>> {
        // A guess is whole or absent, whoever panicked.
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A borrowed connection. Unless it is given back it is closed: an answer may still be under way on it.
struct Lent {
    connection: Option<Object<Connector>>,
    response_timeout: Duration,
}

impl Lent {
    /// Asks, and gives the connection back if it can be asked again.
    async fn ask(mut self, commands: &[Command], most: u64) -> io::Result<Vec<Reply>> {
        let connection =
            self.connection.as_mut().expect("it is there until it is given back, which takes the value");
        let replies = connection.ask(commands, most).await?;
        self.give_back();
        Ok(replies)
    }

    fn give_back(mut self) {
        drop(self.connection.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let pool = Object::pool(&connection);
        drop(Object::take(connection));
        if let Some(pool) = pool {
            // The idle connections of which nothing was heard in the time of a call may be just as dead, and each
            // would cost a call its time to find out.
            drop(pool.retain(|_, metrics| metrics.last_used() < self.response_timeout));
        }
    }
}
