//! The same with a deadline, which needs a timer.

#![no_std]
#![no_main]

use redress::{Backoff, Duration, Policy};

prices::timerless! {
    Policy::builder().max_attempts(3).deadline(Duration::from_secs(60)).backoff(Backoff::constant(Duration::ZERO))
}
