//! One load a key: nobody hangs, nobody loads beside another, everybody who waits is answered.

use crate::play;
use crate::world::{KEY, World};
use larder_models::LoadError;
use shuttle::future::block_on;

#[test]
fn callers_at_the_same_time_cost_one_load() {
    play(4_000, || {
        block_on(async {
            let world = World::any();
            let callers: Vec<_> = (0..3).map(|_| world.call(world.source.load())).collect();
            for caller in callers {
                assert_eq!(caller.await.unwrap().unwrap(), 1);
            }
            assert_eq!(world.source.reads(), 1);
        });
    });
}

#[test]
fn a_cancelled_caller_leaves_nobody_without_an_answer() {
    play(6_000, || {
        block_on(async {
            let world = World::any();
            let others = world.source.counted_apart();
            let left = world.call(world.source.load());
            let callers = [world.call(others.load()), world.call(others.load())];
            left.abort();
            for caller in callers {
                assert_eq!(caller.await.unwrap().unwrap(), 1);
            }
            assert_eq!(world.source.most_readers(), 1);
            assert!(others.reads() <= 1, "one of those who stay loads in the place of who left");
            assert_eq!(world.cache.get(&KEY).await.unwrap(), Some(1));
        });
    });
}

#[test]
fn after_a_removal_there_is_one_load_again() {
    play(6_000, || {
        block_on(async {
            let world = World::any();
            let before = world.call(world.source.load());
            world.cache.remove(&KEY).await.unwrap();
            let after = world.source.counted_apart();
            let callers = [world.call(after.load()), world.call(after.load()), world.call(after.load())];
            for caller in callers {
                assert_eq!(caller.await.unwrap().unwrap(), 1);
            }
            assert_eq!(before.await.unwrap().unwrap(), 1);
            assert!(after.reads() <= 1, "none if the load of before began after the removal");
        });
    });
}

#[test]
fn a_load_that_panics_is_an_answer_and_the_next_one_is_tried() {
    play(6_000, || {
        block_on(async {
            let world = World::any();
            // Not by `panic!`, which shuttle reports as the failure of a model.
            let fire = || world.source.load_then(|_| std::panic::resume_unwind(Box::new("on fire")));
            for caller in [world.call(fire()), world.call(fire()), world.call(world.source.load())] {
                match caller.await.unwrap() {
                    Ok(value) => assert_eq!(value, 1),
                    Err(LoadError::Panicked(message)) => assert_eq!(&*message, "on fire"),
                    Err(other) => panic!("{other:?}"),
                }
            }
            assert_eq!(world.source.most_readers(), 1);
            assert_eq!(world.call(world.source.load()).await.unwrap().unwrap(), 1);
        });
    });
}
