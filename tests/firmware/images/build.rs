//! Links the images by the scripts of their runtime; the crate `board` brings the memory.

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    if target.starts_with("riscv32") {
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    // The only board whose emulation has a bus for real drivers.
    println!("cargo:rustc-check-cfg=cfg(i2c)");
    if target == "thumbv7m-none-eabi" {
        println!("cargo:rustc-cfg=i2c");
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed=build.rs");
}
