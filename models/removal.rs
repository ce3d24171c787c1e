//! What is removed stays removed: nothing of before is stored, or served to who comes later.

use crate::play;
use crate::world::{Broken, KEY, TTL, World, maybe};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};

/// Removes the key, in one of the ways that there are.
async fn remove(world: &World) {
    match thread_rng().gen_range(0..3) {
        0 => world.cache.remove(&KEY).await.unwrap(),
        1 => world.cache.expire(&KEY).await.unwrap(),
        _ => world.cache.clear().await.unwrap(),
    }
}

/// Changes the source and removes the key, and sees to it that nothing of before is served from then on. Returns the
/// version of the change.
pub(crate) async fn change_and_remove(world: &World) -> u64 {
    let version = world.source.change();
    remove(world).await;
    let seen = world.cache.get(&KEY).await.unwrap();
    assert!(seen.is_none_or(|seen| seen >= version), "{seen:?} was served after its removal");
    if maybe() {
        let loaded = world.cache.get_or_load(&KEY, world.source.load()).await.unwrap();
        assert!(loaded >= version, "{loaded} was loaded for who came after its removal");
    }
    version
}

#[test]
fn no_load_survives_a_removal() {
    play(8_000, || {
        block_on(async {
            let world = World::any();
            let loads = [world.call(world.source.load()), world.call(world.source.load())];
            let version = change_and_remove(&world).await;
            for load in loads {
                load.await.unwrap().unwrap();
            }
            world.holds_nothing_before(version).await;
        });
    });
}

#[test]
fn what_who_left_was_writing_does_not_survive_a_removal() {
    play(6_000, || {
        block_on(async {
            let world = World::any();
            let (load, insert) = (world.call_scoped(world.source.load()), world.insert(world.source.now()));
            load.abort();
            insert.abort();
            let _ = (load.await, insert.await);
            let version = change_and_remove(&world).await;
            world.holds_nothing_before(version).await;
        });
    });
}

#[test]
fn no_failure_survives_a_removal() {
    play(16_000, || {
        block_on(async {
            let mut world = World::any();
            world.cache = world.cache.cache_errors(TTL, |_: &Broken| true);
            let failing = || world.source.load_then(|version| Err(Broken(version)));
            let load = world.call(failing());

            let version = world.source.change();
            remove(&world).await;
            let answer = world.cache.get_or_load(&KEY, failing()).await;
            let seen = answer.unwrap_err().as_load().unwrap().0;
            assert!(seen >= version, "the failure of {seen} was remembered after its removal");
            assert!(load.await.unwrap().is_err());
        });
    });
}
