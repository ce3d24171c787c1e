//! One node of the scene `leader`: it asks for one key, once for each line of its input.

use crate::Result;
use crate::options::Place;
use crate::rows::{Rows, Wish};
use crate::server::Connection;
use larder::prelude::*;
use std::io::{BufRead, stdin};
use std::sync::Arc;

pub(crate) async fn live(place: &Place) -> Result<()> {
    let Connection { store, lock, .. } = Connection::open(place).await?;
    let far = Cache::new(store).codec::<u64, _>(Json).namespace("rows");
    let cache = Cache::new(Memory::<u32, u64>::new(100))
        .chain(far)
        .ttl(minutes(1))
        .lock(lock)
        .lock_lease(crate::leader::LEASE);
    let rows = Arc::new(Rows::connect(&place.rows, place.number).await?);
    println!("ready");
    loop {
        let line = tokio::task::spawn_blocking(|| stdin().lock().lines().next()).await?;
        let Some(line) = line else { return Ok(()) };
        let row: u32 = line?.parse()?;
        let rows = Arc::clone(&rows);
        let version = cache.get_or_load(&row, async move || rows.ask(Wish::Load, row).await).await?;
        println!("{version}");
    }
}
