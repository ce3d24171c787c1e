//! Loads that wait for each other: nobody hangs, in whichever order they come to ask.

use crate::play;
use crate::world::{KEY, World, maybe};
use larder_models::{Cache, LoadError};
use shuttle::future::{JoinHandle, block_on, spawn};

const OTHER: u64 = 8;

/// Asks for one key, with a load that asks for the other.
fn ask(cache: &Cache<u64, u64>, mine: u64, other: u64) -> JoinHandle<Result<u64, LoadError<&'static str>>> {
    let (cache, inner, scoped) = (cache.clone(), cache.clone(), maybe());
    spawn(async move {
        let load = async move || {
            let again = inner.clone();
            let back =
                async move || again.get_or_load(&mine, async || Ok::<_, &str>(1)).await.map_err(|_| "back");
            inner.get_or_load(&other, back).await.map_err(|_| "there")
        };
        if scoped {
            cache.get_or_load_scoped(&mine, load).await
        } else {
            cache.get_or_load(&mine, load).await
        }
    })
}

#[test]
fn loads_that_wait_for_each_other_all_end() {
    play(6_000, || {
        block_on(async {
            let world = World::near();
            let (first, second) = (ask(&world.cache, KEY, OTHER), ask(&world.cache, OTHER, KEY));
            // One of them may be served what the other's load has stored by then, but whoever is in a circle is told.
            let _ = (first.await.unwrap(), second.await.unwrap());
            for key in [KEY, OTHER] {
                assert!(
                    world.cache.get_or_load(&key, async || Ok::<_, &str>(2)).await.is_ok(),
                    "no key is stuck"
                );
            }
        });
    });
}

#[test]
fn a_load_that_asks_for_its_own_key_through_another_is_told() {
    play(4_000, || {
        block_on(async {
            let world = World::near();
            assert!(ask(&world.cache, KEY, OTHER).await.unwrap().is_err());
        });
    });
}
