//! `cargo xtask fuzz`: every fuzz target for a while, as many at a time as there are cores.

mod progress;

use crate::{cargo, has, root, servers};
use progress::Progress;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

const CARGO_FUZZ: &str = "0.13.2";
/// An input that takes more of it is a fault. What a target needs otherwise is in its `.options`.
const LIMITS: [&str; 4] = ["-rss_limit_mb=1024", "-malloc_limit_mb=512", "-timeout=10", "-max_len=65536"];
/// How often the line of a terminal is written anew.
const GLANCE: Duration = Duration::from_millis(500);
/// Lines of the log that are shown of a fault, from where it begins.
const SHOWN: usize = 12;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// For how long each target runs.
    pub(crate) seconds: u64,
    /// One target, or all.
    pub(crate) target: Option<String>,
}

impl Options {
    /// Reads the arguments behind the command.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let (mut seconds, mut target) = (None, None);
        for pair in words.chunks(2) {
            match *pair {
                ["--seconds", number] => {
                    let number = number.parse().ok().filter(|number| *number > 0);
                    let wrong = || format!("`--seconds` takes a number from 1 on, not `{}`", pair[1]);
                    seconds = Some(number.ok_or_else(wrong)?);
                }
                ["--target", name] => target = Some(name.to_owned()),
                ["--seconds" | "--target"] => return Err(format!("`{}` takes a value", pair[0])),
                _ => return Err(format!("`fuzz` takes no `{}`", pair[0])),
            }
        }
        let seconds = seconds.ok_or("`fuzz` needs `--seconds N`: for how long each target runs")?;
        Ok(Options { seconds, target })
    }
}

/// A run that ended.
struct Ended {
    target: String,
    progress: Progress,
    /// What is wrong, if anything is.
    fault: Option<String>,
}

enum News {
    Started(String),
    Progress(String, Progress),
    Ended(Ended),
}

pub(crate) fn run(options: &Options) -> ExitCode {
    match install().and_then(|()| check(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Installs what is missing, and says so.
pub(crate) fn install() -> Result<(), String> {
    if std::env::var_os("CXX").is_none() && !servers::is_on_path("c++") {
        println!("`c++` is missing: libFuzzer is compiled from C++");
        servers::install_packages(&["g++"])?;
    }
    if is_installed() {
        return Ok(());
    }
    println!("cargo-fuzz is missing: it builds what is fuzzed (about a minute)");
    servers::say_and_run(&mut cargo(&format!("install --locked cargo-fuzz --version {CARGO_FUZZ}")))
}

pub(crate) fn is_installed() -> bool {
    has("fuzz")
}

/// Runs the targets that are asked for. What is found is an error that tells the inputs.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let all = targets()?;
    let chosen = match &options.target {
        None => all,
        Some(name) if all.contains(name) => vec![name.clone()],
        Some(name) => return Err(format!("there is no target `{name}`, only {}", all.join(", "))),
    };
    let built = fuzz("build").args(chosen.iter().take(usize::from(chosen.len() == 1))).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the targets do not build".into());
    }

    let cores = thread::available_parallelism().map_or(1, usize::from);
    let waiting = Mutex::new(VecDeque::from(chosen));
    let (sender, receiver) = mpsc::channel();
    let mut ended = thread::scope(|scope| {
        for _ in 0..cores {
            let (sender, waiting) = (sender.clone(), &waiting);
            scope.spawn(move || {
                let next = || waiting.lock().expect("nobody panics with it").pop_front();
                while let Some(target) = next() {
                    run_one(&target, options.seconds, &sender);
                }
            });
        }
        drop(sender);
        watch(&receiver)
    });
    ended.sort_by(|one, other| one.target.cmp(&other.target));
    print_table(&ended);

    let faults: Vec<_> =
        ended.iter().filter_map(|run| Some(format!("{}: {}", run.target, run.fault.as_ref()?))).collect();
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} targets found a fault", faults.len())) }
}

/// A command of cargo-fuzz, which the stable compiler is told to take for its own.
fn fuzz(command: &str) -> Command {
    let mut fuzz = cargo(&format!("fuzz {command}"));
    // The leak checker traces its process, which containers forbid; and leaks are not what is looked for.
    fuzz.env("RUSTC_BOOTSTRAP", "1").env("ASAN_OPTIONS", "detect_leaks=0");
    fuzz
}

