//! Finds what can be mutated in a file: [`Place`]s, each with its alternatives.

use std::collections::HashMap;
use std::ops::Range;

use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Attribute, BinOp, Block, Expr, ExprBinary, Lit, Pat, Stmt, Token, UnOp};

use crate::operators::{COMPARISONS, defaults, other_method, swapped};
use crate::same::{self, End};

/// How an alternative takes the place of what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An expression for an expression.
    Expression,
    /// Nothing for a statement.
    Statement,
    /// As [`Statement`](Self::Statement), for one that does not come back.
    Leaving,
    /// A value that a function returns before it does anything.
    Entry,
    /// An arm of a match that is passed over.
    Arm,
}

/// One alternative.
#[derive(Clone, Debug)]
pub(crate) struct Alternative {
    pub(crate) operator: &'static str,
    /// What is there instead; empty where something is deleted.
    pub(crate) text: String,
}

/// A place in a file, and what may be there instead.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) range: Range<usize>,
    pub(crate) form: Form,
    /// The function it is in, with its type.
    pub(crate) function: String,
    pub(crate) line: usize,
    pub(crate) alternatives: Vec<Alternative>,
}

/// All places of a source text, outer ones before those that are in them.
pub(crate) fn places(text: &str) -> Result<Vec<Place>, String> {
    let file = syn::parse_file(text)
        .map_err(|error| format!("line {}: {error}", error.span().start().line))?;
    let has_signs = ["i8", "i16", "i32", "i64", "i128", "isize"]
        .iter()
        .any(|of| text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == *of));
    let mut finder = Finder {
        text,
        has_signs,
        ends: file.items.iter().filter_map(same::constant).collect(),
        counting: Vec::new(),
        places: Vec::new(),
        owner: Vec::new(),
    };
    finder.visit_file(&file);
    let mut places = finder.places;
    places.sort_by_key(|place| (place.range.start, usize::MAX - place.range.end, place.form as u8));
    Ok(places)
}

struct Finder<'t> {
    text: &'t str,
    /// Whether there may be numbers below 0.
    has_signs: bool,
    /// The constants of the file that are the least or the greatest value of their type.
    ends: HashMap<String, End>,
    /// The conditions of loops that count up by one, by where they are.
    counting: Vec<Range<usize>>,
    places: Vec<Place>,
    owner: Vec<String>,
}

/// Whether an item is not in the build that the tests are made of.
fn is_left_out(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        if attribute.path().is_ident("test") {
            return true;
        }
        if !attribute.path().is_ident("cfg") {
            return false;
        }
        let text = attribute.meta.to_token_stream().to_string();
        ["test", "defmt", "embedded", "not", "debug_assertions"]
            .iter()
            .any(|word| text.contains(word))
    })
}

fn is_comparison(operator: &BinOp) -> bool {
    COMPARISONS.contains(&operator.to_token_stream().to_string().as_str())
}

/// Whether a chain of `&&` has a `let` in it, so that it is no expression of its own.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
            has_let(&binary.left) || has_let(&binary.right)
        }
        _ => false,
    }
}

/// Whether a pattern takes everything: `_`, or a name that is no constant.
fn takes_all(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => {
            name.subpat.is_none()
                && name.ident.to_string().starts_with(|c: char| c.is_lowercase() || c == '_')
        }
        _ => false,
    }
}

