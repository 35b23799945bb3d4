//! The demo on a microcontroller, where it must not run or cannot.

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
