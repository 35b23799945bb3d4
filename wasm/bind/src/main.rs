//! wasm-bindgen for one linked module of the npm package.
//!
//! ```sh
//! redress-wasm-bind LINKED.wasm FOLDER NAME
//! ```
//!
//! Writes `NAME_bg.wasm`, `NAME_bg.js` with the functions, and `NAME.d.ts` with their types, and
//! prints as JSON where the module ends, which is the first address and the first place in the
//! table of functions that it does not use, and where it reads its settings.

mod memory;
mod settings;
mod stack;

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use walrus::{ConstExpr, Export, ExportItem, GlobalKind, Module, RawCustomSection, ir::Value};
use wasm_bindgen_cli_support::Bindgen;

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Done {
    let words: Vec<String> = env::args().skip(1).collect();
    let [linked, folder, name] = words.as_slice() else {
        return Err("usage: redress-wasm-bind LINKED.wasm FOLDER NAME".into());
    };
    let mut module = Module::from_buffer(&fs::read(linked)?)?;
    let (address, function) = (heap_base(&module)?, functions(&module));
    let settings = settings::take(&mut module)?;
    println!(r#"{{ "address": {address}, "function": {function}, "settings": {settings} }}"#);
    let rewinds = stack::put_rewind(&mut module)?;
    let pointer = stack::pointer(&module);
    let shared = memory::own(&mut module);
    // Nothing but numbers crosses, so no table for JavaScript's objects is needed, which
    // wasm-bindgen makes wherever an engine could have one.
    drop_exports(&mut module, "__externref");
    let features = module.customs.remove_raw("target_features");
    let mut bindgen = Bindgen::new();
    bindgen.input_module(name, module).bundler(true)?.typescript(true);
    let mut output = bindgen.generate_output()?;
    output.emit(folder)?;
    let module = output.wasm_mut();
    // What is left of the runtime of wasm-bindgen: nothing here asks for it.
    drop_exports(module, "__");
    if shared {
        memory::import(module)?;
        stack::share(module, pointer, rewinds);
    }
    let glue = Path::new(folder).join(format!("{name}_bg.js"));
    let mut text = fs::read_to_string(&glue)?;
    for import in module.imports.iter_mut() {
        // A hash makes its name the only one among many modules: here there is one.
        if let Some((short, _)) = import.name.rsplit_once('_')
            && import.name.starts_with("__wbg_")
        {
            let short = short.to_owned();
            text = text.replace(&import.name, &short);
            import.name = short;
        }
    }
    fs::write(glue, text)?;
    if let Some(RawCustomSection { name, data }) = features {
        module.customs.add(RawCustomSection { name, data });
    }
    fs::write(Path::new(folder).join(format!("{name}_bg.wasm")), module.emit_wasm())?;
    Ok(())
}

/// Drops the exports whose names begin so, and all that only they need.
fn drop_exports(module: &mut Module, beginning: &str) {
    let begins = |export: &&Export| export.name.starts_with(beginning);
    let dropped: Vec<_> = module.exports.iter().filter(begins).map(Export::id).collect();
    for id in dropped {
        module.exports.delete(id);
    }
    walrus::passes::gc::run(module);
}

/// Where data and stack end, as the linker says.
fn heap_base(module: &Module) -> Done<i32> {
    let export = module.exports.iter().find(|export| export.name == "__heap_base");
    if let Some(ExportItem::Global(id)) = export.map(|export| export.item)
        && let GlobalKind::Local(ConstExpr::Value(Value::I32(end))) = module.globals.get(id).kind
    {
        return Ok(end);
    }
    Err("the module is not linked with --export=__heap_base".into())
}

/// Where its part of the table of functions ends.
fn functions(module: &Module) -> u64 {
    module.tables.iter().map(|table| table.initial).max().unwrap_or_default()
}
