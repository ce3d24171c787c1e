//! What holds for every server, shown with the one that starts fastest.

use crate::resp::Client;
use larder_testkit::servers::Redis;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Set for the process that a test starts in order to kill it.
const VICTIM: &str = "LARDER_TEST_VICTIM";

fn connects(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn runs(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn a_paused_server_answers_when_it_is_resumed_and_not_before() {
    let redis = Redis::start();
    let mut client = Client::connect(redis.port());
    assert_eq!(client.ask("PING"), "+PONG");

    redis.pause();
    client.send("PING").unwrap();
    let state = std::fs::read_to_string(format!("/proc/{}/stat", redis.id())).unwrap();
    assert!(state.contains(") T "), "{state}");
    assert!(connects(redis.port()), "the system takes connections for it");

    redis.resume();
    assert_eq!(client.receive().unwrap(), "+PONG");
}

#[test]
fn a_killed_server_is_gone_at_once() {
    let redis = Redis::start();
    let mut client = Client::connect(redis.port());
    client.ask("PING");

    redis.kill();

    assert!(!connects(redis.port()));
    assert!(client.try_ask("PING").is_err());
    assert!(!runs(redis.id()));
}

#[test]
fn a_paused_server_can_be_killed() {
    let redis = Redis::start();
    redis.pause();
    redis.kill();
    assert!(!connects(redis.port()));
}

#[test]
fn a_server_can_be_told_anything_when_it_is_dead() {
    let redis = Redis::start();
    redis.kill();
    redis.kill();
    redis.pause();
    redis.resume();
    assert!(!connects(redis.port()));
}

#[test]
fn a_restarted_server_is_where_it_was() {
    let redis = Redis::start();
    let (port, folder, process) = (redis.port(), redis.folder().to_owned(), redis.id());
    std::fs::write(folder.join("note"), "kept").unwrap();

    redis.restart();
    redis.kill();
    redis.restart();

    assert_eq!((redis.port(), redis.folder()), (port, &*folder));
    assert_ne!(redis.id(), process);
    assert_eq!(std::fs::read_to_string(folder.join("note")).unwrap(), "kept");
    assert_eq!(Client::connect(port).ask("PING"), "+PONG");
}

#[test]
fn a_dropped_server_leaves_nothing() {
    for before in [|_: &Redis| (), Redis::kill_it, Redis::pause_it, Redis::restart_it] {
        let redis = Redis::start();
        before(&redis);
        let (port, folder, process) = (redis.port(), redis.folder().to_owned(), redis.id());

        drop(redis);

        assert!(!connects(port) && !folder.exists() && !runs(process));
    }
}

/// As functions of one type.
trait Orders {
    fn kill_it(&self);
    fn pause_it(&self);
    fn restart_it(&self);
}

impl Orders for Redis {
    fn kill_it(&self) {
        self.kill();
    }

    fn pause_it(&self) {
        self.pause();
    }

    fn restart_it(&self) {
        self.restart();
    }
}

#[test]
fn servers_start_side_by_side() {
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(Client::connect(Redis::start().port()).ask("PING"), "+PONG"));
        }
    });
}

#[test]
fn the_log_is_that_of_the_last_start() {
    let redis = Redis::start();
    Client::connect(redis.port()).send("DEBUG LOG hello").unwrap();

    redis.restart();
    redis.wait_for_log("Ready to accept connections");

    assert!(redis.log().contains("Ready to accept connections"));
    assert!(!redis.log().contains("hello"));
}

#[test]
#[should_panic(expected = "did not start. It wrote:")]
fn a_server_that_does_not_start_shows_what_it_wrote() {
    Redis::options().arguments("--no-such-option 1").start();
}

/// Not a test of its own: what is killed by the next ones.
#[test]
fn victim() {
    let Ok(how) = std::env::var(VICTIM) else { return };
    if how == "outside" {
        let redis = Redis::shared();
        println!("victim {} 0 {}", redis.port(), redis.url());
        redis.pause();
    }
    let redis = match &*how {
        "shared" => Redis::shared(),
        _ => Box::leak(Box::new(Redis::start())),
    };
    match &*how {
        "paused" => redis.pause(),
        "restarted" => redis.restart(),
        _ => {}
    }
    println!("victim {} {} {}", redis.port(), redis.id(), redis.folder().display());
    if how == "shared" {
        return;
    }
    loop {
        std::thread::park();
    }
}

fn victim_with_server(how: &str) -> (Child, u16, u32, PathBuf) {
    spawn_victim(how, &[])
}

fn spawn_victim(how: &str, environment: &[(&str, &str)]) -> (Child, u16, u32, PathBuf) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["process::victim", "--exact", "--nocapture"])
        .env(VICTIM, how)
        .envs(environment.iter().copied())
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(victim.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("victim ") {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the victim did not come so far");
    }
    // It goes on to write there.
    victim.stdout = Some(output.into_inner());
    let words: Vec<_> = line.split_whitespace().skip_while(|word| *word != "victim").collect();
    (victim, words[1].parse().unwrap(), words[2].parse().unwrap(), words[3].into())
}

/// Nothing tells when a process that is not ours has ended; this one is about to.
fn wait_for_the_end_of(process: u32, folder: &Path) {
    while runs(process) || folder.exists() {
        std::thread::yield_now();
    }
}

/// As a key does that ends the tests: all processes of their group get the signal.
#[test]
fn a_server_dies_with_a_test_process_that_is_interrupted() {
    let (mut victim, port, process, folder) = victim_with_server("running");

    let kill = format!("kill -s INT -- -{}", victim.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    victim.wait().unwrap();

    wait_for_the_end_of(process, &folder);
    assert!(!connects(port));
}

/// The one that is named is somebody else's: here, that of this test.
#[test]
fn the_shared_server_can_be_one_from_outside_which_no_test_may_stop() {
    let redis = Redis::start();
    let (mut victim, port, _, url) = spawn_victim("outside", &[("LARDER_TEST_REDIS_URL", redis.url())]);

    assert_eq!((port, url.to_str()), (redis.port(), Some(redis.url())));
    let mut problem = String::new();
    victim.stderr.take().unwrap().read_to_string(&mut problem).unwrap();
    assert!(
        problem.contains("this Redis is the one of LARDER_TEST_REDIS_URL and no process of this test"),
        "{problem}"
    );
    assert!(!victim.wait().unwrap().success());
    assert_eq!(Client::connect(redis.port()).ask("PING"), "+PONG");
}

#[test]
fn a_server_dies_with_a_test_process_that_is_killed() {
    for how in ["running", "paused", "restarted"] {
        let (mut victim, port, process, folder) = victim_with_server(how);
        assert!(connects(port) && runs(process) && folder.exists());

        victim.kill().unwrap();
        victim.wait().unwrap();

        wait_for_the_end_of(process, &folder);
        assert!(!connects(port));
    }
}

#[test]
fn the_shared_server_dies_with_a_test_process_that_ends() {
    let (mut victim, port, process, folder) = victim_with_server("shared");
    assert!(victim.wait().unwrap().success());

    wait_for_the_end_of(process, &folder);
    assert!(!connects(port));
}
