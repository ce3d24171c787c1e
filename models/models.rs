//! The races of larder-core, in thousands of orders of events that a scheduler chooses.
//!
//! Each model is a few tasks over the real code. A scheduler says who goes on at each lock, atomic and await; what
//! must hold is asserted afterwards, whatever it said, and a task that waits for ever fails the model. A model that
//! fails prints its schedule. The same one again, and nothing else:
//!
//! ```text
//! LARDER_SCHEDULE=910102ccdedf9592 cargo test -p larder-models --test models the_name_of_the_model
//! ```
#![allow(clippy::unwrap_used, reason = "a model that cannot go on fails")]

mod circle;
mod insertion;
mod promotion;
mod reload;
mod removal;
mod single_flight;
mod world;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler};
use shuttle::{Config, MaxSteps, Runner};

/// Plays `model` in `rounds` orders, the same ones each time: half of them choose whoever goes on at random, half hold
/// up few tasks for long.
fn play(rounds: usize, model: fn()) {
    let mut config = Config::new();
    config.stack_size = 512 << 10;
    config.max_steps = MaxSteps::FailAfter(20_000);
    // Of atomics that are not `SeqCst`: the models find orders of events, not of memory.
    config.silence_warnings = true;

    if let Ok(schedule) = std::env::var("LARDER_SCHEDULE") {
        Runner::new(ReplayScheduler::new_from_encoded(&schedule), config).run(model);
        return;
    }
    let seed = 20_220_811;
    Runner::new(RandomScheduler::new_from_seed(seed, rounds / 2), config.clone()).run(model);
    Runner::new(PctScheduler::new_from_seed(seed, 4, rounds / 2), config).run(model);
}
