//! What is inserted wins: no value of before takes its place, and none of who left before its turn.

use crate::play;
use crate::world::{KEY, World};
use shuttle::future::block_on;

/// Changes the source and inserts what it has now, and sees to it that this is served from then on. Returns the
/// version of the change.
pub(crate) async fn change_and_insert(world: &World) -> u64 {
    let version = world.source.change();
    world.cache.insert(&KEY, version).await.unwrap();
    assert_eq!(world.cache.get(&KEY).await.unwrap(), Some(version));
    version
}

#[test]
fn an_insert_wins_over_the_loads_of_before() {
    play(8_000, || {
        block_on(async {
            let world = World::any();
            let loads = [world.call(world.source.load()), world.call(world.source.load())];
            let version = change_and_insert(&world).await;
            for load in loads {
                load.await.unwrap().unwrap();
            }
            let held = world.at_rest().await;
            assert!(held.iter().all(|held| *held == Some(version)), "{held:?}, not {version}");
        });
    });
}

#[test]
fn a_write_whose_caller_left_before_its_turn_is_never_done() {
    play(4_000, || {
        block_on(async {
            let world = World::any();
            let (slow, left) = (world.insert(1), world.insert(2));
            left.abort();
            let _ = left.await;
            let earlier = world.cache.get(&KEY).await.unwrap();

            world.cache.insert(&KEY, 3).await.unwrap();
            slow.await.unwrap().unwrap();
            let held = world.at_rest().await;
            assert!(!held.contains(&Some(2)), "{held:?} hold what was given up, after {earlier:?}");
            assert!(held.iter().all(|level| *level == held[0]), "{held:?} differ");
        });
    });
}
