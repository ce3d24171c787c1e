//! The scene `leader`, as who starts the nodes sees it.

use crate::Result;
use crate::nodes::Node;
use crate::options::{Call, Options};
use crate::rows::{self, Request};
use crate::server::Server;
use anyhow::Context;
use larder::{Clock, SystemClock};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

pub(crate) const LEASE: Duration = Duration::from_secs(2);
/// What a load takes here, so that all others have time to ask.
const LOAD: Duration = Duration::from_millis(500);

pub(crate) async fn play(options: &Options) -> Result<bool> {
    let server = Server::start(options.server);
    let (address, mut requests) = rows::serve().await?;
    let url = server.url();
    let call = Call { scene: "leader", url: &url, rows: &address };
    let mut nodes = Vec::new();
    for number in 0..options.processes {
        nodes.push(Node::start(options.of_node(number, call))?);
    }
    nodes.iter_mut().try_for_each(Node::is_ready)?;
    println!("{}, {} processes ask for one key, lease {LEASE:?}", options.server.name(), nodes.len());

    ask(&mut nodes, 1)?;
    let first = next(&mut requests).await?;
    SystemClock.sleep(LOAD).await;
    let _ = first.answer.send(36);
    let alike = answers(&mut nodes, 36)?;
    let more = beside(&mut requests);
    println!("loads                                {:>12}", 1 + more);
    let one_load = alike && more == 0;

    ask(&mut nodes, 2)?;
    let first = next(&mut requests).await?;
    SystemClock.sleep(LOAD).await;
    // In the middle of its load; it is heard of no more.
    drop(nodes.remove(usize::try_from(first.node)?));
    let killed = SystemClock.now_exact();
    let second = next(&mut requests).await?;
    let taken_over = SystemClock.now_exact().since(killed);
    SystemClock.sleep(LOAD).await;
    let _ = second.answer.send(37);
    let alike = answers(&mut nodes, 37)?;
    let more = beside(&mut requests);
    println!("loads, the first one's process killed{:>12}", 2 + more);
    println!("taken over after                     {:>12}", format!("{} ms", taken_over.as_millis()));
    nodes.iter_mut().for_each(Node::dismiss);
    // What is left of the lease, and what the way there takes.
    Ok(one_load && alike && more == 0 && taken_over < LEASE + LOAD)
}

fn ask(nodes: &mut [Node], row: u32) -> Result<()> {
    nodes.iter_mut().try_for_each(|node| node.tell(row))
}

/// The next load that a node asks for.
async fn next(requests: &mut Receiver<Request>) -> Result<Request> {
    requests.recv().await.context("the rows are served as long as this runs")
}

/// How many loads there were beside those that were answered.
fn beside(requests: &mut Receiver<Request>) -> usize {
    std::iter::from_fn(|| requests.try_recv().ok()).count()
}

/// Whether all nodes have got this value.
fn answers(nodes: &mut [Node], version: u64) -> Result<bool> {
    let mut alike = true;
    for node in nodes {
        alike &= node.says()? == version.to_string();
    }
    Ok(alike)
}
