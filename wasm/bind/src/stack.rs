//! The pointer of a module's stack, for which Rust has no name.

use walrus::ir::Value;
use walrus::{ConstExpr, GlobalId, GlobalKind, Module};

use crate::Done;

/// Puts a function in place of the import `redress.rewind_stack`: it sets the pointer of the
/// stack to where it was at the start.
pub(crate) fn put_rewind(module: &mut Module) -> Done {
    let Ok(import) = module.imports.get_func("redress", "rewind_stack") else { return Ok(()) };
    let (pointer, top) = pointer(module)?;
    module.replace_imported_func(import, |(body, _)| {
        body.const_(top).global_set(pointer);
    })?;
    Ok(())
}

/// The pointer, and its value at the start.
fn pointer(module: &Module) -> Done<(GlobalId, Value)> {
    for global in module.globals.iter() {
        if let (Some("__stack_pointer"), GlobalKind::Local(ConstExpr::Value(top))) =
            (global.name.as_deref(), &global.kind)
        {
            return Ok((global.id(), *top));
        }
    }
    Err("the module has no `__stack_pointer`: it is linked without names".into())
}
