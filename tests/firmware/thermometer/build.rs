//! Links the image for an nRF52840.

use std::path::Path;
use std::{env, fs};

const MEMORY: &str =
    "MEMORY {\n  FLASH : ORIGIN = 0, LENGTH = 1M\n  RAM : ORIGIN = 0x20000000, LENGTH = 256K\n}\n";

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("memory.x"), MEMORY).expect("the directory is ours");
    println!("cargo:rustc-link-search={out}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=build.rs");
}
