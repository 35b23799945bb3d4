//! The same with an attempt timeout, which needs one, too.

#![no_std]
#![no_main]

use redress::{Backoff, Duration, Policy};

prices::timerless! {
    Policy::builder().max_attempts(3).no_deadline().attempt_timeout(Duration::from_secs(1)).backoff(Backoff::constant(Duration::ZERO))
}
