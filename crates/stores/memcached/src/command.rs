//! The commands that are used of the meta protocol, as they are written.

use bytes::{BufMut, Bytes, BytesMut};
use std::fmt::Write;

/// A value is copied behind its command up to this length, and else written for itself.
const COPIED: usize = 16 << 10;

/// What is asked of the server. Each has one reply, and the replies come in their order.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Returns the item with its flags, compare-and-set number, and seconds left.
    Get {
        item: Bytes,
    },
    Set(Set),
    Delete {
        item: Bytes,
        cas: Option<u64>,
    },
}

/// Stores an item and returns its compare-and-set number.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) item: Bytes,
    /// Written in front of the value.
    pub(crate) head: Bytes,
    pub(crate) value: Bytes,
    pub(crate) flags: u32,
    /// As memcached has it: seconds from now up to 30 days, else seconds since 1970; 0 for never, less for at once.
    pub(crate) exptime: i64,
    pub(crate) mode: Mode,
}

/// When a [`Set`] stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Always,
    /// If there is no such item.
    Add,
    /// If the item is still the one with this number.
    Cas(u64),
}

/// Returns what is to be written for `commands`.
pub(crate) fn encode(commands: &[Command]) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    let mut buffer = BytesMut::new();
    for command in commands {
        match command {
            Command::Get { item } => line(&mut buffer, "mg", item, format_args!(" v f c t")),
            Command::Delete { item, cas: None } => line(&mut buffer, "md", item, format_args!("")),
            Command::Delete { item, cas: Some(cas) } => {
                line(&mut buffer, "md", item, format_args!(" C{cas}"));
            }
            Command::Set(set) => {
                let Set { item, head, value, flags, exptime, mode } = set;
                let length = head.len() + value.len();
                match mode {
                    Mode::Always => {
                        line(&mut buffer, "ms", item, format_args!(" {length} F{flags} T{exptime} c"));
                    }
                    Mode::Add => {
                        line(&mut buffer, "ms", item, format_args!(" {length} F{flags} T{exptime} c ME"));
                    }
                    Mode::Cas(cas) => {
                        line(&mut buffer, "ms", item, format_args!(" {length} F{flags} T{exptime} c C{cas}"));
                    }
                }
                buffer.put_slice(head);
                if value.len() > COPIED {
                    chunks.push(buffer.split().freeze());
                    chunks.push(value.clone());
                } else {
                    buffer.put_slice(value);
                }
                buffer.put_slice(b"\r\n");
            }
        }
    }
    chunks.push(buffer.freeze());
    chunks
}

fn line(buffer: &mut BytesMut, command: &str, item: &[u8], rest: std::fmt::Arguments<'_>) {
    buffer.put_slice(command.as_bytes());
    buffer.put_u8(b' ');
    buffer.put_slice(item);
    // Writing to a buffer that grows cannot fail.
    let _ = buffer.write_fmt(rest);
    buffer.put_slice(b"\r\n");
}
