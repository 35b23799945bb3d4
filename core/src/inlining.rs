//! What is inlined, and why: the rules for every `#[inline(..)]` that says more than `#[inline]`.
//!
//! An image with a policy that the compiler knows is small because what the policy does not use
//! is left out, and a call on a host is quick because a first success touches little. Both
//! depend on where the compiler draws the borders of functions. So it is told, in these places
//! and in no others, and each has a figure that would be worse without it: `python3
//! tests/bench/run.py inlining` takes one rule after the other away and measures that. The
//! latest table is in tests/bench/PRICES.md. An image with a second operation would be smaller
//! without the rule for `settle_success`, but a success on a Cortex-M3 would take 67 instructions
//! in place of 31 (`cargo run --release -p redress-tests --bin firmware -- figures`).
//!
//! A pointer of 64 bits stands for a host, where instructions count; any other for a
//! microcontroller or for WebAssembly, where bytes do.
//!
//! | rule | where it holds | functions |
//! | --- | --- | --- |
//! | What depends on a policy is inlined, so that a policy that the compiler knows decides what is left of it. | everywhere | `delay` of a policy, `attempts_until_end`, the strategies in `backoff/rules.rs` |
//! | Likewise what decides, once for each operation. | hosts | `decide` of a call and of its steps |
//! | What a first success runs is inlined, so that its state stays in registers. | everywhere | `begin`, `settle_success` |
//! | What several operations run alike is one function. | no hosts | `settle`, `turn` |
//! | What a first success and a rejection do not run is a function of its own, out of their way. | hosts | `run_loop`, `probe` |
//! | A path of its own for a first success and for a rejection. | hosts | where [`FAST_PATH`] is read |

/// Whether a first success and a rejection have a path of their own: where instructions count
/// for more than bytes.
pub(crate) const FAST_PATH: bool = cfg!(target_pointer_width = "64");
