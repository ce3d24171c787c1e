//! What is removed stays removed: no value of before is stored, or served to who comes later.

use crate::play;
use crate::world::{Broken, KEY, World, maybe};
use larder_models::Cache;
use shuttle::future::{block_on, spawn};
use shuttle::rand::{Rng, thread_rng};

/// Removes the key, in one of the ways that there are.
pub(crate) async fn remove(cache: &Cache<u64, u64>) {
    match thread_rng().gen_range(0..3) {
        0 => cache.remove(&KEY).await.unwrap(),
        1 => cache.expire(&KEY).await.unwrap(),
        _ => cache.clear().await.unwrap(),
    }
}

/// Changes the source and removes the key; from then on nothing of before is seen. Returns the version of the change.
pub(crate) async fn change_and_remove(world: &World) -> u64 {
    let version = world.source.change();
    remove(&world.cache).await;
    let seen = world.cache.get(&KEY).await.unwrap();
    assert!(seen.is_none_or(|seen| seen >= version), "{seen:?} was served after its removal");
    if maybe() {
        let loaded = world.cache.get_or_load(&KEY, world.source.load()).await.unwrap();
        assert!(loaded >= version, "{loaded} was loaded for who came after the removal");
    }
    version
}

/// Asserts that no level holds what is older than `version`, once nobody does anything any more.
pub(crate) async fn nothing_is_older(world: World, version: u64) {
    let levels = world.at_rest().await;
    assert!(levels.iter().flatten().all(|held| *held >= version), "{levels:?} are older than {version}");
}

#[test]
fn no_load_survives_a_removal() {
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
            let version = change_and_remove(&world).await;
            for load in loads {
                load.await.unwrap().unwrap();
            }
            nothing_is_older(world, version).await;
        });
    });
}

#[test]
fn no_failure_survives_a_removal() {
    play(4_000, || {
        block_on(async {
            let mut world = World::any();
            world.cache = world.cache.cache_errors(crate::world::TTL, |_: &Broken| true);
            let load = spawn({
                let (cache, load) =
                    (world.cache.clone(), world.source.load_then(|version| Err(Broken(version))));
                async move { cache.get_or_load(&KEY, load).await }
            });
            let version = world.source.change();
            remove(&world.cache).await;
            let failing = world.source.load_then(|version| Err(Broken(version)));
            let answer = world.cache.get_or_load(&KEY, failing).await;
            let seen = answer.unwrap_err().as_load().unwrap().0;
            assert!(seen >= version, "the failure of {seen} was remembered after its removal");
            assert!(load.await.unwrap().is_err());
        });
    });
}
