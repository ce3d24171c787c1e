//! `cargo xtask test`: everything that must pass, the program that a newcomer runs first included.

use crate::parts::Parts;
use crate::servers::PACKAGES;
use crate::{cargo, fuzz, has, root, servers};
use std::process::ExitCode;

/// For how long each fuzz target runs. Enough to find what a change breaks at once; who looks for more says so.
const FUZZ_SECONDS: u64 = 5;

/// Which servers the tests may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Servers {
    All,
    None,
}

pub(crate) fn run(allowed: Servers) -> ExitCode {
    let mut parts = Parts::default();

    let names = |separator: &str| PACKAGES.map(|(name, _)| format!("{separator}{name}")).concat();
    match allowed {
        Servers::All => parts.check("servers", servers::install),
        Servers::None => {
            let left_out = format!("as was asked for: what needs one is left out of{}", names(" "));
            parts.skip("servers", &left_out);
        }
    }

    let others = format!("--workspace --exclude larder-models{} --all-features", names(" --exclude "));
    if has("nextest") {
        parts.command("tests", cargo(&format!("nextest run {others} --no-fail-fast")));
    } else {
        println!(
            "cargo-nextest is not installed: the tests run by `cargo test`, which is slower and no less strict"
        );
        parts.command("tests", cargo(&format!("test {others} --lib --bins --tests --no-fail-fast")));
    }
    match allowed {
        // By cargo's own runner, in one process for each program: its tests then share a server.
        Servers::All => {
            let all = format!("test{} --all-features --tests --no-fail-fast", names(" -p "));
            parts.command("tests with servers", cargo(&all));
        }
        Servers::None => {
            // One at a time, so that the features which one of them asks for are not those of another.
            for (name, tests) in PACKAGES {
                parts.command(
                    &format!("tests of {name}"),
                    cargo(&format!("test -p {name} {tests} --no-fail-fast")),
                );
            }
        }
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

    if allowed == Servers::All {
        // They fail if callers notice that the server behind their cache was killed.
        for server in ["redis", "postgres"] {
            let outages = "run --quiet --all-features --example outages -- --seconds 20 --outages 1 --server";
            parts.command(&format!("outages of {server}"), cargo(&format!("{outages} {server}")));
        }
        // They fail if a process reads what another one has invalidated, or if one key is loaded by two of them.
        for (name, scene) in [
            ("mixed, redis", "--processes 4 --seconds 15"),
            ("mixed, postgres", "--processes 2 --seconds 15 --server postgres"),
            ("leader, redis", "--scene leader"),
            ("leader, postgres", "--scene leader --processes 16 --server postgres"),
        ] {
            let processes = cargo(&format!("run --quiet --all-features --example processes -- {scene}"));
            parts.command(&format!("processes: {name}"), processes);
        }
        // It fails if reading what another process publishes sends a command to the server, or needs it.
        let writer_reader = "run --quiet --all-features --example writer_reader";
        parts.command("writer and reader", cargo(writer_reader));
    }

    let shortly = fuzz::Options { seconds: FUZZ_SECONDS, target: None };
    let name = "fuzz, a short run";
    match allowed {
        Servers::All => parts.check(name, || fuzz::install().and_then(|()| fuzz::check(&shortly))),
        Servers::None if fuzz::is_installed() => parts.check(name, || fuzz::check(&shortly)),
        Servers::None => {
            let cure = "cargo-fuzz is not installed: `cargo install --locked cargo-fuzz` (a minute)";
            parts.skip(name, cure);
        }
    }

    parts.finish("test")
}