/// The names of all targets, as the manifest has them.
fn targets() -> Result<Vec<String>, String> {
    let listed = fuzz("list").output().map_err(|error| format!("cargo-fuzz cannot be started: {error}"))?;
    let names: Vec<_> = String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect();
    if names.is_empty() {
        return Err(format!("cargo-fuzz finds no targets: {}", String::from_utf8_lossy(&listed.stderr)));
    }
    Ok(names)
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

fn run_one(target: &str, seconds: u64, sender: &Sender<News>) {
    // Nobody listens any more only where the process ends.
    let tell = |news| drop(sender.send(news));
    tell(News::Started(target.to_owned()));
    let mut progress = Progress::default();
    let fault = fuzz_one(target, seconds, &mut |line| {
        progress.read(line);
        tell(News::Progress(target.to_owned(), progress.clone()));
    });
    let fault = fault.err().map(|why| match &progress.reproducer {
        Some(path) => {
            let path = Path::new(path);
            let path = path.strip_prefix(root()).unwrap_or(path).display();
            format!("{why}\n  once more: RUSTC_BOOTSTRAP=1 cargo fuzz run {target} {path}")
        }
        None => why,
    });
    tell(News::Ended(Ended { target: target.to_owned(), progress, fault }));
}

/// Runs a target, and hands on each line that it writes.
fn fuzz_one(target: &str, seconds: u64, hear: &mut dyn FnMut(&str)) -> Result<(), String> {
    let (corpus, seeds) = (folder().join("corpus").join(target), folder().join("seeds").join(target));
    let log = folder().join("artifacts").join(format!("{target}.log"));
    let artifacts = folder().join("artifacts");
    for folder in [&corpus, &artifacts, &seeds] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let beside = |extension: &str| folder().join("fuzz_targets").join(format!("{target}.{extension}"));
    let mut command = fuzz("run");
    // What is new is kept in the first folder.
    command.arg(target).args([&corpus, &seeds]).arg("--").args(LIMITS).arg("-print_final_stats=1");
    command.args(options_of(&fs::read_to_string(beside("options")).unwrap_or_default()));
    if beside("dict").is_file() {
        command.arg(format!("-dict={}", beside("dict").display()));
    }
    command.arg(format!("-max_total_time={seconds}"));

    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("it cannot be started: {error}"))?;
    let mut file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let (mut shown, mut is_fault) = (Vec::new(), false);
    let lines = BufReader::new(child.stderr.take().expect("it is piped")).split(b'\n');
    for line in lines.map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        // A log that cannot be written keeps no fault from being found.
        let _ = writeln!(file, "{line}");
        is_fault |= line.contains("panicked at") || line.contains("ERROR: ");
        if is_fault && shown.len() < SHOWN && !line.trim().is_empty() {
            // What was decoded may be shown in it, and a terminal would obey.
            shown.push(format!("  | {}", line.replace(char::is_control, "\u{FFFD}")));
        }
        hear(&line);
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        _ => {
            let log = log.strip_prefix(root()).unwrap_or(&log).display();
            Err(format!("it ended early; its whole log: {log}\n{}", shown.join("\n")))
        }
    }
}

/// The flags in a file of options: one a line, and notes behind a `#`.
fn options_of(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| line.starts_with('-')).map(str::to_owned).collect()
}

/// Says what the runs do until all have ended.
fn watch(receiver: &Receiver<News>) -> Vec<Ended> {
    let is_live = std::io::stdout().is_terminal();
    let say = |text: &str| {
        // Over what the live line had there.
        println!("{}{text}", if is_live { "\r\x1b[2K" } else { "" });
    };
    let (mut running, mut ended) = (Vec::<(String, Progress)>::new(), Vec::new());
    loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(News::Started(target)) => {
                say(&format!("{target}: started"));
                running.push((target, Progress::default()));
            }
            Ok(News::Progress(target, now)) => {
                running
                    .iter_mut()
                    .filter(|(name, _)| *name == target)
                    .for_each(|(_, last)| *last = now.clone());
            }
            Ok(News::Ended(run)) => {
                running.retain(|(name, _)| *name != run.target);
                let how = if run.fault.is_some() { "FOUND A FAULT" } else { "ok" };
                say(&format!("{}: {how}, {} executions", run.target, run.progress.executions));
                ended.push(run);
            }
            Err(RecvTimeoutError::Timeout) if is_live => {
                let line: Vec<_> = running
                    .iter()
                    .map(|(name, now)| format!("{name} {} (coverage {})", now.executions, now.coverage))
                    .collect();
                print!("\r\x1b[2K    {}", line.join(", "));
                let _ = std::io::stdout().flush();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return ended,
        }
    }
}

fn print_table(ended: &[Ended]) {
    println!();
    let row = |cells: [&str; 8]| {
        let [target, numbers @ .., result] = cells;
        let numbers = numbers.map(|cell| format!("{cell:>11}")).concat();
        println!("{target:<22}{numbers}  {result}");
    };
    row(["target", "executions", "per second", "coverage", "features", "corpus", "peak MiB", "result"]);
    for Ended { target, progress, fault } in ended {
        let of = progress;
        let numbers = [of.executions, of.per_second, of.coverage, of.features, of.corpus, of.peak_mib]
            .map(|n| n.to_string());
        let [executions, per_second, coverage, features, corpus, peak] =
            numbers.each_ref().map(String::as_str);
        let result = if fault.is_some() { "FAULT" } else { "ok" };
        row([target, executions, per_second, coverage, features, corpus, peak, result]);
    }
    println!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_must_be_said_and_a_target_may() {
        let all = Options { seconds: 5, target: None };
        assert_eq!(Options::parse(&["--seconds", "5"]), Ok(all));
        let one = Options { seconds: 7, target: Some("json".into()) };
        assert_eq!(Options::parse(&["--target", "json", "--seconds", "7"]), Ok(one));
    }

    #[test]
    fn what_is_wrong_with_arguments_is_told() {
        for (words, told) in [
            (&[][..], "needs `--seconds N`"),
            (&["--target", "json"], "needs `--seconds N`"),
            (&["--seconds"], "`--seconds` takes a value"),
            (&["--seconds", "5", "--target"], "`--target` takes a value"),
            (&["--seconds", "0"], "not `0`"),
            (&["--seconds", "soon"], "not `soon`"),
            (&["json", "--seconds"], "takes no `json`"),
        ] {
            let error = Options::parse(words).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn options_are_lines_that_begin_as_flags() {
        assert_eq!(options_of("# why\n-max_len=7\n\n  -timeout=1 \n"), ["-max_len=7", "-timeout=1"]);
    }
}
