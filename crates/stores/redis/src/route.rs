//! Which server a command goes to.

use crate::cluster::Cluster;
use crate::line::{Failure, Line, Why};
use crate::scripts::Script;
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

    /// Sends a command, with about so many `bytes`, to the server that has its key. It is made again if it is sent again.
    pub(crate) async fn ask(
        &self,
        key: &str,
        make: impl Fn() -> Cmd + Send + Sync,
        bytes: usize,
        repeat: Repeat,
    ) -> Result<Value> {
        let answered = self.send(key, make, bytes, repeat, self.deadline()).await;
        answered.map_err(|failure| failure.error)
    }

    /// Runs a script on the server that has the key, and has it learn the script if need be. `add` adds its arguments.
    pub(crate) async fn run(
        &self,
        script: &Script,
        key: &str,
        add: impl Fn(&mut Cmd) + Send + Sync,
        bytes: usize,
        repeat: Repeat,
    ) -> Result<Value> {
        let deadline = self.deadline();
        let command = |name, script: &str| {
            let mut cmd = redis::cmd(name);
            add(cmd.arg(script).arg(1).arg(key));
            cmd
        };
        match self.send(key, || command("EVALSHA", script.hash()), bytes, repeat, deadline).await {
            Err(Failure { why: Why::UnknownScript, .. }) => {
                self.send(key, || command("EVAL", script.text), bytes, repeat, deadline).await
            }
            answered => answered,
        }
        .map_err(|failure| failure.error)
    }

    async fn send(
        &self,
        key: &str,
        make: impl Fn() -> Cmd + Send + Sync,
        bytes: usize,
        repeat: Repeat,
        deadline: Time,
    ) -> std::result::Result<Value, Failure> {
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
