//! The pictures of the guide are those that the engine draws now.

use std::process::Command;

#[test]
fn the_pictures_of_the_guide_are_what_the_command_draws() {
    let output = Command::new(env!("CARGO_BIN_EXE_pictures")).arg("--check").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
