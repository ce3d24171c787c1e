//! Processes that this one starts.

use crate::Result;
use anyhow::Context;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A process of this same program. It ends with its input, which ends with this process.
pub(crate) struct Node {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Node {
    pub(crate) fn start(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let says = BufReader::new(child.stdout.take().context("it is piped")?);
        Ok(Node { child, says })
    }

    /// Waits until it says that it is ready.
    pub(crate) fn is_ready(&mut self) -> Result<()> {
        let said = self.says()?;
        anyhow::ensure!(said == "ready", "a node said `{said}` where it was to be ready");
        Ok(())
    }

    /// The next line that it says.
    pub(crate) fn says(&mut self) -> Result<String> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Writes a line to its input.
    pub(crate) fn tell(&mut self, what: impl std::fmt::Display) -> Result<()> {
        Ok(writeln!(self.child.stdin.as_mut().context("it was not dismissed")?, "{what}")?)
    }

    /// Stops it where it is, or lets it go on, or kills it.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status()?;
        anyhow::ensure!(kill.success(), "the signal {name} could not be sent");
        Ok(())
    }

    /// Ends its input. Whatever it says from then on is what it has to tell.
    pub(crate) fn dismiss(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for its end, and returns what it said.
    pub(crate) fn end(&mut self) -> Result<String> {
        let mut told = String::new();
        self.says.read_to_string(&mut told)?;
        self.child.wait()?;
        Ok(told)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It has ended, unless something went wrong.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
