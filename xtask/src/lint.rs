//! `cargo xtask lint`: what is checked without running the code.

use crate::parts::Parts;
use crate::{behaviours, cargo, has, sources};
use std::process::ExitCode;

pub(crate) fn run() -> ExitCode {
    let mut parts = Parts::default();

    parts.command("formatting", cargo("fmt --all --check"));
    // A workspace of its own.
    parts.command("formatting of fuzz targets", cargo("fmt --manifest-path fuzz/Cargo.toml --check"));
    // Warnings are denied here and not in the sources, so that a new compiler cannot break those who build them.
    let all = "clippy --workspace --all-targets --all-features --keep-going -- -D warnings";
    parts.command("clippy, all features", cargo(all));
    // Without the benches, which want the default features and would bring them back for all.
    let none = "clippy --workspace --exclude larder-benches --all-targets --no-default-features --keep-going \
                -- -D warnings";
    parts.command("clippy, no features", cargo(none));

    for (name, features) in [("docs", "--all-features"), ("docs, default features", "")] {
        let mut docs = cargo(&format!("doc --workspace --no-deps --keep-going {features}"));
        docs.env("RUSTDOCFLAGS", "-D warnings");
        parts.command(name, docs);
    }

    if has("deny") {
        parts.command("dependencies", cargo("deny --all-features check bans licenses sources"));
    } else {
        let cure = "cargo-deny is not installed: `cargo install cargo-deny --locked` (some minutes)";
        parts.skip("dependencies", cure);
    }

    parts.check("sources", sources::check);
    parts.check("table of behaviours", behaviours::check);
    parts.finish("lint")
}
