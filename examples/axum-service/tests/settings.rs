//! A file of settings that cannot be used: nothing starts, and the message says what would be right.

use std::process::Command;

/// What the service says of its own settings, with `from` replaced.
fn refusal(name: &str, from: &str, to: &str) -> String {
    let text = include_str!("../upstreams.toml");
    assert!(text.contains(from), "{from}");
    let file = std::env::temp_dir().join(format!("{name}-{}.toml", std::process::id()));
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_redress-axum-service")).arg(&file).output();
    std::fs::remove_file(&file).unwrap();
    let run = run.unwrap();
    assert_eq!(run.status.code(), Some(1));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

#[test]
fn a_setting_out_of_its_range_is_refused_by_path_value_and_range() {
    let said = refusal("range", "maxAttempts = 6", "maxAttempts = 0");
    let right =
        "upstreams.orders.retry.maxAttempts: 0 is out of range: a whole number of at least 1";
    assert!(said.contains(right), "{said}");
    let said = refusal("drain", "drainMs = 2_000", "drainMs = 0");
    assert!(said.contains("drainMs: 0 is out of range: 1 to 600000"), "{said}");
}

#[test]
fn a_setting_that_does_not_exist_is_refused_with_the_nearest_that_does() {
    let said = refusal("name", "maxAttempts = 6", "maxAttempt = 6");
    let right = "upstreams.orders.retry.maxAttempt is no option; the nearest is maxAttempts";
    assert!(said.contains(right), "{said}");
}

#[test]
fn an_address_that_cannot_be_read_is_refused_by_its_path() {
    let said = refusal("address", "postgres://shop:shop@127.0.0.1:5432/shop", "nowhere");
    assert!(said.contains("addresses.postgres: "), "{said}");
}
