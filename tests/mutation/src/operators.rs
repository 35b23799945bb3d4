//! What is there instead of an operator, a method or the result of a function.

use quote::ToTokens;
use syn::ReturnType;

pub(crate) const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// What an operator is swapped for.
pub(crate) fn swapped(operator: &str) -> &'static [(&'static str, &'static str)] {
    match operator {
        "+" => &[("arithmetic", "-"), ("arithmetic", "*")],
        "-" => &[("arithmetic", "+")],
        "*" => &[("arithmetic", "+"), ("arithmetic", "/")],
        "/" => &[("arithmetic", "*")],
        "%" => &[("arithmetic", "/")],
        "<<" => &[("bits", ">>")],
        ">>" => &[("bits", "<<")],
        "&" => &[("bits", "|")],
        "|" => &[("bits", "&")],
        "^" => &[("bits", "&"), ("bits", "|")],
        "&&" => &[("logic", "||")],
        "||" => &[("logic", "&&")],
        "+=" => &[("arithmetic", "-="), ("arithmetic", "=")],
        "-=" => &[("arithmetic", "+="), ("arithmetic", "=")],
        "*=" => &[("arithmetic", "+=")],
        "/=" => &[("arithmetic", "*=")],
        "<<=" => &[("bits", ">>=")],
        ">>=" => &[("bits", "<<=")],
        "&=" | "^=" => &[("bits", "|=")],
        "|=" => &[("bits", "&=")],
        _ => &[],
    }
}

/// What a method is swapped for; the number of arguments that it must have.
pub(crate) fn other_method(name: &str) -> (usize, &'static [(&'static str, &'static str)]) {
    match name {
        // Of numbers, and of spans and instants, whose methods are in the switch.
        "saturating_add" => (
            1,
            &[
                ("saturating to wrapping", "wrapping_add"),
                ("saturating to wrapping", "wrapped_add"),
                ("arithmetic", "saturating_sub"),
            ],
        ),
        "saturating_sub" => (
            1,
            &[
                ("saturating to wrapping", "wrapping_sub"),
                ("saturating to wrapping", "wrapped_sub"),
                ("arithmetic", "saturating_add"),
            ],
        ),
        "saturating_mul" => (1, &[("saturating to wrapping", "wrapping_mul")]),
        "wrapping_add" => (1, &[("arithmetic", "wrapping_sub")]),
        "wrapping_sub" | "wrapping_mul" => (1, &[("arithmetic", "wrapping_add")]),
        "since" => (1, &[("saturating to wrapping", "wrapped_since")]),
        "min" => (1, &[("extreme", "max")]),
        "max" => (1, &[("extreme", "min")]),
        "is_some" => (0, &[("condition", "is_none")]),
        "is_none" => (0, &[("condition", "is_some")]),
        "is_ok" => (0, &[("condition", "is_err")]),
        "is_err" => (0, &[("condition", "is_ok")]),
        "any" => (1, &[("condition", "all")]),
        "all" => (1, &[("condition", "any")]),
        _ => (0, &[]),
    }
}

/// What a function of this type returns by default.
pub(crate) fn defaults(output: &ReturnType) -> Vec<String> {
    let ReturnType::Type(_, of) = output else { return vec![String::new()] };
    let text = of.to_token_stream().to_string().replace(' ', "");
    let values: &[&str] = match text.as_str() {
        "bool" => &["false", "true"],
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" => {
            &["0", "1"]
        }
        "Duration" => &["crate::Duration::ZERO"],
        "Instant" => &["crate::Instant::ZERO"],
        "Result<(),fmt::Error>" | "core::fmt::Result" => &["Ok(())"],
        _ if text.starts_with("Option<") => &["None"],
        _ if text.starts_with("Result<(),") => &["Ok(())"],
        _ if text.starts_with("Result<bool,") => &["Ok(false)", "Ok(true)"],
        _ if text.starts_with("Result<") => &["Ok(Default::default())"],
        "!" => &[],
        _ if text.starts_with("impl") => &[],
        _ => &["Default::default()"],
    };
    values.iter().map(|&value| value.to_owned()).collect()
}
