//! Links an image with every entry point of redress whose panic handler calls a
//! function that does not exist, for each processor, and looks for floats,
//! divisions and formatting in it.

use std::path::Path;
use std::process::{Command, ExitCode};

use redress_tests::report::Report;

const TARGETS: [&str; 4] = [
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "riscv32imac-unknown-none-elf",
];

/// Routines for floats and for division, of 64 bits and where a processor has none of 32.
const UNWANTED: [&str; 9] = [
    "__aeabi_f",
    "__aeabi_d",
    "uldivmod",
    "ldivmod",
    "__udivdi3",
    "__divdi3",
    "__umoddi3",
    "__aeabi_uidiv",
    "__aeabi_idiv",
];

/// What the names of formatting code have in common, that of `Display` for an error among them.
const FORMATTING: [&str; 2] = ["core3fmt", "core..fmt"];

fn main() -> ExitCode {
    let mut report = Report::default();
    for target in TARGETS {
        let image = link(target, &[]);
        report.count(&format!("no panic on {target}"), image.clone().map(|_| ()));
        if let Ok(image) = image {
            report.count(
                &format!("no float, no division routine on {target}"),
                lacks(&image, &UNWANTED),
            );
            report.count(&format!("no formatting on {target}"), lacks(&image, &FORMATTING));
        }
    }
    // The proof must be able to fail: one panic is left in on purpose.
    let canary = match link(TARGETS[0], &["--features", "canary"]) {
        Ok(_) => Err("an image with a panic links".to_owned()),
        Err(why) if why.contains("a_panic_is_left") => Ok(()),
        Err(why) => Err(why),
    };
    report.count("a panic is noticed", canary);
    let texts = link(TARGETS[0], &["--features", "texts"]);
    let texts = match texts.and_then(|image| lacks(&image, &FORMATTING)) {
        Ok(()) => Err("an image whose events have texts has no formatting code".to_owned()),
        Err(why) if FORMATTING.iter().any(|name| why.contains(name)) => Ok(()),
        Err(why) => Err(why),
    };
    report.count("the text of an error brings formatting in, and is noticed", texts);
    println!("{report}");
    if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn link(target: &str, more: &[&str]) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("nopanic");
    let build = Command::new("cargo")
        .args(["build", "--release", "--locked", "--target", target])
        .args(more)
        .current_dir(&folder)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .map_err(|why| format!("cargo cannot be run: {why}"))?;
    if build.status.success() {
        let image = folder.join("target").join(target).join("release/nopanic");
        return Ok(image.display().to_string());
    }
    let text = String::from_utf8_lossy(&build.stderr).into_owned();
    let places = text.lines().filter(|line| line.contains(">>>") || line.contains("error:"));
    Err(places.take(12).collect::<Vec<_>>().join("\n"))
}

/// Whether no symbol of an image has one of these in its name.
fn lacks(image: &str, unwanted: &[&str]) -> Result<(), String> {
    let text = tool("llvm-nm", &[], image)?;
    if !text.contains("_start") {
        return Err("the image has no symbols to look at".into());
    }
    let unwanted: Vec<&str> =
        text.lines().filter(|line| unwanted.iter().any(|name| line.contains(name))).collect();
    if unwanted.is_empty() { Ok(()) } else { Err(unwanted.join(", ")) }
}

/// What a tool of the toolchain says of an image.
fn tool(name: &str, arguments: &[&str], image: &str) -> Result<String, String> {
    let sysroot = Command::new("rustc")
        .args(["--print", "target-libdir"])
        .output()
        .map_err(|why| format!("rustc cannot be run: {why}"))?;
    let libraries = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    let output = Command::new(Path::new(&libraries).join("../bin").join(name))
        .args(arguments)
        .arg(image)
        .output()
        .map_err(|why| format!("{name} cannot be run: {why}; component llvm-tools is needed"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
