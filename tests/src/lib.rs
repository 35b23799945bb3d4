//! What no single crate of redress can show alone: the conformance vectors, the
//! proofs, the benchmarks beside peers, and the suite that runs them all.

pub mod classifiers;
pub mod engine;
pub mod fresh;
mod parts;
pub mod published;
pub mod report;
pub mod schema;

pub use redress_wire::digest;

/// The packages that the tests of the engine are built with, as arguments of cargo. Left out is what
/// takes as long to compile as all the rest: wasm-bindgen's own library, which builds the npm package,
/// and the clients that redress-tokio knows.
pub const ENGINE_PACKAGES: &str = "--workspace --exclude redress-wasm-bind --exclude redress-tokio \
                                   --exclude redress-glue --exclude redress-hosts --exclude redress-shared \
                                   --exclude redress-axum-service --all-features";

/// The snippets of the project's README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct ReadmeSnippets;
