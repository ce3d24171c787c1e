//! A reload in the background that a removal or an insert overtakes.

use crate::play;
use crate::removal::{change_and_remove, nothing_is_older};
use crate::world::{KEY, World, maybe};
use shuttle::future::{block_on, spawn};

#[test]
fn no_reload_survives_a_removal_or_an_insert() {
    play(8_000, || {
        block_on(async {
            let world = if maybe() { World::near() } else { World::near_and_far() };
            world.fill().await;
            world.grow_stale();
            let reads: Vec<_> = (0..2)
                .map(|_| {
                    let (cache, load) = (world.cache.clone(), world.source.load());
                    spawn(async move { cache.get_or_load(&KEY, load).await })
                })
                .collect();

            let inserts = maybe();
            let version = if inserts {
                let version = world.source.change();
                world.cache.insert(&KEY, version).await.unwrap();
                assert_eq!(world.cache.get(&KEY).await.unwrap(), Some(version));
                version
            } else {
                change_and_remove(&world).await
            };

            for read in reads {
                read.await.unwrap().unwrap();
            }
            nothing_is_older(world, version).await;
        });
    });
}
