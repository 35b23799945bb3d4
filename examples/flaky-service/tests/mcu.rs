//! The demo on a microcontroller, where it must not run or cannot.

#![cfg(unix)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

fn demo(arguments: &[&str], path: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(arguments).env_remove("CI");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command.output().expect("demo starts")
}

fn only_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(output.stdout.is_empty());
    text.trim_end().to_owned()
}

#[test]
fn without_the_emulator_one_line_names_the_command_that_installs_it() {
    let output = demo(&["--mcu"], Some("/nowhere"));
    assert_eq!(output.status.code(), Some(2));
    let line = only_line(&output);
    assert!(line.ends_with("run `sudo apt-get install -y qemu-system-arm`"), "{line}");
}

/// A folder of programs for `PATH`, which is removed in the end.
struct Programs(PathBuf);

impl Programs {
    fn new(name: &str, scripts: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for (program, script) in scripts {
            let path = folder.join(program);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("executable");
        }
        Self(folder)
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn in_ci_root_installs_the_emulator_and_goes_on() {
    // Installing puts a program of the package's name beside the one that installs.
    let install = r#"echo "$@" >> "$0.log"; [ "$1" = update ] || {
        echo '#!/bin/sh' > "${0%/*}/qemu-system-arm"; /bin/chmod +x "${0%/*}/qemu-system-arm"; }"#;
    let programs = Programs::new("installs", &[("id", "echo 0"), ("apt-get", install)]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    let output = command.arg("--mcu").env("CI", "true").env("PATH", &programs.0).output();
    let output = output.expect("demo starts");
    let asked = std::fs::read_to_string(programs.0.join("apt-get.log")).expect("apt-get was run");
    assert_eq!(asked, "update -q\ninstall -qy --no-install-recommends qemu-system-arm\n");
    // It went on as far as this path allows: to the build of the firmware.
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.lines().count() == 1 && errors.contains("cargo cannot be run"), "{errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    let first = text.lines().next().unwrap_or_default();
    assert!(first.contains("about a minute after the build"), "{text}");
}

#[test]
fn in_ci_without_root_nothing_is_installed() {
    let programs = Programs::new("no-root", &[("id", "echo 1000"), ("apt-get", "exit 0")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    let output = command.arg("--mcu").env("CI", "true").env("PATH", &programs.0).output();
    let output = output.expect("demo starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(only_line(&output).contains("sudo apt-get install -y qemu-system-arm"));
}

#[test]
fn flags_of_the_other_demo_are_refused_beside_it() {
    for other in [
        &["--url", "http://localhost/"][..],
        &["--seed", "2"],
        &["--calls", "3"],
        &["--guarded-only"],
    ] {
        let output = demo(&[&["--mcu"], other].concat(), Some("/nowhere"));
        assert_eq!(output.status.code(), Some(2), "{other:?}");
        let line = only_line(&output);
        assert!(line.contains("--mcu") && line.contains(other[0]), "{line}");
    }
}
