//! What cannot be used gets one line on stderr that says why, and exit code 2.

use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_demo")).args(arguments).output().expect("demo starts")
}

#[test]
fn a_number_out_of_range_is_refused_with_flag_value_and_range() {
    for (flag, value, range) in [
        ("--attempts", "0", "1 to 20"),
        ("--attempts", "-3", "1 to 20"),
        ("--attempts", "many", "1 to 20"),
        ("--deadline", "0", "0.1 to 60"),
        ("--deadline", "NaN", "0.1 to 60"),
        ("--callers", "65", "1 to 64"),
        ("--calls", "1001", "1 to 1000"),
        ("--seed", "0.5", "0 to 18446744073709551615"),
    ] {
        let line = refusal(&[flag, value]);
        let named = line.contains(flag) && line.contains(&format!("'{value}'"));
        assert!(named && line.ends_with(range), "{line}");
    }
}

#[test]
fn an_url_that_cannot_be_called_is_refused_with_what_is_wrong() {
    for (value, wrong) in [
        ("localhost", "relative URL"),
        ("http://", "empty host"),
        ("http://localhost:99999/", "port"),
        ("http://localhost:0/", "port"),
        ("https://localhost/", "without TLS"),
        ("file:///etc/hosts", "scheme"),
    ] {
        let line = refusal(&["--url", value]);
        let named = line.contains("--url") && line.contains(&format!("'{value}'"));
        assert!(named && line.contains(wrong), "{line}");
    }
}

#[test]
fn help_names_every_flag_and_every_exit_code() {
    let output = demo(&["--help"]);
    let text = String::from_utf8(output.stdout).expect("help is text");
    assert!(output.status.success());
    for part in [
        "--url",
        "--attempts",
        "--deadline",
        "--callers",
        "--calls",
        "--seed",
        "--playground",
        "--port",
        "Exit code: 0",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

/// The one line with which these arguments are refused.
fn refusal(arguments: &[&str]) -> String {
    let output = demo(arguments);
    let text = String::from_utf8(output.stderr).expect("errors are text");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}");
    assert!(output.stdout.is_empty());
    text.trim_end().to_owned()
}
