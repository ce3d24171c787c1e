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
            let callers: Vec<_> = (0..3).map(|_| world.call(world.source.load())).collect();
            callers[0].abort();
            for (number, caller) in callers.into_iter().enumerate() {
                match caller.await {
                    Ok(answer) => assert_eq!(answer.unwrap(), 1),
                    Err(_) => assert_eq!(number, 0, "only the first one was cancelled"),
                }
            }
            assert_eq!(world.source.most_readers(), 1);
            assert_eq!(world.cache.get(&KEY).await.unwrap(), Some(1));
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
