//! Which server a command goes to.

use crate::cluster::Cluster;
use crate::line::{Failure, Line, Reply, Why};
use crate::scripts::Script;
use futures::future::join_all;
use larder_core::{Clock, Result, SystemClock, Time};
use redis::{Cmd, Value};
use std::sync::Arc;
use std::time::Duration;

/// One server, or as many as a cluster has.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) servers: Servers,
    pub(crate) timeout: Duration,
}

#[derive(Debug)]
pub(crate) enum Servers {
    One(Line),
    Cluster(Arc<Cluster>),
}

/// Whether a command that may have been carried out can be sent again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Repeat {
    /// It does the same if it is done twice.
    Harmless,
    Never,
}

impl Repeat {
    /// Whether it is sent again after this.
    pub(crate) fn allows(self, why: &Why) -> bool {
        *why == Why::NotSent || self == Repeat::Harmless && *why == Why::Lost
    }
}

/// A command that can be sent twice, for the server that has `key`.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) key: &'a str,
    pub(crate) bytes: usize,
    /// Makes it; a script with its whole text, if that is wanted.
    pub(crate) make: &'a (dyn Fn(Text) -> Cmd + Send + Sync),
}

/// How a script is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Text {
    Hash,
    Whole,
}

impl Route {
    /// What the servers are called in errors.
    pub(crate) fn place(&self) -> &str {
        match &self.servers {
            Servers::One(line) => line.place(),
            Servers::Cluster(cluster) => cluster.place(),
        }
    }

    /// When a call that begins now must have its answer.
    pub(crate) fn deadline(&self) -> Time {
        SystemClock.now_exact().after(self.timeout)
    }

    /// Whether what is asked together is answered in that order.
    pub(crate) fn keeps_order(&self) -> bool {
        matches!(self.servers, Servers::One(_))
    }

    /// Sends a command, with about so many `bytes`, to the server that has its key. It is made again if it is sent again.
    pub(crate) async fn ask(
        &self,
        key: &str,
        make: impl Fn() -> Cmd + Send + Sync,
        bytes: usize,
        repeat: Repeat,
    ) -> Result<Value> {
        let answered = self.send(key, make, bytes, repeat, self.deadline()).await;
        answered.map(|reply| reply.value).map_err(|failure| failure.error)
    }

    /// Runs a script on the server that has the keys, and has it learn the script if need be. `add` adds its arguments.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[&str],
        add: impl Fn(&mut Cmd) + Send + Sync,
        bytes: usize,
        repeat: Repeat,
    ) -> Result<Value> {
        let deadline = self.deadline();
        let make = |text| {
            let mut cmd = script.cmd(text, keys);
            add(&mut cmd);
            cmd
        };
        let key = keys.first().copied().unwrap_or_default();
        match self.send(key, || make(Text::Hash), bytes, repeat, deadline).await {
            Err(Failure { why: Why::UnknownScript, .. }) => {
                self.send(key, || make(Text::Whole), bytes, repeat, deadline).await
            }
            answered => answered,
        }
        .map(|reply| reply.value)
        .map_err(|failure| failure.error)
    }

    /// Asks all of it at the same time, and again what was lost. One server carries it out in the order in which it stands
    /// here, repeated or not.
    pub(crate) async fn ask_all(&self, asks: &[Ask<'_>]) -> Vec<Result<Reply>> {
        let deadline = self.deadline();
        let answers = match &self.servers {
            Servers::One(line) => in_order(line, asks, deadline).await,
            Servers::Cluster(cluster) => {
                let answers = asks.iter().map(|ask| async move {
                    let make = |text| move || (ask.make)(text);
                    let hashed =
                        cluster.ask(ask.key, make(Text::Hash), ask.bytes, Repeat::Harmless, deadline);
                    match hashed.await {
                        Err(Failure { why: Why::UnknownScript, .. }) => {
                            let whole = make(Text::Whole);
                            cluster.ask(ask.key, whole, ask.bytes, Repeat::Harmless, deadline).await
                        }
                        answered => answered,
                    }
                });
                join_all(answers).await
            }
        };
        answers.into_iter().map(|answer| answer.map_err(|failure| failure.error)).collect()
    }

    /// Sends a command that any server takes, and that may be carried out twice: to the first that is there.
    pub(crate) async fn say_anywhere(
        &self,
        make: impl Fn() -> Cmd + Send + Sync,
        bytes: usize,
    ) -> Result<()> {
        let Servers::Cluster(cluster) = &self.servers else {
            return self.ask("", make, bytes, Repeat::Harmless).await.map(drop);
        };
        let deadline = self.deadline();
        let mut last = None;
        for node in cluster.masters(deadline).await? {
            match node.line.call(make(), bytes, deadline).await {
                Ok(_) => return Ok(()),
                Err(failure) if Repeat::Harmless.allows(&failure.why) => last = Some(failure.error),
                Err(failure) => return Err(failure.error),
            }
        }
        Err(last.unwrap_or_else(|| cluster.nobody_answered()))
    }

    async fn send(
        &self,
        key: &str,
        make: impl Fn() -> Cmd + Send + Sync,
        bytes: usize,
        repeat: Repeat,
        deadline: Time,
    ) -> std::result::Result<Reply, Failure> {
        let line = match &self.servers {
            Servers::Cluster(cluster) => return cluster.ask(key, make, bytes, repeat, deadline).await,
            Servers::One(line) => line,
        };
        match line.call(make(), bytes, deadline).await {
            // The server had closed a connection that was idle, say.
            Err(Failure { why: Why::Lost, .. }) if repeat == Repeat::Harmless => {
                line.call(make(), bytes, deadline).await
            }
            answered => answered,
        }
    }
}

/// If one was lost, all are asked again: the first must not come behind the second.
async fn in_order(line: &Line, asks: &[Ask<'_>], deadline: Time) -> Vec<std::result::Result<Reply, Failure>> {
    let (mut text, mut was_lost) = (Text::Hash, false);
    let bytes = asks.iter().map(|ask| ask.bytes).sum();
    loop {
        let cmds = asks.iter().map(|ask| (ask.make)(text)).collect();
        let answers = match line.call_in_order(cmds, bytes, deadline).await {
            Ok(answers) => answers,
            Err(failure) => return vec![Err(failure); asks.len()],
        };
        let any = |why| answers.iter().any(|answer| matches!(answer, Err(failure) if failure.why == why));
        if any(Why::UnknownScript) && text == Text::Hash {
            text = Text::Whole;
        } else if any(Why::Lost) && !was_lost {
            was_lost = true;
        } else {
            return answers;
        }
    }
}
