//! Every row of TABLE.md, with the real clients and servers.

use std::process::Command;

#[test]
fn every_failure_has_its_class() {
    let run = Command::new(env!("CARGO_BIN_EXE_redress-hosts")).output().unwrap();
    let printed = String::from_utf8_lossy(&run.stdout);
    let last = printed.lines().last().unwrap_or_default();
    println!("{last}");
    assert!(run.status.success(), "{printed}\n{}", String::from_utf8_lossy(&run.stderr));
}
