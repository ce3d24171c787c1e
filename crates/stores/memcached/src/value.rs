//! Values: read, put and removed, on one server.
//!
//! A value is alive while the generation of its namespace is the one under which it was written. Both are read in one
//! round trip. A put is written under the generation that was seen last, and the answer, in the same round trip, says
//! which one counts: where that is another, the value was dead as it was written, and is written again.

use crate::command::{Command, Mode, Set};
use crate::failure;
use crate::item::{self, Generation, Item};
use crate::name::Name;
use crate::reply::{Found, Reply};
use crate::server::{Server, Twice};
use bytes::Bytes;
use larder_core::{Error, ErrorKind, Result};
use std::time::SystemTime;

/// A namespace is cleared as often as this while one value is written. It will not be.
pub(crate) const ATTEMPTS: usize = 100;

impl Server {
    pub(crate) async fn get(&self, name: &Name) -> Result<Option<Bytes>> {
        let (generation, found) = self.look(name).await?;
        generation.zip(found).map_or(Ok(None), |(generation, found)| self.value(found, generation))
    }

    /// Asks for the generation and for what is under the name.
    pub(crate) async fn look(&self, name: &Name) -> Result<(Option<Generation>, Option<Found>)> {
        let commands = [get(&name.generation), get(&name.item)];
        let mut replies = self.ask(&commands, Twice::Fine).await?.into_iter();
        let generation = self.note(&name.generation, replies.next().as_ref());
        match replies.next() {
            Some(Reply::Found(found)) => Ok((generation, Some(found))),
            Some(Reply::Absent) => Ok((generation, None)),
            Some(Reply::Failed(said)) => Err(failure::of_command(&said, &self.address)),
            _ => Err(self.unexpected()),
        }
    }

    /// Returns the value, if there is one in this generation.
    pub(crate) fn value(&self, found: Found, generation: Generation) -> Result<Option<Bytes>> {
        match item::judge(found, generation) {
            Item::Value { bytes, .. } => Ok(Some(bytes)),
            Item::TooLarge(bytes) => Err(self.too_large_to_read(bytes)),
            Item::Guard { .. } | Item::Dead { .. } => Ok(None),
        }
    }

    pub(crate) async fn put(&self, name: &Name, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        if let Err(too_large) = self.check_size(name, bytes.len() as u64) {
            return Err(self.refuse(name, None, too_large).await);
        }
        let mut generation = self.guess(&name.generation).await?;
        for _ in 0..ATTEMPTS {
            let commands =
                [set(name, generation, bytes.clone(), expires_at, Mode::Always), get(&name.generation)];
            let replies = self.ask(&commands, Twice::Fine).await?;
            if let Err(error) = self.stored(replies.first(), bytes.len()) {
                return Err(self.refuse(name, None, error).await);
            }
            match self.note(&name.generation, replies.get(1)) {
                Some(current) if current == generation => return Ok(()),
                Some(current) => generation = current,
                None => generation = self.generation(&name.generation).await?,
            }
        }
        Err(self.unsettled())
    }

    /// Returns why a value was not put, once what it was to replace is removed: what cannot be written here must not
    /// leave the older value in its place.
    pub(crate) async fn refuse(&self, name: &Name, cas: Option<u64>, error: Error) -> Error {
        self.delete(name, cas).await.err().unwrap_or(error)
    }

    /// Reads the reply to a put of so many bytes.
    pub(crate) fn stored(&self, reply: Option<&Reply>, bytes: usize) -> Result<()> {
        match reply {
            Some(Reply::Done { .. }) => Ok(()),
            Some(Reply::Failed(said)) if failure::is_too_large(said) => Err(self.too_large(bytes as u64)),
            Some(Reply::Failed(said)) => Err(failure::of_command(said, &self.address)),
            _ => Err(self.unexpected()),
        }
    }

    /// Removes the item, or only the one with the number `cas`.
    pub(crate) async fn delete(&self, name: &Name, cas: Option<u64>) -> Result<()> {
        let delete = Command::Delete { item: name.item.clone(), cas };
        self.deleted(self.ask(&[delete], Twice::Fine).await?.first())
    }

    /// Reads the reply to a removal.
    pub(crate) fn deleted(&self, reply: Option<&Reply>) -> Result<()> {
        match reply {
            Some(Reply::Done { .. } | Reply::Absent | Reply::Refused) => Ok(()),
            Some(Reply::Failed(said)) => Err(failure::of_command(said, &self.address)),
            _ => Err(self.unexpected()),
        }
    }

    pub(crate) fn unsettled(&self) -> Error {
        let message = format!("others were faster {ATTEMPTS} times, at memcached at {}", self.address);
        Error::new(ErrorKind::Store, message)
    }
}

pub(crate) fn get(item: &Bytes) -> Command {
    Command::Get { item: item.clone() }
}

pub(crate) fn set(
    name: &Name,
    generation: Generation,
    value: Bytes,
    expires_at: Option<SystemTime>,
    mode: Mode,
) -> Command {
    let (item, head) = (name.item.clone(), item::head(generation, expires_at));
    Command::Set(Set { item, head, value, flags: 0, exptime: item::exptime(expires_at), mode })
}
