//! The replies, as they are read. A server is not trusted: nothing that it says takes more memory than it sends, or
//! than is allowed.

use bytes::{Buf, Bytes, BytesMut};
use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt};

/// No line of a reply is longer.
const LONGEST_LINE: usize = 2_048;
/// So much memory is taken for a value before it is there.
const BELIEVED: usize = 1 << 20;

/// What the server says to a command.
#[derive(Debug)]
pub(crate) enum Reply {
    Found(Found),
    /// It is as asked for: stored, with this number if one was asked for, or deleted.
    Done {
        cas: Option<u64>,
    },
    /// There is no such item.
    Absent,
    /// The item is not the one that the command was for, or is there already.
    Refused,
    /// The command failed on the server; the connection goes on.
    Failed(String),
}

/// An item.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) value: Value,
    pub(crate) flags: u32,
    pub(crate) cas: u64,
    /// Seconds left, unless it lasts.
    pub(crate) left: Option<u64>,
}

#[derive(Debug)]
pub(crate) enum Value {
    Read(Bytes),
    /// It has so many bytes, which are too many.
    TooLarge(u64),
}

/// The bytes that were read and not yet understood.
pub(crate) struct Replies<R> {
    source: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Replies<R> {
    pub(crate) fn new(source: R) -> Self {
        Replies { source, buffer: BytesMut::new() }
    }

    /// Reads the reply to one command. A value of more than `most` bytes is read past.
    pub(crate) async fn next(&mut self, most: u64) -> Result<Reply> {
        let line = self.line().await?;
        let mut words = line.split(' ');
        match words.next().unwrap_or_default() {
            "VA" => {
                let length = number(words.next())?;
                let mut found = Found { value: Value::TooLarge(length), flags: 0, cas: 0, left: None };
                for word in words {
                    let Some((flag, value)) = word.split_at_checked(1) else { continue };
                    match flag {
                        "f" => found.flags = number(Some(value))?,
                        "c" => found.cas = number(Some(value))?,
                        // Minus one for an item that lasts.
                        "t" => found.left = number(Some(value)).ok(),
                        _ => {}
                    }
                }
                if length <= most {
                    found.value = Value::Read(self.block(length).await?);
                } else {
                    self.skip(length).await?;
                }
                self.end_of_block().await?;
                Ok(Reply::Found(found))
            }
            "HD" => {
                let cas =
                    words.find_map(|word| word.strip_prefix('c')).map(|cas| number(Some(cas))).transpose()?;
                Ok(Reply::Done { cas })
            }
            "EN" | "NF" => Ok(Reply::Absent),
            "NS" | "EX" => Ok(Reply::Refused),
            "SERVER_ERROR" => Ok(Reply::Failed(line)),
            // What the server did not understand, and where it goes on, nobody knows.
            _ => Err(Error::other(format!("memcached says `{line}`"))),
        }
    }

    /// Reads a line, without its end.
    pub(crate) async fn line(&mut self) -> Result<String> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(searched + end + 1);
                let line = line.strip_suffix(b"\r\n").ok_or_else(|| garbled("a line does not end"))?;
                return std::str::from_utf8(line)
                    .map(str::to_owned)
                    .map_err(|_| garbled("a line is no text"));
            }
            searched = self.buffer.len();
            if searched > LONGEST_LINE {
                return Err(garbled("a line does not end"));
            }
            self.more().await?;
        }
    }

    /// Reads so many bytes into memory of their own: a slice of the buffer would keep all of it.
    async fn block(&mut self, length: u64) -> Result<Bytes> {
        let length = usize::try_from(length).map_err(|_| garbled("a value is longer than memory"))?;
        let here = length.min(self.buffer.len());
        let mut block = Vec::with_capacity(length.min(BELIEVED.max(here)));
        block.extend_from_slice(&self.buffer[..here]);
        self.buffer.advance(here);
        let rest = (length - here) as u64;
        if rest > 0 && (&mut self.source).take(rest).read_to_end(&mut block).await? as u64 != rest {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(block.into())
    }

    async fn skip(&mut self, mut length: u64) -> Result<()> {
        loop {
            let here =
                usize::try_from(length).map_or(self.buffer.len(), |length| length.min(self.buffer.len()));
            self.buffer.advance(here);
            length -= here as u64;
            if length == 0 {
                return Ok(());
            }
            self.more().await?;
        }
    }

    async fn end_of_block(&mut self) -> Result<()> {
        while self.buffer.len() < 2 {
            self.more().await?;
        }
        if self.buffer.split_to(2) == b"\r\n"[..] { Ok(()) } else { Err(garbled("a value does not end")) }
    }

    async fn more(&mut self) -> Result<()> {
        self.buffer.reserve(4 << 10);
        match self.source.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn number<N: std::str::FromStr>(word: Option<&str>) -> Result<N> {
    word.and_then(|word| word.parse().ok()).ok_or_else(|| garbled("a number is none"))
}

fn garbled(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("memcached does not speak its protocol: {what}"))
}
