//! One run of a server, under the eyes of a shell that ends it.

use super::folder::Folder;
use super::log::Log;
use super::process::Plan;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};

const SCRIPT: &str = include_str!("watchdog.sh");

/// A running server. Dropped, the server has ended and its folder is gone; and if there is no time for that, because
/// the test process is killed, the shell sees the end of its input.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStderr>,
    process: u32,
    log: Log,
}

/// What the shell is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Stops the server's processes where they are.
    Stop,
    /// Lets them go on.
    Continue,
    /// Ends them, which also ends those that are stopped.
    Kill,
}

impl Watchdog {
    /// Starts what is planned.
    pub(super) fn start(plan: &Plan, folder: &Folder) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "larder-watchdog"])
            .arg(folder.path())
            .args([plan.last_signal, plan.after])
            .arg(&plan.program)
            .args(&plan.arguments)
            .envs(plan.environment.iter().copied())
            .current_dir(folder.path())
            // A key that ends the tests must not end the shell before it has done its work.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`sh` starts");
        let orders = shell.stdin.take();
        let mut answers = BufReader::new(shell.stderr.take().expect("it is piped"));
        let log = Log::of(shell.stdout.take().expect("it is piped"));
        let process = read_answer(&mut answers).parse().expect("the first answer is a process");
        Watchdog { shell, orders, answers, process, log }
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn process(&self) -> u32 {
        self.process
    }

    /// Has an order carried out. It has taken effect when this returns.
    pub(super) fn order(&mut self, order: Order) {
        self.write(match order {
            Order::Stop => "STOP",
            Order::Continue => "CONT",
            Order::Kill => "KILL",
        });
        read_answer(&mut self.answers);
    }

    /// Ends the server, and leaves its folder to another run.
    pub(super) fn leave(mut self) {
        self.order(Order::Kill);
        self.write("LEAVE");
    }

    fn write(&mut self, line: &str) {
        let orders = self.orders.as_mut().expect("it is taken when this is dropped");
        writeln!(orders, "{line}").expect("the watchdog of a server reads orders as long as it may get some");
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.shell.wait();
    }
}

fn read_answer(answers: &mut impl BufRead) -> String {
    let mut answer = String::new();
    answers.read_line(&mut answer).expect("the watchdog of a server answers");
    answer.trim_end().to_owned()
}
