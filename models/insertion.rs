//! What is inserted wins: no value of before takes its place, and none of who left before.

use crate::play;
use crate::world::{KEY, World, maybe};
use shuttle::future::{block_on, spawn};

#[test]
fn an_insert_wins_over_the_loads_of_before() {
    play(8_000, || {
        block_on(async {
            let world = World::any();
            let loads: Vec<_> = (0..2)
                .map(|_| {
                    let (cache, load) = (world.cache.clone(), world.source.load());
                    let scoped = maybe();
                    spawn(async move {
                        if scoped {
                            cache.get_or_load_scoped(&KEY, load).await
                        } else {
                            cache.get_or_load(&KEY, load).await
                        }
                    })
                })
                .collect();

            let version = world.source.change();
            world.cache.insert(&KEY, version).await.unwrap();
            assert_eq!(world.cache.get(&KEY).await.unwrap(), Some(version));

            for load in loads {
                load.await.unwrap().unwrap();
            }
            let levels = world.at_rest().await;
            assert!(levels.iter().all(|held| *held == Some(version)), "{levels:?}, not {version}");
        });
    });
}

#[test]
fn a_write_whose_caller_left_before_its_turn_is_never_done() {
    play(4_000, || {
        block_on(async {
            let world = World::any();
            let slow = spawn({
                let cache = world.cache.clone();
                async move { cache.insert(&KEY, 1).await }
            });
            let left = spawn({
                let cache = world.cache.clone();
                async move { cache.insert(&KEY, 2).await }
            });
            left.abort();
            let _ = left.await;

            world.cache.insert(&KEY, 3).await.unwrap();
            slow.await.unwrap().unwrap();
            let levels = world.at_rest().await;
            assert!(!levels.contains(&Some(2)), "{levels:?} hold what was given up");
            assert!(levels.iter().all(|held| *held == levels[0]), "{levels:?} differ");
        });
    });
}
