//! The shop's database: a real SQLite file behind a pool of connections, each query 2 ms slower than SQLite is.

use crate::progress::Progress;
use anyhow::Context;
use rusqlite::{Connection, OpenFlags, Row};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// How many queries run at the same time, as in the pool of a real service. The others wait for their turn.
pub(crate) const CONNECTIONS: usize = 16;

/// What a query takes beside SQLite's own time: the disk and the network that a shop's database has and a
/// small local file has not.
pub(crate) const SIMULATED: Duration = Duration::from_millis(2);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) price_cents: u32,
    pub(crate) description: String,
}

/// A handle of the database; clones share the connections.
#[derive(Clone)]
pub(crate) struct Database(Arc<Pool>);

struct Pool {
    /// One permit a connection, for a task to wait without blocking a thread.
    turns: Arc<Semaphore>,
    /// The connections that nobody uses. A lock of the standard library, because it is held for a push or a pop.
    idle: Mutex<Vec<Connection>>,
    queries: AtomicU64,
}

impl Database {
    /// Opens the database at `path`; makes it first, with all products that `requests` ask for, if there is none.
    pub(crate) fn open(path: &Path, requests: &[u64]) -> anyhow::Result<Self> {
        if !path.exists() {
            make(path, requests).context("the database cannot be made")?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connections = (0..CONNECTIONS).map(|_| Connection::open_with_flags(path, flags));
        let idle = connections.collect::<Result<_, _>>().context("the database cannot be opened")?;
        Ok(Database(Arc::new(Pool {
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
            idle: Mutex::new(idle),
            queries: AtomicU64::new(0),
        })))
    }

    /// Asks for one product. Waits for a free connection, then for the answer.
    pub(crate) async fn product(&self, id: u64) -> anyhow::Result<Product> {
        let turn = Arc::clone(&self.0.turns).acquire_owned().await?;
        let pool = Arc::clone(&self.0);
        let product = spawn_blocking(move || {
            let connection = pool.idle().pop().expect("there are as many connections as turns");
            pool.queries.fetch_add(1, Ordering::Relaxed);
            let product = query(&connection, id);
            pool.idle().push(connection);
            // Only now, so that whoever gets the turn finds the connection.
            drop(turn);
            product
        });
        product.await?.with_context(|| format!("the database has no answer for product {id}"))
    }

    /// Returns how many queries there were since this was last asked.
    pub(crate) fn count_queries(&self) -> u64 {
        self.0.queries.swap(0, Ordering::Relaxed)
    }

    /// Reads all products, without the simulated time: what every answer is compared with.
    pub(crate) fn everything(&self) -> anyhow::Result<HashMap<u64, Product>> {
        let idle = self.0.idle();
        let connection = idle.first().context("every connection is in use")?;
        let mut select = connection.prepare("SELECT id, name, price_cents, description FROM products")?;
        let products = select.query_map([], product_in)?;
        Ok(products.map(|product| product.map(|product| (product.id, product))).collect::<Result<_, _>>()?)
    }
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().expect("a push and a pop do not panic")
    }
}

#[expect(clippy::disallowed_methods, reason = "simulates what a query takes beside SQLite's own time")]
fn query(connection: &Connection, id: u64) -> rusqlite::Result<Product> {
    std::thread::sleep(SIMULATED);
    let select = "SELECT id, name, price_cents, description FROM products WHERE id = ?1";
    connection.prepare_cached(select)?.query_row([id.cast_signed()], product_in)
}

fn product_in(row: &Row<'_>) -> rusqlite::Result<Product> {
    Ok(Product {
        id: row.get::<_, i64>(0)?.cast_unsigned(),
        name: row.get(1)?,
        price_cents: row.get(2)?,
        description: row.get(3)?,
    })
}

/// Makes the database, under another name first, so that an interrupted run leaves none that is half full.
///
/// Without waiting for the disk to sync: after `--clean` has removed thousands of files that can take long.
fn make(path: &Path, requests: &[u64]) -> anyhow::Result<()> {
    let unfinished = path.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_file(&unfinished)?;
    }
    let mut connection = Connection::open(&unfinished)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF;
         PRAGMA synchronous = OFF;
         CREATE TABLE products (
             id INTEGER PRIMARY KEY,
             name TEXT NOT NULL,
             price_cents INTEGER NOT NULL,
             description TEXT NOT NULL
         ) STRICT",
    )?;

    let ids: BTreeSet<u64> = requests.iter().copied().collect();
    let mut progress = Progress::new("making the database", ids.len());
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO products VALUES (?1, ?2, ?3, ?4)")?;
        for (done, id) in ids.into_iter().enumerate() {
            let Product { id, name, price_cents, description } = invent(id);
            insert.execute((id.cast_signed(), name, price_cents, description))?;
            progress.reached(done);
        }
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(fs::rename(unfinished, path)?)
}

/// Invents a product, the same one for the same key.
fn invent(id: u64) -> Product {
    const LOOKS: [&str; 8] = ["light", "sturdy", "quiet", "compact", "elegant", "robust", "handy", "classic"];
    const THINGS: [&str; 8] = ["lamp", "chair", "kettle", "printer", "backpack", "drill", "keyboard", "tent"];
    const PRAISE: [&str; 8] = [
        "Made for every day.",
        "Tested in our own workshop for a year.",
        "Comes with everything that is needed to begin.",
        "Easy to clean and easy to repair.",
        "Our customers buy it again.",
        "Available in four colours.",
        "Spare parts are kept in stock for ten years.",
        "Packed without plastic.",
    ];

    // The constant is that of Fibonacci hashing: neighbouring keys get products that differ.
    let mut digits = id.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    let mut draw = |choices: u32| {
        let drawn = digits % u64::from(choices);
        digits /= u64::from(choices);
        u32::try_from(drawn).expect("it is below a u32")
    };
    let mut pick = |words: [&'static str; 8]| words[draw(8) as usize];

    let name = format!("{} {} {id}", pick(LOOKS), pick(THINGS));
    let mut description = format!("The {name}.");
    while description.len() < 300 {
        description.push(' ');
        description.push_str(pick(PRAISE));
    }
    Product { id, name, price_cents: 99 + draw(100_000), description }
}
