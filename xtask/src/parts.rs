//! A run of several parts: each is tried whatever became of the others, and the end says which failed.

use std::io::stdout;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

#[derive(Default)]
pub(crate) struct Parts {
    ended: Vec<Part>,
}

struct Part {
    name: String,
    outcome: Outcome,
    took: Duration,
}

enum Outcome {
    Ok,
    Failed(String),
    Skipped(String),
}

impl Parts {
    /// Runs a command. All that it prints goes to standard output, its closing line included: nextest prints
    /// that one to standard error, where those who read a log for it miss it.
    pub(crate) fn command(&mut self, name: &str, mut command: Command) {
        let line: Vec<_> = std::iter::once("cargo".into())
            .chain(command.get_args().map(|argument| argument.to_string_lossy()))
            .collect();
        self.part(name, &line.join(" "), || match command.stderr(stdout()).status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.to_string()),
            Err(error) => Err(format!("cannot be started: {error}")),
        });
    }

    /// Runs a check of our own, which returns what is wrong.
    pub(crate) fn check(&mut self, name: &str, check: impl FnOnce() -> Result<(), String>) {
        self.part(name, "", check);
    }

    /// Notes a part that cannot run here, and what would help.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n==> {name}: skipped: {why}");
        let outcome = Outcome::Skipped(why.to_owned());
        self.ended.push(Part { name: name.to_owned(), outcome, took: Duration::ZERO });
    }

    /// Prints a line for each part, and returns failure if any failed.
    pub(crate) fn finish(self, what: &str) -> ExitCode {
        println!("\n==> {what}");
        for Part { name, outcome, took } in &self.ended {
            let seconds = took.as_secs_f64();
            match outcome {
                Outcome::Ok => println!("    ok       {name} ({seconds:.1} s)"),
                Outcome::Failed(why) => println!("    FAILED   {name} ({seconds:.1} s): {why}"),
                Outcome::Skipped(why) => println!("    skipped  {name}: {why}"),
            }
        }
        let failed = self.ended.iter().filter(|part| matches!(part.outcome, Outcome::Failed(_))).count();
        match failed {
            0 => println!("{what}: ok"),
            _ => println!("{what}: FAILED, {failed} of {} parts", self.ended.len()),
        }
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn part(&mut self, name: &str, line: &str, work: impl FnOnce() -> Result<(), String>) {
        println!("\n==> {name}{}{line}", if line.is_empty() { "" } else { ": " });
        let started = now();
        let outcome = work().map_or_else(Outcome::Failed, |()| Outcome::Ok);
        self.ended.push(Part { name: name.to_owned(), outcome, took: started.elapsed() });
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a part took is for people; nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}
