//! One form of a hit, so many times: what `cargo xtask instructions` counts the instructions of.
//!
//! `hit_forms FORM OPERATIONS`, where FORM is `static` or `boxed`, a slash, and `get`, `get_now` or `get_or_load`; or
//! `nothing`, which does all but the hit.

use larder::prelude::*;
use larder_benches::at_once;
use std::hint::black_box;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let form = arguments.next().unwrap_or_default();
    let Some(operations) = arguments.next().and_then(|number| number.parse::<u64>().ok()) else {
        eprintln!("usage: hit_forms (static|boxed)/(get|get_now|get_or_load) OPERATIONS");
        std::process::exit(2);
    };

    let chain = Cache::new(Memory::<u64, u64>::new(10_000))
        .ttl(hours(1))
        .stale(minutes(1))
        .chain(Cache::new(Memory::new(10_000)).ttl(hours(2)));
    let boxed = chain.clone().boxed();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    for key in 0..1_024 {
        runtime.block_on(chain.insert(&key, key)).expect("memory takes everything");
    }

    let load = async || Err::<u64, ()>(());
    let hit: Box<dyn Fn(&u64) -> Option<u64>> = match form.as_str() {
        "static/get" => Box::new(|key| at_once(chain.get(key)).ok().flatten()),
        "static/get_now" => Box::new(|key| chain.get_now(key)),
        "static/get_or_load" => Box::new(|key| at_once(chain.get_or_load(key, load)).ok()),
        "boxed/get" => Box::new(|key| at_once(boxed.get(key)).ok().flatten()),
        "boxed/get_now" => Box::new(|key| boxed.get_now(key)),
        "boxed/get_or_load" => Box::new(|key| at_once(boxed.get_or_load(key, load)).ok()),
        "nothing" => Box::new(|key| Some(*key)),
        other => {
            eprintln!("hit_forms: there is no form `{other}`");
            std::process::exit(2);
        }
    };
    for number in 0..operations {
        let key = black_box(number % 1_024);
        assert_eq!(black_box(hit(&key)), Some(key));
    }
}
