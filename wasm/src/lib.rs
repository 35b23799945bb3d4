//! redress on wasm-bindgen.
#![no_std]
#![forbid(unsafe_code)]
