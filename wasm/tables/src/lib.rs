//! The core's classifiers by tables, for JavaScript: facts go in, a class and a hint come
//! out. Three modules are made of it, without state and with a memory of their own: of HTTP's
//! rules, of SQLSTATE, gRPC, AWS and Redis, and of single databases, brokers and services.

#![cfg_attr(target_arch = "wasm32", no_std)]
// JavaScript has only this kind of number; a cast of what is out of range saturates.
#![allow(clippy::cast_sign_loss, clippy::cast_precision_loss)]
// Addresses are references here: a place is taken first, then what is in it.
#![allow(clippy::deref_addrof)]
// wasm-bindgen takes public functions, whatever module they are in.
#![allow(unreachable_pub)]

#[cfg(all(target_arch = "wasm32", feature = "clients"))]
mod clients;
#[cfg(target_arch = "wasm32")]
mod facts;
#[cfg(all(target_arch = "wasm32", feature = "http"))]
mod http;
#[cfg(target_arch = "wasm32")]
#[path = "../../src/no_allocator.rs"]
mod no_allocator;
#[cfg(target_arch = "wasm32")]
#[path = "../../src/stack.rs"]
mod stack;
#[cfg(all(target_arch = "wasm32", not(any(feature = "http", feature = "clients"))))]
mod vendors;

/// No classifier panics; if one did, the call would end with the trap.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
