//! A copy from the second level into the first, and what is done to the key meanwhile.

use crate::play;
use crate::removal::{change_and_remove, nothing_is_older};
use crate::world::{KEY, World, maybe};
use shuttle::future::{block_on, spawn};

#[test]
fn no_copy_survives_a_removal_or_an_insert() {
    play(8_000, || {
        block_on(async {
            let world = World::near_and_far();
            world.fill().await;
            world.evict();
            let reads: Vec<_> = (0..2)
                .map(|_| {
                    let (cache, load, loads) = (world.cache.clone(), world.source.load(), maybe());
                    spawn(async move {
                        if loads {
                            cache.get_or_load(&KEY, load).await.unwrap();
                        } else {
                            cache.get(&KEY).await.unwrap();
                        }
                    })
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
                read.await.unwrap();
            }
            nothing_is_older(world, version).await;
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
            let version = world.source.change();
            let load = spawn({
                let (cache, load) = (world.cache.clone(), world.source.load());
                async move { cache.get_or_load(&KEY, load).await.unwrap() }
            });
            let reads: Vec<_> = (0..2)
                .map(|_| {
                    let cache = world.cache.clone();
                    spawn(async move { cache.get(&KEY).await.unwrap() })
                })
                .collect();

            load.await.unwrap();
            for read in reads {
                read.await.unwrap();
            }
            let _ = version;
            let levels = world.at_rest().await;
            assert_eq!(levels[0], levels[1], "the copy is older than what was loaded");
        });
    });
}
