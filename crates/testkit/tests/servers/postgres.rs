//! PostgreSQL and its databases.

use larder_testkit::servers::Postgres;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection that speaks as much of the protocol as a test needs.
struct Client(TcpStream);

impl Client {
    fn connect(postgres: &Postgres, url: &str) -> Self {
        let database = url.rsplit_once('/').unwrap().1;
        let connection = TcpStream::connect(("127.0.0.1", postgres.port())).unwrap();
        let mut client = Client(connection);
        let start = format!("\0\x03\0\0user\0postgres\0database\0{database}\0\0");
        client.send(start.as_bytes()).unwrap();
        client.answer().unwrap();
        client
    }

    /// Returns the first column of the first row, or the message of an error.
    fn ask(&mut self, sql: &str) -> std::io::Result<String> {
        self.0.write_all(b"Q")?;
        self.send(format!("{sql}\0").as_bytes())?;
        self.answer()
    }

    fn send(&mut self, body: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        self.0.write_all(&[&length, body].concat())
    }

    /// Reads up to where the server is ready for a query.
    fn answer(&mut self) -> std::io::Result<String> {
        let mut answer = String::new();
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head)?;
            let length = u32::from_be_bytes(head[1..].try_into().unwrap());
            let mut body = vec![0; length as usize - 4];
            self.0.read_exact(&mut body)?;
            match head[0] {
                b'Z' => return Ok(answer),
                b'D' => answer = String::from_utf8_lossy(&body[6..]).into_owned(),
                b'E' => answer = String::from_utf8_lossy(&body).into_owned(),
                _ => {}
            }
        }
    }
}

#[test]
fn each_database_is_empty_and_of_its_own() {
    let postgres = Postgres::shared();
    let (mine, yours) = (postgres.database(), postgres.database());
    let (mut me, mut you) = (Client::connect(postgres, &mine), Client::connect(postgres, &yours));

    me.ask("CREATE TABLE entries (key text)").unwrap();
    me.ask("INSERT INTO entries VALUES ('ada')").unwrap();

    assert_eq!(me.ask("SELECT key FROM entries").unwrap(), "ada");
    assert!(you.ask("SELECT key FROM entries").unwrap().contains("does not exist"));
    assert!(mine.starts_with(&format!("postgres://postgres@127.0.0.1:{}/larder_test_", postgres.port())));
}

#[test]
fn what_is_committed_survives_a_kill() {
    let postgres = Postgres::start();
    let mut client = Client::connect(&postgres, postgres.url());
    client.ask("CREATE TABLE entries AS SELECT 'ada' AS key").unwrap();

    postgres.kill();
    assert!(client.ask("SELECT 1").is_err());
    postgres.restart();

    let mut client = Client::connect(&postgres, postgres.url());
    assert_eq!(client.ask("SELECT key FROM entries").unwrap(), "ada");
}

/// `PostgreSQL` has a process for each connection, in a session of its own, which would go on.
#[test]
fn a_pause_reaches_connections_that_are_open() {
    let postgres = Postgres::start();
    let mut client = Client::connect(&postgres, postgres.url());
    let process = client.ask("SELECT pg_backend_pid()").unwrap();
    let state = || std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();

    postgres.pause();
    assert!(state().contains(") T "), "{}", state());

    postgres.resume();
    assert_eq!(client.ask("SELECT 1").unwrap(), "1");
}

#[test]
fn it_leaves_no_shared_memory() {
    let segments = || std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let segment_of = |postgres: &Postgres| {
        let lock = std::fs::read_to_string(postgres.folder().join("data/postmaster.pid")).unwrap();
        lock.lines().nth(6).unwrap().split_whitespace().last().unwrap().to_owned()
    };
    for before in
        [|_: &Postgres| (), |postgres: &Postgres| postgres.kill(), |postgres: &Postgres| postgres.pause()]
    {
        let postgres = Postgres::start();
        let segment = segment_of(&postgres);
        let is_there = || segments().lines().any(|line| line.split_whitespace().nth(1) == Some(&*segment));
        assert!(is_there());

        before(&postgres);
        drop(postgres);

        assert!(!is_there());
    }
}
