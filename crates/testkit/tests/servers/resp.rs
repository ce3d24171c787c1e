//! As much of Redis's protocol as these tests speak.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::TcpStream;

/// A connection to a Redis server.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(port: u16) -> Self {
        Client(BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap()))
    }

    /// Returns the first line of the answer to a command, or for a string the string.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.try_ask(command).unwrap()
    }

    pub(crate) fn try_ask(&mut self, command: &str) -> Result<String> {
        self.send(command)?;
        self.receive()
    }

    pub(crate) fn send(&mut self, command: &str) -> Result<()> {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes())
    }

    pub(crate) fn receive(&mut self) -> Result<String> {
        let line = self.line()?;
        match line.strip_prefix('$') {
            Some("-1") | None => Ok(line),
            Some(length) => {
                let mut text = vec![0; length.parse::<usize>().unwrap() + 2];
                std::io::Read::read_exact(&mut self.0, &mut text)?;
                Ok(String::from_utf8(text).unwrap().trim_end().to_owned())
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
