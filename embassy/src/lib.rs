//! redress on embassy.
#![no_std]
#![forbid(unsafe_code)]
