//! Where a module reads its settings: what `settings.rs` of the package's modules has put into a
//! section of its own.

use std::collections::BTreeMap;

use walrus::Module;

use crate::Done;

/// Takes the section out of the module: the index of each field in the table of numbers, as JSON
/// by the kind of settings and the name of the field.
pub(crate) fn take(module: &mut Module) -> Done<String> {
    let section = module.customs.remove_raw("redress.settings");
    let mut kinds = BTreeMap::<String, BTreeMap<u8, String>>::new();
    let mut rest = section.as_ref().map_or(&[][..], |section| &section.data);
    while let [index, length, after @ ..] = rest {
        let (name, after) = after.split_at_checked(usize::from(*length)).ok_or("it ends early")?;
        let name = str::from_utf8(name)?;
        let (kind, field) = name.split_once('.').ok_or("a name without a kind")?;
        kinds.entry(kind.to_owned()).or_default().insert(*index, field.to_owned());
        rest = after;
    }
    let kinds: Vec<_> =
        kinds.iter().map(|(kind, fields)| format!("{kind:?}: {}", object(fields))).collect();
    Ok(format!("{{ {} }}", kinds.join(", ")))
}

fn object(fields: &BTreeMap<u8, String>) -> String {
    let fields: Vec<_> =
        fields.iter().map(|(index, field)| format!("{field:?}: {index}")).collect();
    format!("{{ {} }}", fields.join(", "))
}
