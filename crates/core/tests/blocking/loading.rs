//! Caches that know how their values are loaded, and schedules.

use super::{MANY_THREADS, SECOND, memory, runtime};
use futures::executor;
use larder_core::LoadContext;
use larder_testkit::Gate;

#[test]
fn a_loader_is_driven_by_the_thread_that_waits_for_it() {
    let gate = Gate::closed();
    let behind = gate.clone();
    let numbers = memory()
        .loader(move |cx: LoadContext<str, u32>| {
            let gate = behind.clone();
            async move {
                gate.pass().await;
                cx.key().parse()
            }
        })
        .blocking();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| numbers.get("36").unwrap());
        executor::block_on(gate.reached(1));
        gate.open();
        assert_eq!(asking.join().unwrap(), 36);
    });
    assert_eq!(numbers.refresh("36").unwrap(), 36);
    assert!(numbers.get("thirty-six").is_err());
    assert_eq!(numbers.cache().stats().loads, 3);
    assert_eq!(format!("{numbers:?}"), format!("{:?}", numbers.clone().cache()));
}

#[test]
fn a_thread_begins_schedules_in_a_runtime_and_reads_them_without_waiting() {
    let (ages, runtime) = (memory(), runtime(MANY_THREADS));
    let refreshed = {
        let _in = runtime.enter();
        ages.refresh_every(SECOND, "ada", async || Ok::<_, String>(36))
    };
    while refreshed.get().is_none() {
        std::thread::yield_now();
    }
    assert_eq!((refreshed.get(), ages.blocking().get("ada").unwrap()), (Some(36), Some(36)));
}
