//! The scene `mixed`, as who starts the nodes sees it.

use crate::Result;
use crate::judge::{judge, latest};
use crate::nodes::Node;
use crate::options::{Call, Options};
use crate::progress::Progress;
use crate::rows::{self, Request, Wish};
use crate::server::Server;
use crate::tally::{Tally, Way, now};
use larder::{Clock, SystemClock};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long copies in memory may be served that nobody has confirmed.
const BOUND: Duration = Duration::from_secs(1);
/// How long the server is away.
const AWAY: usize = 1;
/// How long one node stands still.
const STILL: usize = 3;

pub(crate) async fn play(options: &Options) -> Result<bool> {
    let server = Server::start(options.server);
    let (address, requests) = rows::serve().await?;
    tokio::spawn(keep(requests, options.keys));
    let url = server.url();
    let call = Call { scene: "mixed", url: &url, rows: &address };
    let begin = now();
    let mut nodes = Vec::new();
    for number in 0..options.processes {
        nodes.push(Node::start(options.of_node(number, call))?);
    }
    nodes.iter_mut().try_for_each(Node::is_ready)?;

    let mut progress = Progress::new("seconds", options.seconds);
    let (outage, stop) = (options.seconds / 3, 2 * options.seconds / 3);
    for second in 1..=options.seconds {
        SystemClock.sleep(Duration::from_secs(1)).await;
        progress.reached(second);
        match second {
            _ if second == outage => server.process().kill(),
            _ if second == outage + AWAY => server.process().restart(),
            _ if second == stop => nodes[1].signal("STOP")?,
            _ if second == stop + STILL => nodes[1].signal("CONT")?,
            _ => {}
        }
    }
    drop(progress);
    nodes.iter_mut().for_each(Node::dismiss);
    let mut tally = Tally::default();
    for node in &mut nodes {
        tally.add(&node.end()?)?;
    }
    Ok(report(options, &tally, begin))
}

/// Answers what nodes ask of the rows.
async fn keep(mut requests: mpsc::Receiver<Request>, keys: u32) {
    let mut versions = vec![1; keys as usize];
    while let Some(Request { wish, row, answer, .. }) = requests.recv().await {
        let version = &mut versions[row as usize];
        *version += u64::from(wish == Wish::Change);
        // Who asked may have been killed.
        let _ = answer.send(*version);
    }
}

/// Prints what came of it. Returns whether it is as it has to be.
fn report(options: &Options, tally: &Tally, begin: u64) -> bool {
    let counts = &tally.counts;
    let outdated = judge(tally, u64::try_from(BOUND.as_micros()).expect("it is short"));
    let latest = latest(tally);
    let millis =
        |way: Way| format!("{:.1} ms", Duration::from_micros(latest[way as usize]).as_secs_f64() * 1e3);
    println!(
        "{}, {} processes, {} s; the server killed and restarted, one process stopped for {STILL} s",
        options.server.name(),
        options.processes,
        options.seconds
    );
    println!("reads                                {:>12}", counts.reads);
    println!("  of them answered by memory         {:>12}", counts.from_memory);
    println!("loads                                {:>12}", counts.loads);
    println!("invalidations                        {:>12}", counts.invalidations);
    println!("  beside them, failed and told so    {:>12}", counts.failed);
    println!("versions that were seen              {:>12}", tally.read.len());
    println!("latest outdated read, in the store   {:>12}", millis(Way::Far));
    println!("  in memory                          {:>12}", millis(Way::Near));
    println!("  of pages                           {:>12}", millis(Way::Page));
    println!("outdated reads beyond the bound      {:>12}", outdated.len());
    println!("reads that failed                    {:>12}", counts.lost);
    for one in outdated.iter().take(10) {
        eprintln!(
            "{:?} of row {}: version {} was read {:?} after a newer one was invalidated, {:?} after the beginning",
            one.way,
            one.row,
            one.version,
            Duration::from_micros(one.after),
            Duration::from_micros(one.start.saturating_sub(begin))
        );
    }
    outdated.is_empty() && counts.lost == 0 && counts.from_memory > 0 && counts.invalidations > 0
}
