//! A reload in the background that a removal or an insert overtakes.

use crate::insertion::change_and_insert;
use crate::play;
use crate::removal::change_and_remove;
use crate::world::{World, maybe};
use shuttle::future::block_on;

#[test]
fn no_reload_survives_a_removal_or_an_insert() {
    play(8_000, || {
        block_on(async {
            let world = if maybe() { World::near() } else { World::near_and_far() };
            world.fill().await;
            world.grow_stale();
            let reads = [world.call(world.source.load()), world.call(world.source.load())];
            let version =
                if maybe() { change_and_insert(&world).await } else { change_and_remove(&world).await };
            for read in reads {
                read.await.unwrap().unwrap();
            }
            world.holds_nothing_before(version).await;
        });
    });
}
