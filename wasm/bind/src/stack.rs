//! The pointer of a module's stack, for which Rust has no name.

use walrus::{ConstExpr, GlobalId, GlobalKind, Module};

use crate::Done;

/// Its name for the linker, and for the modules that share it.
const NAME: &str = "__stack_pointer";

/// Puts a function in place of the import `redress.rewind_stack`: it sets the pointer of the
/// stack to where it was at the start. Whether the module has that import.
pub(crate) fn put_rewind(module: &mut Module) -> Done<bool> {
    let Ok(import) = module.imports.get_func("redress", "rewind_stack") else { return Ok(false) };
    let pointer = pointer(module).ok_or("the module is linked without names")?;
    let GlobalKind::Local(ConstExpr::Value(top)) = module.globals.get(pointer).kind else {
        return Err("the stack begins at no constant".into());
    };
    module.replace_imported_func(import, |(body, _)| {
        body.const_(top).global_set(pointer);
    })?;
    Ok(true)
}

/// The pointer, if the module needs a stack.
pub(crate) fn pointer(module: &Module) -> Option<GlobalId> {
    module
        .globals
        .iter()
        .find(|global| global.name.as_deref() == Some(NAME))
        .map(walrus::Global::id)
}

/// Modules that share a memory share one stack: the first, which rewinds it, exports the pointer,
/// and the others import it.
pub(crate) fn share(module: &mut Module, pointer: Option<GlobalId>, owns: bool) {
    let Some(pointer) = pointer.filter(|id| module.globals.iter().any(|one| one.id() == *id))
    else {
        return;
    };
    if owns {
        module.exports.add(NAME, pointer);
    } else {
        let import = module.imports.add("env", NAME, pointer);
        module.globals.get_mut(pointer).kind = GlobalKind::Import(import);
    }
}