impl Finder<'_> {
    fn source(&self, node: &impl Spanned) -> &str {
        self.text.get(node.span().byte_range()).unwrap_or_default()
    }

    fn add(&mut self, node: &impl Spanned, form: Form, operator: &'static str, text: String) {
        self.add_at(node.span().byte_range(), node.span().start().line, form, operator, text);
    }

    fn add_at(
        &mut self,
        range: Range<usize>,
        line: usize,
        form: Form,
        operator: &'static str,
        text: String,
    ) {
        let alternative = Alternative { operator, text };
        let same = |place: &&mut Place| place.range == range && place.form == form;
        match self.places.iter_mut().find(same) {
            Some(place) => {
                if place.alternatives.iter().all(|other| other.text != alternative.text) {
                    place.alternatives.push(alternative);
                }
            }
            None => self.places.push(Place {
                range,
                form,
                function: self.owner.join("::"),
                line,
                alternatives: vec![alternative],
            }),
        }
    }

    /// Which end of its type an operand is, if that can be seen.
    fn end(&self, text: &str) -> Option<End> {
        let zero = (text == "0" && !self.has_signs).then_some(End::Least);
        zero.or_else(|| End::named(text)).or_else(|| self.ends.get(text).copied())
    }

    /// The condition is always true and always false.
    fn condition(&mut self, expression: &Expr) {
        match expression {
            Expr::Let(_) => {}
            Expr::Paren(inner) => self.condition(&inner.expr),
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) && has_let(expression) => {
                self.condition(&binary.left);
                self.condition(&binary.right);
            }
            _ => {
                self.add(expression, Form::Expression, "condition", "true".into());
                self.add(expression, Form::Expression, "condition", "false".into());
            }
        }
    }

    fn binary(&mut self, whole: &Expr, binary: &ExprBinary) {
        let operator = binary.op.to_token_stream().to_string();
        let (left, right) =
            (self.source(&binary.left).to_owned(), self.source(&binary.right).to_owned());
        let with = |other: &str| {
            // What is assigned to is a place, not a value.
            if other.ends_with('=') && !COMPARISONS.contains(&other) {
                format!("{left} {other} ({right})")
            } else {
                format!("({left}) {other} ({right})")
            }
        };
        if is_comparison(&binary.op) {
            for other in COMPARISONS.into_iter().filter(|other| *other != operator) {
                if self
                    .end(&right)
                    .is_some_and(|end| end.is_same(&operator, other) || end.is_known(other))
                    || other == "!=" && self.counting.contains(&whole.span().byte_range())
                {
                    continue;
                }
                self.add(whole, Form::Expression, "comparison", with(other));
            }
            self.condition(whole);
        }
        if has_let(whole) {
            return;
        }
        for (operator, other) in swapped(&operator) {
            self.add(whole, Form::Expression, operator, with(other));
        }
        // The other value of an operand is that of the whole.
        let neutral = match operator.as_str() {
            "&&" => "true",
            "||" => "false",
            _ => return,
        };
        for side in [&binary.left, &binary.right] {
            self.add(&**side, Form::Expression, "condition", neutral.into());
        }
    }

    fn literal(&mut self, literal: &syn::ExprLit) {
        match &literal.lit {
            Lit::Int(number) => {
                let Ok(value) = number.base10_parse::<u128>() else { return };
                let suffix = number.suffix();
                let mut others = vec![value + 1];
                if value > 0 {
                    others.push(value - 1);
                }
                if value > 1 {
                    others.push(0);
                }
                for other in others {
                    let text = format!("{other}{suffix}");
                    self.add(literal, Form::Expression, "constant", text);
                }
            }
            Lit::Bool(value) => {
                let text = (!value.value).to_string();
                self.add(literal, Form::Expression, "condition", text);
            }
            _ => {}
        }
    }

    fn body(&mut self, signature: &syn::Signature, block: &Block) {
        // A body of one comparison has the same alternatives as that.
        let only = match &block.stmts[..] {
            [Stmt::Expr(Expr::Binary(binary), None)] => is_comparison(&binary.op),
            [Stmt::Expr(Expr::Lit(_), None)] | [] => true,
            _ => false,
        };
        if !only {
            let start = block.brace_token.span.open().byte_range().end;
            let line = signature.span().start().line;
            for value in defaults(&signature.output) {
                if same::only_returns(block, &value) {
                    continue;
                }
                self.add_at(start..start, line, Form::Entry, "default returned", value);
            }
        }
    }

    fn within(&mut self, name: String, inside: impl FnOnce(&mut Self)) {
        self.owner.push(name);
        inside(self);
        self.owner.pop();
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_left_out(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if is_left_out(&item.attrs) {
            return;
        }
        let of = item.self_ty.to_token_stream().to_string().replace(' ', "");
        let of = of.split('<').next().unwrap_or_default().to_owned();
        self.within(of, |finder| visit::visit_item_impl(finder, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), |finder| visit::visit_item_trait(finder, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_left_out(&item.attrs) {
            self.within(item.sig.ident.to_string(), |finder| {
                finder.body(&item.sig, &item.block);
                finder.visit_block(&item.block);
            });
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_left_out(&item.attrs) {
            self.within(item.sig.ident.to_string(), |finder| {
                finder.body(&item.sig, &item.block);
                finder.visit_block(&item.block);
            });
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let Some(block) = &item.default else { return };
        self.within(item.sig.ident.to_string(), |finder| {
            finder.body(&item.sig, block);
            finder.visit_block(block);
        });
    }

    // What is evaluated by the compiler alone cannot depend on a variable.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast Pat) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
    fn visit_angle_bracketed_generic_arguments(
        &mut self,
        _: &'ast syn::AngleBracketedGenericArguments,
    ) {
    }

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        self.demands(&item.mac);
    }

    fn visit_impl_item_macro(&mut self, item: &'ast syn::ImplItemMacro) {
        self.demands(&item.mac);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Binary(binary) => self.binary(expression, binary),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_) | UnOp::Neg(_)) => {
                let text = self.source(&unary.expr).to_owned();
                self.add(expression, Form::Expression, "negation", text);
            }
            Expr::Lit(literal) => self.literal(literal),
            Expr::If(branch) => self.condition(&branch.cond),
            Expr::While(repeat) => self.condition(&repeat.cond),
            Expr::Macro(call) if call.mac.path.is_ident("matches") => self.condition(expression),
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                let (arguments, others) = other_method(&name);
                if call.args.len() == arguments {
                    let receiver = self.source(&call.receiver).to_owned();
                    let arguments = self.source(&call.args).to_owned();
                    for (operator, other) in others {
                        let text = format!("{receiver}.{other}({arguments})");
                        self.add(expression, Form::Expression, operator, text);
                    }
                }
            }
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    fn visit_expr_match(&mut self, choice: &'ast syn::ExprMatch) {
        if let Some((last, arms)) = choice.arms.split_last()
            && last.guard.is_none()
            && takes_all(&last.pat)
        {
            for arm in arms.iter().filter(|arm| arm.guard.is_none()) {
                let end = arm.pat.span().byte_range().end;
                let line = arm.pat.span().start().line;
                let shown = self.source(&arm.pat).to_owned();
                self.add_at(end..end, line, Form::Arm, "arm deleted", shown);
            }
        }
        visit::visit_expr_match(self, choice);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        if let Some((_, guard)) = &arm.guard {
            self.condition(guard);
        }
        visit::visit_arm(self, arm);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let counting = block.stmts.windows(2).flat_map(same::counting_up);
        self.counting.extend(counting.map(|condition| condition.span().byte_range()));
        for (i, statement) in block.stmts.iter().enumerate() {
            let form = match statement {
                Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _) => {
                    Form::Leaving
                }
                Stmt::Expr(Expr::If(branch), None) => {
                    // Without `else` it is the same as a condition that is false.
                    if branch.else_branch.is_none() && !has_let(&branch.cond) {
                        continue;
                    }
                    Form::Statement
                }
                Stmt::Expr(
                    Expr::ForLoop(_) | Expr::Match(_) | Expr::Loop(_) | Expr::Block(_),
                    None,
                ) => Form::Statement,
                // The only way out of the block is its value.
                Stmt::Expr(_, None) if i + 1 == block.stmts.len() => continue,
                Stmt::Expr(Expr::Macro(_) | Expr::While(_), _) => continue,
                Stmt::Expr(_, Some(_)) => Form::Statement,
                _ => continue,
            };
            self.add(statement, form, "statement deleted", String::new());
        }
        visit::visit_block(self, block);
    }
}

