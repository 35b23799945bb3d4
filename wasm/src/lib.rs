//! The core's decisions for JavaScript: plain functions over numbers.
//!
//! State lives in slots of linear memory that are handed out as addresses; a class
//! of the npm package owns each of them and gives it back. Times come in
//! milliseconds as `f64`, NaN standing for none, and are microseconds inside.
//! Settings and longer answers pass through one table of numbers, in `table`; where each setting
//! is there, `settings` says.
//! Everything is single-threaded: an instance of the module belongs to one realm.
//!
//! With the feature `guards` it is another module, of breakers and budgets; with `adaptive` one of
//! strategies that adapt, and with `extras` one of what few programs use: snapshots, and breakers
//! that open at a share of the calls. Those have no memory, no stack and no table of functions of their own (`shares`).
//! They import those of the first, and work on the same slots by the same types, so that a call
//! asks a breaker of any module alike; their data and their functions are where the others have
//! nothing.

#![cfg_attr(target_arch = "wasm32", no_std)]
// JavaScript has only this kind of number; the package checks each before it comes here,
// and a cast of what is out of range saturates.
#![allow(clippy::cast_sign_loss, clippy::cast_precision_loss)]
// Addresses are references here: a place is taken first, then what is in it.
// All of them are aligned to 8.
#![allow(clippy::deref_addrof, clippy::borrow_deref_ref, clippy::cast_ptr_alignment)]
// wasm-bindgen takes public functions, whatever module they are in.
#![allow(unreachable_pub)]

#[cfg(all(target_arch = "wasm32", feature = "adaptive"))]
mod adaptive;
#[cfg(all(target_arch = "wasm32", not(any(feature = "adaptive", feature = "extras"))))]
mod breaker_answer;
#[cfg(all(target_arch = "wasm32", feature = "guards"))]
mod breaker_calls;
#[cfg(all(target_arch = "wasm32", not(feature = "adaptive")))]
mod breaker_slot;
#[cfg(all(target_arch = "wasm32", feature = "guards"))]
mod budget_calls;
#[cfg(all(target_arch = "wasm32", not(feature = "adaptive")))]
mod budget_slot;
#[cfg(all(target_arch = "wasm32", not(feature = "shares")))]
mod call;
#[cfg(all(target_arch = "wasm32", not(feature = "shares")))]
mod call_budget;
#[cfg(all(target_arch = "wasm32", not(feature = "shares")))]
mod classify;
#[cfg(target_arch = "wasm32")]
#[cfg_attr(feature = "shares", path = "shares/memory.rs")]
mod memory;
#[cfg(target_arch = "wasm32")]
mod no_allocator;
#[cfg(all(target_arch = "wasm32", not(feature = "shares")))]
mod policy;
#[cfg(target_arch = "wasm32")]
mod settings;
#[cfg(target_arch = "wasm32")]
mod slot;
#[cfg(all(target_arch = "wasm32", feature = "extras"))]
mod snapshot;
#[cfg(all(target_arch = "wasm32", not(feature = "shares")))]
mod stack;
#[cfg(all(target_arch = "wasm32", not(feature = "shares")))]
mod strategy;
#[cfg(all(target_arch = "wasm32", not(any(feature = "guards", feature = "extras"))))]
mod strategy_slot;
#[cfg(target_arch = "wasm32")]
mod table;
#[cfg(all(target_arch = "wasm32", feature = "extras"))]
mod windows;

/// The engine does not panic; if it did, the call would end with the trap.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
