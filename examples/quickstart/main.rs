//! A web shop's product pages without larder and with it: `cargo run --release --example quickstart`.
//!
//! Clients replay the recorded requests of a real shop, first against a database, then through a cache of two
//! levels in front of it: memory for what is asked often, files on disk for the rest and for the next start.
//! The cache is put together in [`cache_of_products`] and used in [`product`]; the other files are the shop.

mod database;
mod folder;
mod options;
mod progress;
mod replay;
mod report;
mod trace;

use database::{Database, Product};
use folder::Folder;
use larder::prelude::*;
use options::Options;
use replay::Traffic;
use report::Column;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long a product on disk is good for.
const ON_DISK: Duration = hours(24);

/// Puts the cache together. Memory keeps 1,000 of the 20,484 products as they are; a folder keeps all as JSON.
fn cache_of_products(folder: &Path) -> larder::Result<Cache<u64, Product>> {
    let memory = Cache::new(Memory::new(1_000)).ttl(secs(60)).stale(secs(30));
    let disk = Cache::new(Object::local(folder)?).codec(Json).namespace("products").ttl(ON_DISK);
    Ok(memory.chain(disk).name("products").boxed())
}

/// Answers one request: from the cache, or else from the database, which is asked once however many wait.
async fn product(products: Cache<u64, Product>, database: Database, id: u64) -> anyhow::Result<Product> {
    Ok(products.get_or_load(&id, async move || database.product(id).await).await?)
}

async fn with_larder(
    title: &'static str,
    traffic: &Traffic,
    database: &Database,
    products: Cache<u64, Product>,
) -> anyhow::Result<Column> {
    let (cache, source) = (products.clone(), database.clone());
    let replayed = traffic.replay(title, move |id| product(cache.clone(), source.clone(), id)).await?;
    Ok(Column { title, replayed, queries: database.count_queries(), stats: Some(products.stats()) })
}

async fn without_larder(traffic: &Traffic, database: &Database) -> anyhow::Result<Column> {
    let title = "database alone";
    let source = database.clone();
    let replayed = traffic.replay(title, move |id| {
        let source = source.clone();
        async move { source.product(id).await }
    });
    let replayed = replayed.await?;
    Ok(Column { title, replayed, queries: database.count_queries(), stats: None })
}

/// Runs the whole comparison; returns how many answers were not what the database has.
#[tokio::main]
async fn run(options: &Options, folder: &Folder) -> anyhow::Result<usize> {
    let requests = trace::requests()?;
    let database = Database::open(&folder.database(), &requests)?;
    let traffic = Traffic::new(&requests[..options.requests], options.clients, database.everything()?);
    let products = cache_of_products(&folder.cache())?;
    report::introduce(options, folder, &products);

    let alone = without_larder(&traffic, &database).await?;

    let found = folder.count_values(ON_DISK)?;
    let title = report::explain_start(found, traffic.distinct_products());
    let first = with_larder(title, &traffic, &database, products).await?;
    report::compare(&alone, &first);

    // Another cache over the same folder, as after a restart: its memory is empty, its disk is not.
    report::explain_restart();
    let restarted = cache_of_products(&folder.cache())?;
    let second = with_larder("larder, warm", &traffic, &database, restarted).await?;
    report::compare(&alone, &second);

    report::conclude(folder);
    Ok([alone, first, second].iter().map(|column| column.replayed.wrong).sum())
}

fn main() -> ExitCode {
    let options = match options::from_command_line() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::help());
            return ExitCode::SUCCESS;
        }
        Err(error) => return unusable(&error.into()),
    };
    let folder = match Folder::open(&options.folder, options.clean) {
        Ok(folder) => folder,
        Err(error) => return unusable(&error),
    };
    match run(&options, &folder) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(wrong) => failed(&anyhow::anyhow!("{wrong} answers were not what the database has")),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// What was said on the command line cannot be done; by custom that is status 2.
fn unusable(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}\n\n{}", options::help());
    ExitCode::from(2)
}
