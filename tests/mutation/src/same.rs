//! Alternatives that are the same program, which are left out because the text alone shows it.

use quote::ToTokens;
use syn::{BinOp, Block, Expr, Item, Pat, Stmt, Type};

/// The least or the greatest value of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Least,
    Greatest,
}

impl End {
    /// Whether two comparisons with this on the right are one, as nothing is beyond it.
    pub(crate) fn is_same(self, one: &str, other: &str) -> bool {
        let pair = |a, b| (one, other) == (a, b) || (other, one) == (a, b);
        match self {
            Self::Least => pair("==", "<=") || pair("!=", ">"),
            Self::Greatest => pair("==", ">=") || pair("!=", "<"),
        }
    }

    /// Whether a comparison with this on the right is always true or always false, which are
    /// alternatives of their own.
    pub(crate) fn is_known(self, operator: &str) -> bool {
        match self {
            Self::Least => ["<", ">="].contains(&operator),
            Self::Greatest => [">", "<="].contains(&operator),
        }
    }

    /// The one that a path names: `u16::MAX`, or the spans and instants of the core, which
    /// have no sign.
    pub(crate) fn named(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(".as_micros()");
        match text {
            "Duration::ZERO" | "Instant::ZERO" => return Some(Self::Least),
            "Duration::MAX" | "Instant::MAX" => return Some(Self::Greatest),
            _ => {}
        }
        let of = text.strip_suffix("::MAX")?;
        ["u8", "u16", "u32", "u64", "usize", "i32", "i64"].contains(&of).then_some(Self::Greatest)
    }
}

/// A constant that is an end of its type, with its name.
pub(crate) fn constant(item: &Item) -> Option<(String, End)> {
    let Item::Const(item) = item else { return None };
    let Type::Path(of) = &*item.ty else { return None };
    let value = item.expr.to_token_stream().to_string().replace(' ', "");
    let is_unsigned = of.path.get_ident()?.to_string().starts_with('u');
    let zero = (value == "0" && is_unsigned).then_some(End::Least);
    Some((item.ident.to_string(), zero.or_else(|| End::named(&value))?))
}

/// Of two statements `let mut i = 0; while i < n { .. i += 1; .. }` the condition `i < n`, and
/// each other one like it in a chain of `&&`, if nothing else is assigned to either there:
/// `i != n` ends the loop as soon.
pub(crate) fn counting_up(pair: &[Stmt]) -> Vec<&Expr> {
    let [Stmt::Local(start), Stmt::Expr(Expr::While(repeat), _)] = pair else { return Vec::new() };
    let body = shown(&repeat.body);
    let times = |of: &str| {
        let assigned = ["=", "+=", "-=", "*=", "/=", "<<=", ">>="];
        assigned.iter().map(|with| body.matches(&format!(" {of} {with} ")).count()).sum::<usize>()
    };
    let mut found = Vec::new();
    parts(&repeat.cond, &mut |condition| {
        let Expr::Binary(binary) = condition else { return };
        let [name, bound] = [&binary.left, &binary.right].map(shown);
        let is_step = |one: &Stmt| shown(one) == format!("{name} += 1 ;");
        if matches!(binary.op, BinOp::Lt(_))
            && shown(start) == format!("let mut {name} = 0 ;")
            && repeat.body.stmts.iter().any(is_step)
            && (times(&name), times(&bound)) == (1, 0)
        {
            found.push(condition);
        }
    });
    found
}

/// The parts of a chain of `&&`.
fn parts<'e>(condition: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    match condition {
        Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
            parts(&binary.left, visit);
            parts(&binary.right, visit);
        }
        _ => visit(condition),
    }
}

fn shown(node: &impl ToTokens) -> String {
    node.to_token_stream().to_string()
}

/// Whether a function does nothing but return this, and uses none of its arguments.
pub(crate) fn only_returns(block: &Block, value: &str) -> bool {
    let is_unused = |statement: &Stmt| matches!(statement, Stmt::Local(local) if matches!(local.pat, Pat::Wild(_)));
    if value.is_empty() {
        return block.stmts.iter().all(is_unused);
    }
    match block.stmts.split_last() {
        Some((Stmt::Expr(last, None), before)) => {
            before.iter().all(is_unused)
                && shown(last).replace(' ', "") == value.trim_start_matches("crate::")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::find::places;

    /// The texts of all alternatives.
    fn found(text: &str) -> Vec<String> {
        let places = places(text).expect("it is Rust");
        places.into_iter().flat_map(|place| place.alternatives).map(|other| other.text).collect()
    }

    #[test]
    fn a_comparison_with_the_end_of_a_type_does_not_become_the_same_one() {
        let found = found(
            "const FREE: u8 = 0; const LAST: Instant = Instant::MAX; const LOW: i8 = 0; fn f() {
            a == FREE; b == LAST; c < Duration::MAX.as_micros(); d != Instant::ZERO; e == LOW; }",
        );
        let is_found = |text: &str| found.iter().any(|one| one == text);
        for same in ["(a) <= (FREE)", "(b) >= (LAST)", "(d) > (Instant::ZERO)"] {
            assert!(!is_found(same), "{same}");
        }
        assert!(!is_found("(c) != (Duration::MAX.as_micros())"));
        for known in ["(a) >= (FREE)", "(b) <= (LAST)", "(b) > (LAST)", "(d) < (Instant::ZERO)"] {
            assert!(!is_found(known), "{known}");
        }
        for other in ["true", "(a) != (FREE)", "(b) < (LAST)", "(e) <= (LOW)", "(e) < (LOW)"] {
            assert!(is_found(other), "{other}");
        }
    }

    #[test]
    fn a_loop_that_counts_up_by_one_ends_at_its_bound_by_either_comparison() {
        let differs = |start: &str, body: &str| {
            let text = format!("fn f() {{ {start} while g(i) && i < n {{ h(); {body} }} }}");
            found(&text).contains(&"(i) != (n)".to_owned())
        };
        assert!(!differs("let mut i = 0;", "i += 1;"));
        assert!(differs("let mut i = 1;", "i += 1;") && differs("let mut i = 0; g();", "i += 1;"));
        for body in ["i += 2;", "i += 1; i += 1;", "if h() { i += 1; }", "i += 1; n -= 1;"] {
            assert!(differs("let mut i = 0;", body), "{body}");
        }
    }

    #[test]
    fn a_function_that_only_returns_a_default_does_not_return_it_at_once() {
        let text = "fn f(a: u8) -> bool { let _ = a; false } fn g() -> Option<u8> { h(); None }
            fn k(a: u8) { let _ = a; }";
        let found: Vec<String> = found(text);
        assert_eq!(found.iter().filter(|one| *one == "true").count(), 2);
        assert_eq!(found.iter().filter(|one| *one == "None").count(), 1);
        assert!(!found.contains(&"false".to_owned()));
        assert_eq!(found.iter().filter(|one| one.is_empty()).count(), 1);
    }
}
