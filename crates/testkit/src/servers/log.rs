//! What a server has written.

use parking_lot::{Condvar, Mutex};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// As many lines are remembered.
const LINES: usize = 1_000;
/// A line that does not come in this time does not come. Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last lines of one run of a server. Clones are the same log.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Held to read what is there, and never to wait for more.
    written: Mutex<Written>,
    grown: Condvar,
}

#[derive(Debug)]
struct Written {
    output: File,
    lines: VecDeque<String>,
    /// What came behind the last end of a line.
    rest: Vec<u8>,
    ended: bool,
}

impl Log {
    /// Reads all that a server writes, on a thread of its own: a server whose pipe is full would stand still.
    pub(super) fn of(output: impl Into<OwnedFd>) -> Self {
        let output = output.into();
        let watched = output.try_clone().expect("there are enough files");
        let (output, lines, rest) = (File::from(output), VecDeque::new(), Vec::new());
        let written = Mutex::new(Written { output, lines, rest, ended: false });
        let log = Log(Arc::new(Inner { written, grown: Condvar::new() }));
        let reader = log.clone();
        let read = move || {
            while !reader.0.written.lock().ended {
                is_readable(&watched, None);
                reader.read();
            }
        };
        let thread = std::thread::Builder::new().name("larder-server-log".into()).spawn(read);
        thread.expect("a thread can be started");
        log
    }

    /// Waits for a line that contains `text`, and returns whether there is one. There is none if the server ends
    /// before, or writes nothing of the kind for a minute.
    pub(super) fn wait_for(&self, text: &str) -> bool {
        let mut written = self.0.written.lock();
        let found = |written: &Written| written.lines.iter().any(|line| line.contains(text));
        let wait = |written: &mut Written| !written.ended && !found(written);
        self.0.grown.wait_while_for(&mut written, wait, PATIENCE);
        found(&written)
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        self.text().to_lowercase().contains(&text.to_lowercase())
    }

    /// All that the server had written when this was called, also what the thread has not got yet.
    pub(super) fn text(&self) -> String {
        self.read();
        self.0.written.lock().lines.iter().flat_map(|line| [line, "\n"]).collect()
    }

    /// Reads what is there.
    fn read(&self) {
        let mut written = self.0.written.lock();
        while !written.ended && is_readable(&written.output, Some(&Timespec::default())) {
            written.read();
        }
        self.0.grown.notify_all();
    }
}

impl Written {
    fn read(&mut self) {
        let mut buffer = [0; 1 << 14];
        match self.output.read(&mut buffer) {
            Ok(length @ 1..) => {
                self.rest.extend_from_slice(&buffer[..length]);
                while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<_> = self.rest.drain(..=end).collect();
                    self.push(&line);
                }
            }
            Ok(0) | Err(_) => {
                let line = std::mem::take(&mut self.rest);
                self.push(&line);
                self.ended = true;
            }
        }
    }

    fn push(&mut self, line: &[u8]) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
    }
}

/// Waits until something can be read, if only the end; or with a time, until that is over.
fn is_readable(output: &impl AsFd, patience: Option<&Timespec>) -> bool {
    let mut files = [PollFd::new(output, PollFlags::IN)];
    poll(&mut files, patience).is_ok_and(|readable| readable > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Write, pipe};

    #[test]
    fn a_line_that_will_not_come_is_told_when_the_server_ends() {
        let (output, mut server) = pipe().unwrap();
        let log = Log::of(output);

        server.write_all(b"starting\nready to serve\n").unwrap();
        assert!(log.wait_for("ready"));
        server.write_all(b"stop").unwrap();
        drop(server);
        assert!(!log.wait_for("stopped"));
        assert!(log.wait_for("stop"));
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let (output, mut server) = pipe().unwrap();
        let log = Log::of(output);
        for number in 0..=LINES {
            writeln!(server, "line {number}.").unwrap();
        }

        assert!(!log.contains("line 0."));
        assert!(log.contains("LINE 1."));
    }

    #[test]
    fn what_was_written_before_is_there_at_once() {
        let (output, mut server) = pipe().unwrap();
        let log = Log::of(output);
        for number in 0..LINES {
            writeln!(server, "line {number}.").unwrap();
            assert!(log.contains(&format!("line {number}.")));
        }
    }
}
