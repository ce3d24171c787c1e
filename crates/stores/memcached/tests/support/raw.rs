//! A connection past the store, to look at what it stores and to get in its way.

use larder_testkit::servers;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

pub(crate) struct Raw(BufReader<TcpStream>);

impl Raw {
    pub(crate) fn connect(server: &servers::Memcached) -> Self {
        Raw(BufReader::new(TcpStream::connect(("127.0.0.1", server.port())).unwrap()))
    }

    /// Sends a command and returns the first line of its answer.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(command.as_bytes()).unwrap();
        self.0.get_mut().write_all(b"\r\n").unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Returns what is in an item, if it is there.
    pub(crate) fn item(&mut self, name: &str) -> Option<Vec<u8>> {
        let found = self.ask(&format!("mg {name} v"));
        let length: usize = found.strip_prefix("VA ")?.trim().parse().unwrap();
        let mut item = vec![0; length + 2];
        self.0.read_exact(&mut item).unwrap();
        item.truncate(length);
        Some(item)
    }

    /// Returns the seconds that an item has left; `None` for ever.
    pub(crate) fn left(&mut self, name: &str) -> Option<u64> {
        let found = self.ask(&format!("mg {name} t"));
        found.strip_prefix("HD t").unwrap().parse().ok()
    }

    /// Returns a number from the statistics.
    pub(crate) fn statistic(&mut self, name: &str) -> u64 {
        let mut line = self.ask("stats");
        let mut value = 0;
        while line != "END" {
            if let Some(number) = line.strip_prefix(&format!("STAT {name} ")) {
                value = number.parse().unwrap();
            }
            line = self.line();
        }
        value
    }
}
