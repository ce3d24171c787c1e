//! What callers notice when the server behind a cache is killed and started again, over and over: nothing.
//!
//! A server is started, and callers read prices through a memory and that server while others change the prices. Every
//! few seconds the server is killed, is away for a second, and comes back empty (Redis, memcached) or with what it had
//! (PostgreSQL). At the end it must be that
//!
//! - no caller got a price that was outdated when it asked: one that a `remove` had taken away before,
//! - no caller got an error, for the database behind it all was well all the time,
//! - the server was used again after it had come back.
//!
//! It needs the server's program here: see `cargo run --release --example outages -- --help`.

#[path = "../quickstart/progress.rs"]
mod progress;

mod callers;
mod options;
mod prices;
mod report;
mod server;

use callers::Callers;
use larder::prelude::*;
use larder::{Clock, SystemClock};
use options::Options;
use prices::{Price, Prices};
use progress::Progress;
use report::Report;
use server::Server;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long the server is away each time.
const AWAY: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let options = match options::from_command_line() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime needs only memory and two threads");
    match runtime.block_on(run(&options)) {
        Ok(report) => {
            println!("{report}");
            if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> larder::Result<Report> {
    let server = Arc::new(Server::start(options.server));
    let cache: Cache<u32, Price> = Cache::new(Memory::new(options.keys / 2))
        .ttl(millis(500))
        .chain(
            Cache::new(server.connect().await?)
                .codec(Json)
                .namespace("prices")
                .ttl(minutes(5))
                .level_timeout(millis(500)),
        )
        .boxed();
    let prices = Arc::new(Prices::new(options.keys));
    let callers = Callers::start(&cache, &prices, options.callers);

    let mut progress = Progress::new("seconds", options.seconds);
    let mut hits = 0;
    for second in 1..=options.seconds {
        SystemClock.sleep(secs(1)).await;
        progress.reached(second);
        if options.is_time_for_an_outage(second) {
            in_background(&server, Server::kill).await;
            SystemClock.sleep(AWAY).await;
            in_background(&server, Server::restart).await;
            hits = behind(&cache);
        }
    }
    drop(progress);
    let calls = callers.stop().await;
    let since = behind(&cache) - hits;
    Ok(Report { options: *options, calls, loads: prices.loads(), hits_after: since, stats: cache.stats() })
}

/// How many reads the server has answered.
fn behind(cache: &Cache<u32, Price>) -> u64 {
    cache.stats().levels.last().map_or(0, |level| level.fresh_hits)
}

/// Starting a server and ending it blocks.
async fn in_background(server: &Arc<Server>, what: fn(&Server)) {
    let server = Arc::clone(server);
    tokio::task::spawn_blocking(move || what(&server)).await.expect("a server can be killed and started");
}
