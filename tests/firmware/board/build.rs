//! The target's triple says which board an image is for: its memory, and `cfg(board)`.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    let (board, memory) = match target.as_str() {
        "thumbv6m-none-eabi" => ("microbit", include_str!("memory/microbit.x")),
        "thumbv7m-none-eabi" => ("lm3s6965evb", include_str!("memory/lm3s6965evb.x")),
        "thumbv7em-none-eabihf" => ("mps2-an386", include_str!("memory/mps2-an386.x")),
        "riscv32imac-unknown-none-elf" => ("virt", include_str!("memory/virt.x")),
        other => panic!("no board for target {other:?}: see tests/firmware/board/build.rs"),
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("memory.x"), memory).expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search={}", out.display());
    println!(
        "cargo:rustc-check-cfg=cfg(board, values(\"microbit\", \"lm3s6965evb\", \"mps2-an386\", \"virt\"))"
    );
    println!("cargo:rustc-cfg=board=\"{board}\"");
    println!("cargo:rerun-if-changed=memory");
}
