//! The servers that stores are tested against: which they are, and how one that is missing is installed.

use crate::root;
use std::fs;
use std::io::stdout;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages whose tests need servers, and what `cargo test` is told to run those of their tests that need none.
/// Of the first two, what needs a server is a feature which is off by default.
pub(crate) const PACKAGES: [(&str, &str); 5] = [
    ("larder-object", "--tests"),
    ("larder-testkit", "--tests"),
    ("larder-redis", "--lib"),
    ("larder-postgres", "--lib"),
    ("larder-memcached", "--lib"),
];

/// A program that a package of Debian brings.
struct OfDebian {
    program: &'static str,
    packages: &'static [&'static str],
    why: &'static str,
}

const OF_DEBIAN: [OfDebian; 4] = [
    OfDebian {
        program: "redis-server",
        packages: &["redis-server"],
        why: "larder-redis is tested against it",
    },
    OfDebian { program: "postgres", packages: &["postgresql"], why: "larder-postgres is tested against it" },
    OfDebian { program: "openssl", packages: &["openssl"], why: "it makes the certificates of tests" },
    OfDebian { program: "memcached", packages: &["memcached"], why: "larder-memcached is tested against it" },
];

const MOTO: &str = "5.2.5";
const AZURITE: &str = "3.35.0";

/// Installs what is missing, and says so. Where all is there, that takes no time.
pub(crate) fn install() -> Result<(), String> {
    let moto_is_here = is_installed("moto", MOTO) || moto_on_path();
    let azurite_is_here = is_installed("azurite", AZURITE) || azurite_on_path();

    let mut packages = Vec::new();
    for OfDebian { program, packages: its, why } in OF_DEBIAN {
        if !is_on_path(program) && !is_of_postgresql(program) {
            println!("`{program}` is missing: {why}");
            packages.extend(its);
        }
    }
    if !moto_is_here && !runs("python3", &["-c", "import venv, ensurepip"]) {
        println!("`python3` cannot make environments: moto, an S3 server, is installed into one");
        packages.extend(["python3", "python3-venv"]);
    }
    if !azurite_is_here && ["npm", "node"].iter().any(|program| !is_on_path(program)) {
        println!("`npm` is missing: azurite, a server of Azure's blobs, is installed with it");
        packages.extend(["nodejs", "npm"]);
    }

    // What one cannot be had for does not keep the others away.
    let by_apt = if packages.is_empty() { Ok(()) } else { install_packages(&packages) };
    let moto = if moto_is_here { Ok(()) } else { install_moto() };
    let azurite = if azurite_is_here { Ok(()) } else { install_azurite() };
    let problems: Vec<_> = [by_apt, moto, azurite].into_iter().filter_map(Result::err).collect();
    if problems.is_empty() {
        return Ok(());
    }
    println!("`cargo xtask test --without-servers` runs the tests that need no server");
    Err(problems.join("; "))
}

pub(crate) fn install_packages(packages: &[&str]) -> Result<(), String> {
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !is_on_path("apt-get") {
        return Err(format!("there is no apt-get for {}: install them by hand", packages.join(", ")));
    }
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root && !is_on_path("sudo") {
        return Err(format!("this takes root: `{line}`"));
    }
    for line in ["apt-get -q update", &line] {
        let mut command = Command::new(if is_root { "env" } else { "sudo" });
        // With `sudo` it is the one of the command, which would not get it otherwise.
        command.args(if is_root { &[][..] } else { &["env"] });
        say_and_run(command.arg("DEBIAN_FRONTEND=noninteractive").args(line.split(' ')))?;
    }
    Ok(())
}

fn install_moto() -> Result<(), String> {
    println!("moto {MOTO} is missing: larder-object is tested against it, which serves S3");
    let folder = make_room("moto")?;
    say_and_run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let moto = format!("moto[server,s3]=={MOTO}");
    say_and_run(Command::new(folder.join("bin/python")).args(pip).arg(moto))?;
    note_installed("moto", MOTO)
}

fn install_azurite() -> Result<(), String> {
    println!("azurite {AZURITE} is missing: larder-object is tested against it, which serves Azure's blobs");
    let folder = make_room("azurite")?;
    let npm = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"];
    let azurite = format!("azurite@{AZURITE}");
    say_and_run(Command::new("npm").args(npm).arg(&folder).arg(azurite))?;
    note_installed("azurite", AZURITE)
}

/// Where the test kit looks for them too.
fn folder_of(name: &str) -> PathBuf {
    let servers = std::env::var_os("LARDER_SERVERS_DIR").unwrap_or_else(|| "target/servers".into());
    root().join(servers).join(name)
}

/// Makes the folder of a server anew: an installation that broke off is worth nothing.
fn make_room(name: &str) -> Result<PathBuf, String> {
    let folder = folder_of(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn note_installed(name: &str, version: &str) -> Result<(), String> {
    let note = folder_of(name).join("version");
    fs::write(&note, version).map_err(|error| format!("{}: {error}", note.display()))
}

fn is_installed(name: &str, version: &str) -> bool {
    fs::read_to_string(folder_of(name).join("version")).is_ok_and(|installed| installed == version)
}

fn moto_on_path() -> bool {
    let version = Command::new("python3").args(["-c", "import moto; print(moto.__version__)"]).output();
    is_on_path("moto_server") && version.is_ok_and(|output| output.stdout.trim_ascii() == MOTO.as_bytes())
}

fn azurite_on_path() -> bool {
    let version = Command::new("azurite-blob").arg("--version").output();
    version.is_ok_and(|output| output.stdout.trim_ascii() == AZURITE.as_bytes())
}

pub(crate) fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Debian keeps the programs of each version of `PostgreSQL` in a folder of its own.
fn is_of_postgresql(program: &str) -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.into_iter().any(|version| version.path().join("bin").join(program).is_file())
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

pub(crate) fn say_and_run(command: &mut Command) -> Result<(), String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| shown(Path::new(word))).collect();
    let line = words.join(" ");
    println!("    {line}");
    match command.current_dir(root()).stderr(stdout()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}`: {status}")),
        Err(error) => Err(format!("`{line}` cannot be started: {error}")),
    }
}

/// A word of a command, without the folder that everybody knows.
fn shown(word: &Path) -> String {
    word.strip_prefix(root()).unwrap_or(word).display().to_string()
}
