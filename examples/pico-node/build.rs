//! Links the image: vectors and memory by cortex-m-rt, the second boot stage by embassy-rp,
//! log texts by defmt.

fn main() {
    println!("cargo:rustc-link-search={}", env!("CARGO_MANIFEST_DIR"));
    for script in ["link.x", "link-rp.x", "defmt.x"] {
        println!("cargo:rustc-link-arg-bins=-T{script}");
    }
    // One section after another, as the linker's pages would leave gaps.
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=build.rs");
}
