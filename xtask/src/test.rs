//! `cargo xtask test`: everything that must pass, the program that a newcomer runs first included.

use crate::parts::Parts;
use crate::{cargo, has, root};
use std::process::ExitCode;

pub(crate) fn run() -> ExitCode {
    let mut parts = Parts::default();

    if has("nextest") {
        parts.command(
            "tests",
            cargo("nextest run --workspace --exclude larder-models --all-features --no-fail-fast"),
        );
    } else {
        println!(
            "cargo-nextest is not installed: the tests run by `cargo test`, which is slower and no less strict"
        );
        let all =
            "test --workspace --exclude larder-models --all-features --lib --bins --tests --no-fail-fast";
        parts.command("tests", cargo(all));
    }
    // By cargo's own runner, in one process: shuttle's stacks are then used again and again.
    parts.command("models", cargo("test -p larder-models --test models"));
    parts.command(
        "doc tests",
        cargo("test --doc --workspace --exclude larder-models --all-features --no-fail-fast"),
    );
    parts.command("examples", cargo("build --workspace --all-features --examples"));

    // A folder of its own, so that it neither spoils nor profits from what a person ran before.
    let mut quickstart =
        cargo("run --quiet --all-features --example quickstart -- --requests 2000 --clean --dir");
    quickstart.arg(root().join("target/quickstart-test"));
    parts.command("quickstart", quickstart);

    // A small shop in ten minutes: it fails if callers notice that the database is in trouble.
    let step_by_step = "run --quiet --all-features --example step_by_step -- --products 10 --callers 20";
    parts.command("step by step", cargo(step_by_step));

    parts.finish("test")
}