/// The conditions in `demands! { self, ..; condition => error, .. }`.
struct Demands(Vec<Expr>);

impl Parse for Demands {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        while !input.peek(Token![;]) {
            input.parse::<proc_macro2::TokenTree>()?;
        }
        input.parse::<Token![;]>()?;
        let mut conditions = Vec::new();
        while !input.is_empty() {
            conditions.push(input.parse()?);
            input.parse::<Token![=>]>()?;
            input.parse::<Expr>()?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(Self(conditions))
    }
}

impl Finder<'_> {
    fn demands(&mut self, call: &syn::Macro) {
        if !call.path.is_ident("demands") {
            return;
        }
        let Ok(Demands(conditions)) = syn::parse2(call.tokens.clone()) else { return };
        for condition in conditions {
            self.within("demands".into(), |finder| {
                finder.condition(&condition);
                finder.visit_expr(&condition);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The alternatives of each place, as `what is there: operator text`.
    fn found(text: &str) -> Vec<String> {
        let places = places(text).expect("it is Rust");
        let all = places.iter().flat_map(|place| {
            place.alternatives.iter().map(|other| {
                format!("{}: {} {}", &text[place.range.clone()], other.operator, other.text)
            })
        });
        all.collect()
    }

    #[test]
    fn a_comparison_becomes_each_other_one_true_and_false() {
        let found = found("fn f(a: u8, b: u8) -> bool { a < b }");
        let texts: Vec<&str> = found.iter().filter_map(|one| one.strip_prefix("a < b: ")).collect();
        let wanted =
            ["==", "!=", "<=", ">", ">="].map(|other| format!("comparison (a) {other} (b)"));
        assert_eq!(texts[..5], wanted);
        assert_eq!(texts[5..], ["condition true", "condition false"]);
    }

    #[test]
    fn what_only_the_compiler_evaluates_and_tests_are_left_alone() {
        let text = "const A: u8 = 1 + 2; static B: [u8; 3] = [4; 5]; enum C { D = 6 }
            fn f(a: [u8; 7]) { const { assert!(8 < 9) } }
            #[cfg(test)] mod tests { fn g() -> u8 { 10 } }";
        let found = found(text);
        assert!(found.iter().all(|one| !one.contains("constant")), "{found:?}");
    }

    #[test]
    fn an_arm_is_passed_over_only_where_another_one_takes_everything() {
        let with =
            |last: &str| found(&format!("fn f(a: A) {{ match a {{ B => {{}} {last} => {{}} }} }}"));
        let arms = |last| with(last).iter().filter(|one| one.contains("arm deleted")).count();
        assert_eq!([arms("_"), arms("other"), arms("None"), arms("Self::C")], [1, 1, 0, 0]);
    }

    #[test]
    fn a_chain_with_a_let_is_no_value() {
        let found = found("fn f(a: bool) { if a && let Some(b) = c && d { e(); } }");
        let conditions: Vec<&String> =
            found.iter().filter(|one| one.contains("condition")).collect();
        assert_eq!(conditions.len(), 4, "{conditions:?}");
    }

    #[test]
    fn conditions_that_settings_must_meet_are_found_in_their_macro() {
        let found = found(
            "impl A { demands! { self, most; self.a > 0 => wrong(1), is(self.b) => wrong(2), } }",
        );
        assert!(found.iter().any(|one| one == "self.a > 0: comparison (self.a) == (0)"));
        // No number without a sign is below 0.
        assert!(found.iter().all(|one| one != "self.a > 0: comparison (self.a) != (0)"));
        assert!(found.iter().any(|one| one == "is(self.b): condition false"));
    }
}
