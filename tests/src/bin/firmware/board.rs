//! The boards: which processor, how an image is built for it, how it is emulated.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Board {
    /// Cortex-M0, 16 KB of RAM
    Microbit,
    /// Cortex-M3
    Lm3s6965evb,
    /// Cortex-M4F
    #[value(name = "mps2-an386")]
    Mps2An386,
    /// RISC-V, RV32IMAC
    Virt,
}

/// The workspace of the images, and where cargo puts what it builds of it.
fn folders() -> (PathBuf, PathBuf) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware");
    let target = workspace.join("target");
    (workspace, target)
}

fn cargo_build(package: &str, what: &[&str]) -> Result<(), String> {
    let (workspace, target) = folders();
    let build = Command::new("cargo")
        .args(["build", "--release", "--locked", "--quiet", "-p", package])
        .args(what)
        .current_dir(&workspace)
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .map_err(|why| format!("cargo cannot be run: {why}"))?;
    if build.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&build.stderr);
    Err(format!("{package} does not build with {}:\n{said}", what.join(" ")))
}

/// A second of emulation is minutes of a processor; what takes longer hangs.
const LIMIT_SECS: &str = "120";

impl Board {
    pub(crate) const fn target(self) -> &'static str {
        match self {
            Self::Microbit => "thumbv6m-none-eabi",
            Self::Lm3s6965evb => "thumbv7m-none-eabi",
            Self::Mps2An386 => "thumbv7em-none-eabihf",
            Self::Virt => "riscv32imac-unknown-none-elf",
        }
    }

    const fn machine(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Microbit => ("qemu-system-arm", &["-M", "microbit"]),
            Self::Lm3s6965evb => ("qemu-system-arm", &["-M", "lm3s6965evb"]),
            Self::Mps2An386 => ("qemu-system-arm", &["-M", "mps2-an386"]),
            Self::Virt => ("qemu-system-riscv32", &["-M", "virt", "-bios", "none"]),
        }
    }

    /// Builds all images of a package at once: links then run beside each other, and
    /// [`build`](Self::build) finds the images built. A cargo for each board, as features unify
    /// over the targets of one, and the boards' critical sections exclude each other.
    ///
    /// # Errors
    ///
    /// What cargo says if one does not build.
    pub(crate) fn build_all(self, package: &str) -> Result<(), String> {
        cargo_build(package, &["--bins", "--target", self.target()])
    }

    /// Builds one of the images, with these features, and says where it is.
    pub(crate) fn build(self, image: &str, features: &str) -> Result<PathBuf, String> {
        self.build_of("firmware", image, features)
    }

    /// The same of another package of the workspace.
    pub(crate) fn build_of(
        self,
        package: &str,
        image: &str,
        features: &str,
    ) -> Result<PathBuf, String> {
        self.build_with(package, image, &["--features", features])
    }

    /// The same with these options of cargo.
    pub(crate) fn build_with(
        self,
        package: &str,
        image: &str,
        options: &[&str],
    ) -> Result<PathBuf, String> {
        let what = [&["--bin", image, "--target", self.target()], options].concat();
        cargo_build(package, &what)?;
        let (_, target) = folders();
        Ok(target.join(self.target()).join("release").join(image))
    }

    /// Runs an image with these arguments to its end, and further options of QEMU.
    pub(crate) fn emulate(
        self,
        image: &Path,
        arguments: &[&Path],
        options: &[&str],
    ) -> Result<Output, String> {
        let mut semihosting = vec!["enable=on,target=native,arg=image".to_owned()];
        semihosting.extend(arguments.iter().map(|path| format!("arg={}", path.display())));
        let semihosting = semihosting.join(",");
        let (emulator, machine) = self.machine();
        let output = Command::new("timeout")
            .args(["--kill-after=1", LIMIT_SECS, emulator])
            .args(machine)
            .args(["-nographic", "-monitor", "none", "-serial", "none"])
            .args(["-semihosting-config", &semihosting])
            .args(options)
            .arg("-kernel")
            .arg(image)
            .stdin(Stdio::null())
            .output()
            .map_err(|why| format!("{emulator} cannot be run: {why}"))?;
        match output.status.code() {
            Some(124 | 137) => Err(format!("{emulator} was stopped after {LIMIT_SECS} s")),
            Some(126 | 127) => Err(format!("{emulator} is missing")),
            _ => Ok(output),
        }
    }
}

/// What an image said, both ways.
pub(crate) fn said(output: &Output) -> String {
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said += &String::from_utf8_lossy(&output.stderr);
    said
}
