//! What several processes see of each other's changes, over a real server: nothing that is outdated.
//!
//! Two scenes. In both this program starts a server, and itself several times as *nodes*; it keeps the *rows* of a database
//! that they load from, and judges at the end.
//!
//! - `mixed`: all nodes read, load, change rows and invalidate what was made of them, at full speed. In the middle of it the
//!   server is killed and started again, and one node is stopped (`SIGSTOP`) and goes on later. No read may have given a value
//!   that was loaded before an invalidation which had returned when the read began: not at all where the read goes to the
//!   shared store, not after the bound where it may be answered by memory.
//! - `leader`: 64 nodes ask for one missing key with `.lock`. One of them loads. In a second round that one is killed in the
//!   middle of its load, and another one has to take over before its lease is over.
//!
//! See `cargo run --release --all-features --example processes -- --help`.

#[path = "../quickstart/progress.rs"]
mod progress;

mod asker;
mod judge;
mod leader;
mod mixed;
mod node;
mod nodes;
mod options;
mod rows;
mod server;
mod tally;

use options::{Options, Role};
use std::process::ExitCode;

type Result<T> = std::result::Result<T, anyhow::Error>;

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
    let threads = if matches!(options.role, Role::Asker(_)) { 1 } else { 2 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime = runtime.expect("a runtime needs only memory and two threads");
    match runtime.block_on(run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all was as it has to be.
async fn run(options: &Options) -> Result<bool> {
    match &options.role {
        Role::Mixed => mixed::play(options).await,
        Role::Leader => leader::play(options).await,
        Role::Node(place) => node::live(place, options.keys).await.map(|()| true),
        Role::Asker(place) => asker::live(place).await.map(|()| true),
    }
}
