//! wasm-bindgen for a program that uses `redress-web`, as its command line does it.
//!
//! ```sh
//! redress-web-bind LINKED.wasm FOLDER NAME
//! ```
//!
//! Writes `NAME_bg.wasm`, `NAME_bg.js` with the functions of both sides, and `NAME.js`, which joins
//! them for a bundler.

use std::env;
use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [linked, folder, name] = words.as_slice() else {
        return Err("usage: redress-web-bind LINKED.wasm FOLDER NAME".into());
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(linked).out_name(name).bundler(true)?.typescript(false);
    Ok(bindgen.generate(folder)?)
}
