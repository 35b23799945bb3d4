//! The snippets of `embassy/RECIPES.md` are the tests of this crate.

#![cfg_attr(doctest, doc = include_str!("../../../../embassy/RECIPES.md"))]
