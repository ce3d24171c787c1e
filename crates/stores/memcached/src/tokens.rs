//! Compare-and-set, on one server.
//!
//! memcached numbers the states of all its items, and begins anew when it starts again; so a token is the number
//! together with the generation, which a restart ends.

use crate::command::{Command, Mode, Set};
use crate::item::{self, GUARD, Generation, Item};
use crate::name::Name;
use crate::reply::Reply;
use crate::server::{Server, Twice};
use crate::value::{ATTEMPTS, get, set};
use bytes::{BufMut, Bytes, BytesMut};
use larder_core::{Error, ErrorKind, PutIf, Record, Result, Token};
use std::time::{Duration, SystemTime};

impl Server {
    pub(crate) async fn get_with_token(&self, name: &Name, guard_for: Duration) -> Result<Record> {
        for _ in 0..ATTEMPTS {
            let (generation, found) = self.look(name).await?;
            let Some(generation) = generation else {
                self.generation(&name.generation).await?;
                continue;
            };
            let mode = match found.map(|found| item::judge(found, generation)) {
                Some(Item::Value { bytes, cas }) => {
                    return Ok(Record::new(Some(bytes), token(generation, cas)));
                }
                Some(Item::TooLarge(bytes)) => return Err(self.too_large_to_read(bytes)),
                Some(Item::Guard { cas, left })
                    if left.is_none_or(|left| Duration::from_secs(left) >= guard_for) =>
                {
                    return Ok(Record::new(None, token(generation, cas)));
                }
                // It is another's, who has had its time.
                Some(Item::Guard { cas, .. } | Item::Dead { cas }) => Mode::Cas(cas),
                None => Mode::Add,
            };
            let replies = self.ask(&[guard(name, generation, guard_for, mode)], Twice::Fine).await?;
            match replies.first() {
                Some(Reply::Refused | Reply::Absent) => {}
                reply => return Ok(Record::new(None, token(generation, self.numbered(reply)?))),
            }
        }
        Err(self.unsettled())
    }

    pub(crate) async fn guard(&self, name: &Name, guard_for: Duration) -> Result<Token> {
        let mut generation = self.guess(&name.generation).await?;
        for _ in 0..ATTEMPTS {
            let commands = [guard(name, generation, guard_for, Mode::Always), get(&name.generation)];
            let replies = self.ask(&commands, Twice::Fine).await?;
            let cas = self.numbered(replies.first())?;
            match self.note(&name.generation, replies.get(1)) {
                Some(current) if current == generation => return Ok(token(generation, cas)),
                Some(current) => generation = current,
                None => generation = self.generation(&name.generation).await?,
            }
        }
        Err(self.unsettled())
    }

    pub(crate) async fn put_if(
        &self,
        name: &Name,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        let Some((generation, cas)) = parts(token) else { return Ok(PutIf::Refused) };
        let length = bytes.len();
        if let Err(too_large) = self.check_size(name, length as u64) {
            return Err(self.refuse(name, Some(cas), too_large).await);
        }
        // Under the token's generation: if that has ended, what is written is dead.
        let commands = [set(name, generation, bytes, expires_at, Mode::Cas(cas)), get(&name.generation)];
        let replies = self.ask(&commands, Twice::No).await?;
        match replies.first() {
            Some(Reply::Refused | Reply::Absent) => Ok(PutIf::Refused),
            reply => {
                if let Err(error) = self.stored(reply, length) {
                    return Err(self.refuse(name, Some(cas), error).await);
                }
                let is_current = self.note(&name.generation, replies.get(1)) == Some(generation);
                Ok(if is_current { PutIf::Done } else { PutIf::Refused })
            }
        }
    }

    /// Reads the number from the reply to a put.
    fn numbered(&self, reply: Option<&Reply>) -> Result<u64> {
        self.stored(reply, 0)?;
        match reply {
            Some(Reply::Done { cas: Some(cas) }) => Ok(*cas),
            _ => {
                let message =
                    format!("memcached at {} gives what it stores no number; update it", self.address);
                Err(Error::new(ErrorKind::Config, message))
            }
        }
    }
}

/// A guard lasts twice as long as asked for: so one that is found has, as a rule, as much left as the next one asks
/// for, and need not be touched, which memcached does whatever is there by then.
fn guard(name: &Name, generation: Generation, guard_for: Duration, mode: Mode) -> Command {
    let span = guard_for.saturating_mul(2).max(Duration::from_secs(1));
    let (item, head) = (name.item.clone(), item::head(generation, None));
    Command::Set(Set { item, head, value: Bytes::new(), flags: GUARD, exptime: item::exptime_of(span), mode })
}

fn token(generation: Generation, cas: u64) -> Token {
    let mut token = BytesMut::with_capacity(16);
    token.put_u64(generation.0);
    token.put_u64(cas);
    Token::new(token.freeze())
}

fn parts(token: &Token) -> Option<(Generation, u64)> {
    let both = u128::from_be_bytes(token.as_bytes().try_into().ok()?);
    Some((Generation(u64::try_from(both >> 64).ok()?), u64::try_from(both & u128::from(u64::MAX)).ok()?))
}
