//! The demo in its short form, as it is started by hand.

use std::process::Command;

#[test]
fn every_fault_is_survived_and_no_order_is_lost_or_doubled() {
    let run = Command::new(env!("CARGO_BIN_EXE_axum-demo")).output().unwrap();
    let printed = String::from_utf8_lossy(&run.stdout);
    println!("{}", printed.lines().last().unwrap_or_default());
    assert!(run.status.success(), "{printed}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(printed.contains("no acknowledged order is lost"), "{printed}");
    assert!(printed.trim_end().ends_with(" checks passed, 0 failed"), "{printed}");
}
