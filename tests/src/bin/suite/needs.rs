//! What steps need, how the suite sees whether it is there, and how it is installed.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{miri, progress, tools};

/// Something that a step cannot run without.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// A program, and the package of Debian that it is in.
    Program(&'static str, &'static str),
    /// The server of `PostgreSQL`, which Debian has outside the path.
    Postgres,
    /// What npm installs in this folder.
    Npm(&'static str),
    /// The fuzzer's tool, which cargo builds.
    CargoFuzz,
    /// What reads the licences of dependencies, which cargo builds.
    CargoDeny,
    /// A nightly toolchain with Miri.
    Miri,
    /// Servers that the step's own program installs and starts.
    Brings(&'static str),
}

pub(crate) const NPM: Need = Need::Program("npm", "npm");
pub(crate) const CHROMIUM: Need = Need::Program("chromium", "chromium");
pub(crate) const FIREFOX: Need = Need::Program("firefox-esr", "firefox-esr");
pub(crate) const QEMU_ARM: Need = Need::Program("qemu-system-arm", "qemu-system-arm");
pub(crate) const QEMU_RISCV: Need = Need::Program("qemu-system-riscv32", "qemu-system-misc");

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Program(program, package) if program == package => f.write_str(program),
            Self::Program(program, package) => write!(f, "{program} ({package})"),
            Self::Postgres => f.write_str("postgresql"),
            Self::Npm(folder) => write!(f, "npm ci in {folder}"),
            Self::CargoFuzz => write!(f, "cargo-fuzz {}", tools::FUZZ.version),
            Self::CargoDeny => write!(f, "cargo-deny {}", tools::DENY.version),
            Self::Miri => write!(f, "Miri ({})", miri::NIGHTLY),
            Self::Brings(servers) => f.write_str(servers),
        }
    }
}

impl Need {
    /// Installs it if it is missing, as root or by a sudo that asks for no password.
    ///
    /// # Errors
    ///
    /// What to run, if the suite cannot.
    pub(crate) fn meet(self, root: &Path) -> Result<(), String> {
        match self {
            Self::Program(program, _) if starts(program) => Ok(()),
            Self::Postgres if has_postgres() => Ok(()),
            Self::Npm(folder) if is_installed(root, folder) => Ok(()),
            Self::Program(_, package) => debian(root, package),
            Self::Postgres => debian(root, "postgresql"),
            Self::Npm(folder) => {
                NPM.meet(root)?;
                installed_by(root, &format!("npm ci --prefix {folder}"))
            }
            Self::CargoFuzz => tools::FUZZ.install(root),
            Self::CargoDeny => tools::DENY.install(root),
            Self::Miri => miri::install(root),
            Self::Brings(_) => Ok(()),
        }
    }
}

/// Whether a program can be started; what it exits with when asked for help differs.
fn starts(program: &str) -> bool {
    // By `-h` dnsmasq starts to serve; by `--help` none of them does.
    Command::new(program).arg("--help").stdin(Stdio::null()).output().is_ok()
}

fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    versions.is_ok_and(|all| all.flatten().any(|one| one.path().join("bin/initdb").exists()))
}

/// Whether what npm installed in a folder is as new as its lock file.
fn is_installed(root: &Path, folder: &str) -> bool {
    let changed = |path: &str| std::fs::metadata(root.join(folder).join(path))?.modified();
    let locked = changed("package-lock.json");
    let installed = changed("node_modules/.package-lock.json");
    locked.and_then(|locked| Ok(installed? >= locked)).unwrap_or(false)
}

/// A command of these words, in the folder of the project.
pub(crate) fn command(root: &Path, line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("false"));
    command.args(words).current_dir(root).stdin(Stdio::null());
    command
}

fn succeeds(mut command: Command) -> bool {
    progress::output(&mut command).is_ok_and(|output| output.status.success())
}

/// Runs a command that installs something.
pub(crate) fn installed_by(root: &Path, line: &str) -> Result<(), String> {
    println!("== install: {line}");
    let worked = succeeds(command(root, line));
    if worked { Ok(()) } else { Err(format!("it cannot be installed: run `{line}`")) }
}

/// A package of the system.
fn debian(root: &Path, package: &str) -> Result<(), String> {
    let to_run = format!("sudo apt-get install -y {package}");
    if !starts("apt-get") {
        return Err(format!("it is missing, and so is apt-get: install {package}"));
    }
    let is_root = command(root, "id -u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    let sudo = if is_root { "" } else { "sudo -n " };
    if !is_root && !command(root, "sudo -n true").output().is_ok_and(|sudo| sudo.status.success()) {
        return Err(format!("it is missing: run `{to_run}`"));
    }
    println!("== install: {sudo}apt-get install {package}");
    let run = |line: String| {
        let mut command = command(root, &line);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        succeeds(command)
    };
    // An old list of packages may do, and a new one may not be had for every source.
    let _ = run(format!("{sudo}apt-get update -q"));
    if run(format!("{sudo}apt-get install -qy --no-install-recommends {package}")) {
        return Ok(());
    }
    Err(format!("it cannot be installed: run `{to_run}`"))
}

pub(crate) const BARE_TARGETS: [&str; 4] = [
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "riscv32imac-unknown-none-elf",
];

/// The pinned toolchain with its targets; rustup fetches only what is missing.
pub(crate) fn toolchain(root: &Path) -> Result<(), String> {
    // Under `cargo run` the environment names the toolchain; then rustup would not read
    // what else `rust-toolchain.toml` asks for.
    let rustup = |line: &str| {
        let mut command = command(root, line);
        command.env_remove("RUSTUP_TOOLCHAIN");
        command
    };
    let installed = rustup("rustup target list --installed").output();
    let installed = installed.map_err(|why| format!("rustup cannot be run: {why}"))?;
    let installed = String::from_utf8_lossy(&installed.stdout).into_owned();
    let wanted = BARE_TARGETS.into_iter().chain(["wasm32-unknown-unknown"]);
    if wanted.into_iter().all(|target| installed.lines().any(|line| line == target)) {
        return Ok(());
    }
    println!("== toolchain: rustup toolchain install --no-self-update");
    match rustup("rustup toolchain install --no-self-update").status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the toolchain cannot be installed: run `rustup toolchain install`".into()),
    }
}
