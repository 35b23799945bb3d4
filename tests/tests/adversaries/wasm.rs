//! Programs for `wasm32-unknown-unknown`, where the standard library has no clock and no
//! randomness.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// What the compiler says to a program with this line in it; `None` if it compiles.
fn refused(name: &str, line: &str) -> Option<String> {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join("wasm").join(name);
    fs::create_dir_all(folder.join("src")).unwrap();
    let core = tests.join("../core").canonicalize().unwrap();
    let manifest = format!(
        "[package]\nname = '{name}'\nedition = '2024'\n[workspace]\n\
         [dependencies]\nredress = {{ path = '{}', features = ['std'] }}\n",
        core.display(),
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    // The versions of this workspace: nothing is looked up or fetched.
    fs::copy(tests.join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let program = format!(
        "#![allow(unused)]\nuse redress::{{random::*, time::*, *}};\nconst ONCE: Policy = Policy::once();\n\
         pub fn call() {{\n    {line}\n}}\n",
    );
    fs::write(folder.join("src/lib.rs"), program).unwrap();
    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["check", "--quiet", "--offline", "--target", "wasm32-unknown-unknown"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", target.join("wasm/target"))
        .output()
        .unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// It would trap at the first call, and all visitors of a page would draw the same numbers.
#[test]
fn what_has_no_clock_there_does_not_compile_and_says_what_to_use() {
    let operation = "|_| Ok::<_, std::io::Error>(1)";
    let (clock, random) = ("performance.now()", "crypto.getRandomValues()");
    for (name, line, needed) in [
        ("on-system", format!("ONCE.on_system().call({operation});"), &[clock, random][..]),
        ("clock", "MonotonicClock.now();".to_owned(), &["FnClock", clock]),
        (
            "draw",
            "redress::random::Draw::draw(&mut SystemRandom);".to_owned(),
            &["from_fn", random],
        ),
        (
            "on",
            format!("ONCE.on(MonotonicClock, SystemRandom).call({operation});"),
            &[clock, random],
        ),
    ] {
        let message = refused(name, &line).expect(name);
        assert!(message.contains("error[E"), "{name}: {message}");
        for needed in needed {
            assert!(message.contains(needed), "{name} does not name {needed}: {message}");
        }
    }
    // The feature itself is there, and so is what the messages name.
    let line = "let clock = FnClock(|| 7); let random = redress::random::from_fn(|| 4);\n    \
                ONCE.on(clock, random).begin();";
    assert_eq!(refused("named", line), None);
}
