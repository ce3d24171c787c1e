//! Commands, with records as arguments.

use crate::expiry::Lasts;
use crate::record::HEADER;
use redis::{Cmd, RedisWrite, ToRedisArgs, cmd};
use std::io::Write;

/// A record as one argument: its header, and what was put.
pub(crate) struct Record<'a>(pub(crate) &'a [u8; HEADER], pub(crate) &'a [u8]);

impl ToRedisArgs for Record<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        // Into memory, where writing cannot fail.
        let _ = argument.write_all(self.0).and_then(|()| argument.write_all(self.1));
    }
}

impl redis::ToSingleRedisArg for Record<'_> {}

pub(crate) fn get(key: &str) -> Cmd {
    let mut get = Cmd::with_capacity(2, 3 + key.len());
    get.arg("GET").arg(key);
    get
}

/// A put; of what is over already, a removal.
pub(crate) fn put(key: &str, record: &Record<'_>, lasts: Lasts) -> Cmd {
    let mut put = Cmd::with_capacity(4, 32 + key.len() + HEADER + record.1.len());
    match lasts {
        Lasts::ForEver => put.arg("SET").arg(key).arg(record),
        Lasts::Millis(millis) => put.arg("PSETEX").arg(key).arg(millis).arg(record),
        Lasts::Over => put.arg("UNLINK").arg(key),
    };
    put
}

pub(crate) fn mget(keys: &[&str]) -> Cmd {
    let mut mget = cmd("MGET");
    for key in keys {
        mget.arg(*key);
    }
    mget
}

pub(crate) fn publish(channel: &str, message: &[u8]) -> Cmd {
    let mut publish = Cmd::with_capacity(3, 16 + channel.len() + message.len());
    publish.arg("PUBLISH").arg(channel).arg(message);
    publish
}

pub(crate) fn unlink(keys: &[impl AsRef<[u8]>]) -> Cmd {
    let mut unlink = cmd("UNLINK");
    for key in keys {
        unlink.arg(key.as_ref());
    }
    unlink
}
