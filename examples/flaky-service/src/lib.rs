//! A really flaky HTTP service on loopback, and one load on it in two ways: under one
//! redress policy with a breaker and a shared budget, and in a naive retry loop.
//!
//! `cargo demo` runs it; `service` alone serves tests that need real faults.
//!
//! | module | what it is about |
//! | --- | --- |
//! | [`service`] | the service, and the script of its faults |
//! | [`load`] | who calls what, and when |
//! | [`guarded`] | a call under the policy: what a user of redress writes |
//! | [`naive`] | a call in a loop |
//! | [`board`] | what both have done so far |
//! | [`view`] | the board while it changes: live in a terminal, else in lines |
//! | [`report`] | the closing table |
//! | [`mcu`] | the same on a microcontroller, in an emulator |
//! | [`playground`] | a page that shows what a policy does, served |
//! | [`arguments`] | the command line |

#![forbid(unsafe_code)]

pub mod arguments;
pub mod board;
pub mod guarded;
pub mod introduction;
pub mod load;
pub mod mcu;
pub mod naive;
pub mod playground;
pub mod report;
pub mod service;
pub mod view;
