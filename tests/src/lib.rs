//! What no single crate of redress can show alone: the conformance vectors, the
//! proofs, the benchmarks beside peers, and the suite that runs them all.

pub mod classifiers;
pub mod engine;
pub mod fresh;
mod parts;
pub mod report;
pub mod schema;

pub use redress_wire::digest;

/// The snippets of the project's README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct ReadmeSnippets;
