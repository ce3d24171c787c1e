//! One process keeps a value fresh for all others, and these read it without asking anybody: `publish` and `mirror`.
//!
//! ```text
//! writer ── publishes the rate ──▶ Redis ◀── has a look ── mirror in the reader ◀── requests, as many as there are
//!             every 250 ms                  every 250 ms                                 look at a pointer
//! ```
//!
//! `cargo run --release --all-features --example writer_reader` starts a Redis, a writer and a reader, each a process, and takes
//! some six seconds. It counts the commands that Redis gets while the reader is at rest and while it answers as fast as it can,
//! and then takes Redis away for two seconds. It fails if reading has cost a command, or if the reader had no answer.

#[path = "processes/nodes.rs"]
#[allow(dead_code, reason = "`processes` does more with its nodes")]
mod nodes;

use anyhow::Context;
use indicatif::HumanCount;
use larder::prelude::*;
use larder::{Clock, Reader, Redis, SystemClock};
use larder_testkit::servers;
use nodes::Node;
use std::fmt;
use std::hint::black_box;
use std::io::{BufRead, Read, Write, stdin};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

type Result<T> = std::result::Result<T, anyhow::Error>;

const KEY: &str = "EUR";
/// How often the writer publishes, and how often the reader's mirror looks.
const EVERY: Duration = Duration::from_millis(250);
/// For how long commands are counted.
const SPAN: Duration = Duration::from_millis(1_500);
/// How long Redis is away.
const AWAY: Duration = Duration::from_secs(2);
/// How long the reader may take to see what was published after that.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => story().await,
        ["write", url] => writer(url).await,
        ["read", url] => reader(url).await,
        _ => anyhow::bail!("it takes no arguments: it starts its writer and its reader by itself"),
    }
}

/// What the processes share.
async fn rates(url: &str) -> larder::Result<Cache<str, f64>> {
    Ok(Cache::new(Redis::connect(url).await?).codec(Json).namespace("rates").boxed())
}

/// The process that writes. It would do so until the schedule is dropped; here until its input ends.
async fn writer(url: &str) -> Result<()> {
    let turn = AtomicU32::new(0);
    let load = move || ask_the_bank(turn.fetch_add(1, Relaxed));
    // Should the writer end, its last rate is good for ten minutes.
    let schedule = rates(url).await?.publish_with(EVERY, KEY, |how| how.ttl(minutes(10)), load)?;
    schedule.ready().await?;
    println!("ready");
    Ok(tokio::task::spawn_blocking(|| stdin().lock().lines().for_each(drop)).await?)
}

/// The bank: it takes its time, and the rate rises each time.
async fn ask_the_bank(turn: u32) -> std::io::Result<f64> {
    SystemClock.sleep(millis(20)).await;
    Ok(1.08 + f64::from(turn) / 10_000.0)
}

/// The process that reads. The mirror looks into Redis, in the background; requests are answered by a reader of it.
async fn reader(url: &str) -> Result<()> {
    let mirror = rates(url).await?.mirror(KEY, EVERY);
    mirror.ready().await?;
    println!("ready");
    let rate = mirror.reader();
    tokio::task::spawn_blocking(move || answer_requests(&rate)).await?
}

/// A line is a request. No runtime, no `await`: nothing here could wait for Redis.
fn answer_requests(rate: &Reader<f64>) -> Result<()> {
    for request in stdin().lock().lines() {
        match request?.as_str() {
            "the rate" => match rate.get().zip(rate.age()) {
                Some((rate, age)) => println!("{rate} {}", age.as_millis()),
                None => println!("none"),
            },
            "many" => println!("{}", read_for(SPAN, rate)),
            other => anyhow::bail!("`{other}` is no request"),
        }
    }
    Ok(())
}

/// Reads as fast as it can, and returns how often it did.
fn read_for(span: Duration, rate: &Reader<f64>) -> u64 {
    let (begin, mut reads) = (SystemClock.now_exact(), 0);
    while SystemClock.now_exact().since(begin) < span {
        for _ in 0..10_000 {
            black_box(rate.get());
        }
        reads += 10_000;
    }
    reads
}

/// The process that starts the others, tells what happens, and judges.
async fn story() -> Result<()> {
    let server = servers::Redis::start();
    let mut writer = Node::start(["write", server.url()])?;
    writer.is_ready()?;
    let mut reader = Node::start(["read", server.url()])?;
    reader.is_ready()?;
    println!("A writer publishes the euro's rate every {EVERY:?}, a reader mirrors it.");
    println!("  {}", held(&mut reader)?.context("the reader was ready and has nothing")?);

    let before = commands(server.port())?;
    SystemClock.sleep(SPAN).await;
    let between = commands(server.port())?;
    reader.tell("many")?;
    let reads: u64 = reader.says()?.parse()?;
    let after = commands(server.port())?;
    let (at_rest, at_work) = (between - before, after - between);
    println!("\nCommands that Redis got in {SPAN:?}, for both schedules:");
    println!("{at_rest:>12} while nobody read");
    println!("{at_work:>12} while the reader read {} times", HumanCount(reads));
    anyhow::ensure!(reads >= 1_000_000, "that were too few reads to tell");
    // The second span may have a turn more of the schedules, and be longer where the machine is busy.
    anyhow::ensure!(at_work <= 2 * at_rest, "reading has cost commands");

    server.kill();
    println!("\nRedis is killed.");
    let last = held(&mut reader)?.context("the reader lost its rate with Redis")?;
    for _ in 0..2 {
        SystemClock.sleep(AWAY / 2).await;
        let rate = held(&mut reader)?.context("the reader lost its rate in the outage")?;
        println!("  {rate}");
        anyhow::ensure!(rate.dollars <= last.dollars, "a rate that nobody can have published");
        anyhow::ensure!(rate.age >= last.age + AWAY / 2, "an age that cannot be");
    }

    server.restart();
    let back = SystemClock.now_exact();
    println!("\nRedis is started again, and is empty.");
    let rate = loop {
        // There is nothing between the reader's first look and the writer's next turn.
        match held(&mut reader)? {
            Some(rate) if rate.dollars > last.dollars => break rate,
            _ => SystemClock.sleep(EVERY / 10).await,
        }
        anyhow::ensure!(SystemClock.now_exact().since(back) < PATIENCE, "the reader got no new rate");
    };
    println!("  {rate}, {:.1} s later", SystemClock.now_exact().since(back).as_secs_f64());

    for node in [&mut reader, &mut writer] {
        node.dismiss();
        node.end()?;
    }
    Ok(())
}

/// What the reader holds, and how old it says that is.
struct Held {
    dollars: f64,
    age: Duration,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reader says: {:.4} dollars, {:.1} s old", self.dollars, self.age.as_secs_f64())
    }
}

fn held(reader: &mut Node) -> Result<Option<Held>> {
    reader.tell("the rate")?;
    let says = reader.says()?;
    let Some((dollars, age)) = says.split_once(' ') else { return Ok(None) };
    Ok(Some(Held { dollars: dollars.parse()?, age: Duration::from_millis(age.parse()?) }))
}

/// How many commands the server has got since it was started, by its own count.
fn commands(port: u16) -> Result<u64> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.write_all(b"INFO stats\r\nQUIT\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let count = answer.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
    Ok(count.context("Redis does not tell how many commands it got")?.parse()?)
}
