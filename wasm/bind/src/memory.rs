//! Memory that two modules share.
//!
//! Both are linked to import it. wasm-bindgen would make it as soon as its functions are
//! imported; the package makes it when the first object is constructed. So the module has a
//! memory of its own while wasm-bindgen looks at it.

use walrus::{ExportItem, MemoryId, Module};

use crate::Done;

/// Makes an imported memory the module's own; whether there is one.
pub(crate) fn own(module: &mut Module) -> bool {
    let found: Option<MemoryId> = module.memories.iter().next().map(walrus::Memory::id);
    let Some(id) = found else { return false };
    let memory = module.memories.get_mut(id);
    let Some(import) = memory.import.take() else { return false };
    module.imports.delete(import);
    module.exports.add("memory", id);
    true
}

/// Has the module import its memory again.
pub(crate) fn import(module: &mut Module) -> Done {
    let id = module.memories.iter().next().ok_or("the module has lost its memory")?.id();
    let export = module.exports.iter().find(|export| matches!(export.item, ExportItem::Memory(_)));
    if let Some(export) = export.map(walrus::Export::id) {
        module.exports.delete(export);
    }
    let import = module.imports.add("env", "memory", id);
    module.memories.get_mut(id).import = Some(import);
    Ok(())
}
