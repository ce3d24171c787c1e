//! PostgreSQL.

use super::process::{Plan, Process};
use super::{outside, port, program};
use std::ops::Deref;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const NAME: &str = "PostgreSQL";
const VARIABLE: &str = "LARDER_TEST_POSTGRES_URL";
const CURE: &str = "`apt-get install postgresql`, or LARDER_TEST_POSTGRES_URL for `shared()`";

/// A PostgreSQL server. It may lose what it has written if the machine fails, and is the faster for it; what is
/// committed survives [`kill`](Process::kill).
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::Postgres;
///
/// let (mine, yours) = (Postgres::shared().database(), Postgres::shared().database());
/// assert_ne!(mine, yours);
/// ```
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    url: String,
}

impl Postgres {
    /// Starts a server, which takes about a second. Root cannot run one: for root, it runs as the user `postgres`.
    ///
    /// # Panics
    ///
    /// If there is no `postgres` here, or it does not start.
    pub fn start() -> Self {
        let postgres = find("postgres");
        let process = Process::start(NAME, |port, folder| plan(&postgres, port, folder));
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", process.port());
        Postgres { process, url }
    }

    /// Returns the server of this process, started with the first call; or the one that `LARDER_TEST_POSTGRES_URL`
    /// names.
    ///
    /// # Panics
    ///
    /// If there is no `postgres` here, or it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match outside::server(NAME, VARIABLE) {
            Some((process, url)) => Postgres { process, url },
            None => Postgres::start(),
        })
    }

    /// Returns the URL of the database that every server has, with a user who may do everything and needs no
    /// password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a new, empty database and returns its URL. It goes with the server; on one which is not ours it
    /// stays, under a name that begins with `larder_test`.
    ///
    /// # Panics
    ///
    /// If there is no `psql` here, or the server refuses.
    pub fn database(&self) -> String {
        let name = format!("larder_test_{:016x}", port::random());
        let output = Command::new(find("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-password", "--command"])
            .arg(format!("CREATE DATABASE {name}"))
            .arg(&self.url)
            .output()
            .expect("`psql` starts");
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "PostgreSQL makes no database: {problem}");
        with_database(&self.url, &name)
    }
}

impl Deref for Postgres {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

fn find(program: &str) -> PathBuf {
    // Debian keeps the programs of each version apart, and has only some of them on PATH.
    program::find(
        program,
        program::path().into_iter().chain(program::versions("/usr/lib/postgresql", "bin")),
        CURE,
    )
}

fn plan(postgres: &Path, port: u16, folder: &Path) -> Plan {
    // In one shell, which becomes the server: so its log tells why there is no cluster of databases, and one
    // who kills the test early kills this too. At a restart the databases are there.
    let script = "[ -s data/PG_VERSION ] || \
                  \"$1\" -D data -A trust -U postgres --no-sync --locale=C.UTF-8 --encoding=UTF8 || exit; \
                  shift; exec \"$@\"";
    // Without `synchronous_commit=off`, which forgets at a kill what it has just confirmed, and saves little beside
    // `fsync=off`.
    let options = format!(
        "-D data -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \
         -c fsync=off -c full_page_writes=off"
    );
    let shell = |plan: Plan| {
        let initdb = postgres.with_file_name("initdb");
        plan.arguments("-c")
            .argument(script)
            .arguments("sh")
            .argument(initdb)
            .argument(postgres)
            .arguments(&options)
    };
    let (ready, sh) = ("database system is ready to accept connections", PathBuf::from("/bin/sh"));
    let mut plan = match unprivileged() {
        None => shell(Plan::new(sh, ready)),
        Some((user, group)) => {
            chown(folder, Some(user), Some(group)).expect("root may give a folder away");
            let setpriv = program::find("setpriv", program::path(), "`apt-get install util-linux`");
            let plan = Plan::new(setpriv, ready);
            shell(plan.arguments(&format!("--reuid={user} --regid={group} --init-groups --")).argument(sh))
        }
    };
    plan.last_signal = "QUIT";
    plan.after = REMOVE_SHARED_MEMORY;
    plan
}

/// One that is killed and not started again leaves a segment of shared memory, which line 7 names.
const REMOVE_SHARED_MEMORY: &str = "line=$(sed -n 7p \"$folder/data/postmaster.pid\") 2>/dev/null && \
                                    ipcrm -m \"${line##* }\"";

/// The user and group `postgres`, if we are root.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output =
            Command::new("id").args(arguments).output().ok().filter(|output| output.status.success());
        String::from_utf8_lossy(&output?.stdout).trim().parse::<u32>().ok()
    };
    if id(&["-u"])? != 0 {
        return None;
    }
    let postgres = id(&["-u", "postgres"]).zip(id(&["-g", "postgres"]));
    Some(
        postgres.expect(
            "PostgreSQL does not run as root, and there is no user `postgres`: its package makes one",
        ),
    )
}

/// The same URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) =
        url.split_once('?').map_or((url, ""), |(address, _)| (address, &url[address.len()..]));
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
    let authority = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{authority}/{name}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_changes() {
        let url = "postgres://me:pass@db.test:5432/first?sslmode=disable";
        assert_eq!(with_database(url, "second"), "postgres://me:pass@db.test:5432/second?sslmode=disable");
        assert_eq!(with_database("postgres://db.test:5432", "second"), "postgres://db.test:5432/second");
    }
}
