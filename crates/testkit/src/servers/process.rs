//! What all servers have in common: a process which listens on a port.

use super::folder::Folder;
use super::log::Log;
use super::port;
use super::watchdog::{Order, Watchdog};
use parking_lot::{Mutex, MutexGuard};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A port that was free may be taken by another process before the server gets there.
const ATTEMPTS: usize = 10;

/// A server's process. What it does here happens to the server as a whole, and has happened when the call returns.
///
/// # Examples
///
/// ```no_run
/// use larder_testkit::servers::Memcached;
///
/// let memcached = Memcached::start();
/// let port = memcached.port();
/// memcached.kill();
/// assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
///
/// memcached.restart();
/// assert_eq!(memcached.port(), port);
/// assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
/// ```
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    port: u16,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Here(Box<Here>),
    /// Whoever runs the tests has started it; this variable says where.
    Outside(&'static str),
}

#[derive(Debug)]
struct Here {
    plan: Plan,
    /// Held while the server is told something, so that orders do not mix. Declared before the folder, so that the
    /// server has ended when that is removed.
    run: Mutex<Watchdog>,
    folder: Folder,
}

/// How a server is started.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(&'static str, &'static str)>,
    /// A piece of the line by which the server says that it takes connections.
    pub(super) ready: &'static str,
    /// The signal by which it is ended at last.
    pub(super) last_signal: &'static str,
    /// What the shell is to do then, in the server's folder.
    pub(super) after: &'static str,
}

impl Plan {
    pub(super) fn new(program: PathBuf, ready: &'static str) -> Self {
        let (arguments, environment) = (Vec::new(), Vec::new());
        Plan { program, arguments, environment, ready, last_signal: "KILL", after: "" }
    }

    /// Adds arguments, separated by blanks.
    pub(super) fn arguments(mut self, arguments: &str) -> Self {
        self.arguments.extend(arguments.split_whitespace().map(OsString::from));
        self
    }

    /// Adds one argument, whatever is in it.
    pub(super) fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }
}

/// Another process listens on the port.
#[derive(Debug)]
pub(super) struct PortTaken;

impl Process {
    /// Starts the server called `name` as is planned for a port and a folder, on a free port.
    pub(super) fn start(name: &'static str, plan: impl Fn(u16, &Path) -> Plan) -> Self {
        for _ in 0..ATTEMPTS {
            if let Ok(process) = Self::start_on(port::free(), name, &plan) {
                return process;
            }
        }
        panic!("{name} found each of {ATTEMPTS} ports taken by others");
    }

    /// Starts the server on this port.
    pub(super) fn start_on(
        port: u16,
        name: &'static str,
        plan: impl Fn(u16, &Path) -> Plan,
    ) -> Result<Self, PortTaken> {
        let folder = Folder::new(name);
        let plan = plan(port, folder.path());
        let run = run(name, &plan, &folder)?;
        let place = Place::Here(Box::new(Here { plan, run: Mutex::new(run), folder }));
        Ok(Process { name, port, place })
    }

    /// Names a server that was started by whoever runs the tests, and is told about in `variable`.
    pub(super) fn outside(name: &'static str, port: u16, variable: &'static str) -> Self {
        Process { name, port, place: Place::Outside(variable) }
    }

    /// Returns the port on which it listens, on 127.0.0.1 unless the server is not ours.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns its process.
    ///
    /// # Panics
    ///
    /// If the server is not ours, but named by an environment variable. This holds for all methods but `port`.
    pub fn id(&self) -> u32 {
        self.run().process()
    }

    /// Returns the folder that it may write to. It is removed with the server.
    pub fn folder(&self) -> &Path {
        self.here().folder.path()
    }

    /// Stops it where it is, like a machine that hangs: connections are kept and even taken, and nothing is answered.
    pub fn pause(&self) {
        self.run().order(Order::Stop);
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.run().order(Order::Continue);
    }

    /// Kills it: connections are reset, new ones refused. What it keeps in its folder remains.
    pub fn kill(&self) {
        self.run().order(Order::Kill);
    }

    /// Starts it again, in the same folder and on the same port, and waits until it is ready. If it still runs, it is
    /// killed first.
    ///
    /// # Panics
    ///
    /// If it does not start, say because another process has taken the port.
    pub fn restart(&self) {
        let Here { plan, run: current, folder } = self.here();
        let mut current = current.lock();
        current.order(Order::Kill);
        // The old watchdog stays until the new one is there: one of them must see the end of this process.
        let new = run(self.name, plan, folder);
        let new = new.unwrap_or_else(|PortTaken| panic!("{}: port {} is taken", self.name, self.port));
        std::mem::replace(&mut *current, new).leave();
    }

    /// Waits until it has written a line with this text since it was last started.
    ///
    /// # Panics
    ///
    /// If the server ends without, or none comes in a minute.
    pub fn wait_for_log(&self, text: &str) {
        let log = self.run().log().clone();
        assert!(log.wait_for(text), "{} wrote nothing with `{text}`, but:\n{}", self.name, log.text());
    }

    /// Returns what it has written to its standard streams since it was last started: the last thousand lines. What
    /// it writes of a request before it answers is in it when the answer has come.
    pub fn log(&self) -> String {
        self.run().log().text()
    }

    fn run(&self) -> MutexGuard<'_, Watchdog> {
        self.here().run.lock()
    }

    fn here(&self) -> &Here {
        match &self.place {
            Place::Here(here) => here,
            Place::Outside(variable) => panic!(
                "this {} is the one of {variable} and no process of this test: use `start()` for a server of its own",
                self.name
            ),
        }
    }
}

/// Starts a server and waits until it says that it is ready.
fn run(name: &str, plan: &Plan, folder: &Folder) -> Result<Watchdog, PortTaken> {
    let run = Watchdog::start(plan, folder);
    let log: &Log = run.log();
    if log.wait_for(plan.ready) {
        Ok(run)
    } else if log.contains("address already in use") {
        Err(PortTaken)
    } else {
        panic!("{name} (`{}`) did not start. It wrote:\n{}", plan.program.display(), log.text())
    }
}
