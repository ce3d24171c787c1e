//! A copy from the second level into the first, and what is done to the key meanwhile.

use crate::insertion::change_and_insert;
use crate::play;
use crate::removal::change_and_remove;
use crate::world::{World, maybe};
use shuttle::future::block_on;

#[test]
fn no_copy_survives_a_removal_or_an_insert() {
    play(8_000, || {
        block_on(async {
            let world = if maybe() { World::near_and_far() } else { World::far_and_farther() };
            world.fill().await;
            world.evict();
            let (call, read) = (world.call(world.source.load()), world.read());
            let version =
                if maybe() { change_and_insert(&world).await } else { change_and_remove(&world).await };
            call.await.unwrap().unwrap();
            read.await.unwrap().unwrap();
            world.holds_nothing_before(version).await;
        });
    });
}

#[test]
fn a_copy_does_not_replace_what_was_loaded_meanwhile() {
    play(8_000, || {
        block_on(async {
            let world = World::near_and_far();
            world.fill().await;
            world.grow_stale();
            world.evict();
            world.source.change();
            let (load, reads) = (world.call(world.source.load()), [world.read(), world.read()]);
            load.await.unwrap().unwrap();
            for read in reads {
                read.await.unwrap().unwrap();
            }
            let held = world.at_rest().await;
            assert_eq!(held[0], held[1], "the first level has another value than the second one");
        });
    });
}
