//! redress without anything that takes time: neither limits nor delays.

#![no_std]
#![no_main]

use redress::{Backoff, Duration, Policy};

prices::timerless! {
    Policy::builder().max_attempts(3).no_deadline().backoff(Backoff::constant(Duration::ZERO))
}
