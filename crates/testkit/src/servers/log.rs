//! What a server has written.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

/// As many lines are remembered.
const LINES: usize = 1_000;
/// A line that does not come in this time does not come. Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last lines of one run of a server. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Held to add a line or to look for one.
    written: Mutex<Written>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Written {
    lines: VecDeque<String>,
    ended: bool,
}

impl Log {
    /// Reads all that a server writes, on a thread of its own: a server whose pipe is full would stand still.
    pub(super) fn of(output: impl Read + Send + 'static) -> Self {
        let log = Log::default();
        let writer = log.clone();
        let read = move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                writer.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
            writer.end();
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
        let text = text.to_lowercase();
        self.0.written.lock().lines.iter().any(|line| line.to_lowercase().contains(&text))
    }

    pub(super) fn text(&self) -> String {
        self.0.written.lock().lines.iter().flat_map(|line| [line, "\n"]).collect()
    }

    fn push(&self, line: String) {
        let mut written = self.0.written.lock();
        if written.lines.len() == LINES {
            written.lines.pop_front();
        }
        written.lines.push_back(line);
        drop(written);
        self.0.grown.notify_all();
    }

    fn end(&self) {
        self.0.written.lock().ended = true;
        self.0.grown.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_will_not_come_is_told_when_the_server_ends() {
        let log = Log::of(&b"starting\nready to serve\n"[..]);

        assert!(log.wait_for("ready"));
        assert!(!log.wait_for("stopped"));
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let log = Log::default();
        for number in 0..=LINES {
            log.push(format!("line {number}."));
        }

        assert!(!log.contains("line 0."));
        assert!(log.contains("LINE 1."));
    }
}
