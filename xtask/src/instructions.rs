//! Counts the instructions of the six forms of a hit: exact where nanoseconds are noise.

use crate::{cargo, root};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

const FORMS: [&str; 6] =
    ["static/get", "static/get_now", "static/get_or_load", "boxed/get", "boxed/get_now", "boxed/get_or_load"];
const FEW: u64 = 20_000;
const MANY: u64 = 120_000;

pub(crate) fn run() -> ExitCode {
    match count() {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Returns a JSON object: for each form, the instructions of one hit without those of the loop around it.
fn count() -> Result<String, String> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("valgrind counts them and is not here: `apt-get install valgrind`".into());
    }
    let built = cargo("build --release --package larder-benches --bin hit_forms").status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("`hit_forms` does not build".into());
    }
    let nothing = of_one("nothing")?;
    let mut lines = Vec::new();
    for form in FORMS {
        lines.push(format!("  \"{form}\": {}", of_one(form)?.saturating_sub(nothing)));
    }
    Ok(format!("{{\n{}\n}}", lines.join(",\n")))
}

/// The instructions of one operation: those of many runs less those of few, so that starting up does not count.
fn of_one(form: &str) -> Result<u64, String> {
    Ok((of_all(form, MANY)? - of_all(form, FEW)?) / (MANY - FEW))
}

fn of_all(form: &str, operations: u64) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(target().join("release/hit_forms"))
        .args([form, &operations.to_string()])
        .current_dir(root())
        .output()
        .map_err(|error| format!("valgrind cannot be started: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind counted nothing for `{form}`:\n{told}"))
}

/// Where cargo builds.
fn target() -> PathBuf {
    // Relative to the root, as cargo takes it that is started there.
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
