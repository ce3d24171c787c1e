//! A connection to one server.

use crate::command::{self, Command};
use crate::failure;
use crate::reply::{Replies, Reply};
use bytes::Bytes;
use larder_core::{Error, ErrorKind, Result};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A connection, and what the server said about itself when it was made.
pub(crate) struct Connection {
    writer: OwnedWriteHalf,
    replies: Replies<OwnedReadHalf>,
    pub(crate) item_size_max: u64,
}

impl Connection {
    /// Connects to `address`, and sees whether the server is one that we can use.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let failed = |error: io::Error| failure::of_connection(&error, address);
        let stream =
            TcpStream::connect(address).await.map_err(|error| failure::unreachable(error, address))?;
        stream.set_nodelay(true).map_err(failed)?;
        let (reader, writer) = stream.into_split();
        let mut connection = Connection { writer, replies: Replies::new(reader), item_size_max: 0 };
        connection.look(address).await?;
        Ok(connection)
    }

    async fn look(&mut self, address: &str) -> Result<()> {
        let failed = |error: io::Error| failure::of_connection(&error, address);
        self.writer.write_all(b"version\r\nstats settings\r\n").await.map_err(failed)?;
        let version = self.replies.line().await.map_err(failed)?;
        let Some(version) = version.strip_prefix("VERSION ") else {
            return Err(failure::unwilling(&version, address));
        };
        if !has_meta_commands(version) {
            let message = format!("memcached at {address} is of version {version}; 1.6 or newer is needed");
            return Err(Error::new(ErrorKind::Config, message));
        }
        loop {
            let line = self.replies.line().await.map_err(failed)?;
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("STAT"), Some("item_size_max"), Some(bytes)) => {
                    self.item_size_max = bytes.parse().unwrap_or(0);
                }
                (Some("STAT"), Some("cas_enabled"), Some("no")) => {
                    let cure = "start it without the option -C";
                    let message = format!("memcached at {address} cannot compare and set; {cure}");
                    return Err(Error::new(ErrorKind::Config, message));
                }
                (Some("STAT"), ..) => {}
                (Some("END"), ..) => return Ok(()),
                _ => return Err(failure::unwilling(&line, address)),
            }
        }
    }

    /// Asks all of `commands` in one round trip. After an error the connection is of no use any more.
    pub(crate) async fn ask(&mut self, commands: &[Command], most: u64) -> io::Result<Vec<Reply>> {
        let Connection { writer, replies, .. } = self;
        let mut writing = pin!(write(writer, command::encode(commands)));
        let mut reading = pin!(read(replies, commands.len(), most));
        let mut is_written = false;
        // Both at a time: a server that cannot get rid of its replies takes no more commands.
        poll_fn(|cx| {
            if !is_written && let Poll::Ready(written) = writing.as_mut().poll(cx) {
                written?;
                is_written = true;
            }
            match reading.as_mut().poll(cx) {
                Poll::Ready(Ok(_)) if !is_written => {
                    Poll::Ready(Err(io::Error::other("memcached replied to what was not asked yet")))
                }
                read => read,
            }
        })
        .await
    }
}

async fn write(writer: &mut OwnedWriteHalf, chunks: Vec<Bytes>) -> io::Result<()> {
    for chunk in chunks {
        writer.write_all(&chunk).await?;
    }
    Ok(())
}

async fn read(replies: &mut Replies<OwnedReadHalf>, count: usize, most: u64) -> io::Result<Vec<Reply>> {
    let mut read = Vec::with_capacity(count);
    for _ in 0..count {
        read.push(replies.next(most).await?);
    }
    Ok(read)
}

fn has_meta_commands(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(1), Some(6))
}
