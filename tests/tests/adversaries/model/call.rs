//! The rules of one call, in their order.

use redress::config::LongDelay;
use redress::{Backoff, ErrorClass, Policy, StopReason};

use super::breaker::Learned;
use super::some_time;
use crate::{Numbers, us};

/// The cap of the exponential delays.
const CAP: u64 = 100;

/// A policy as plain numbers. One class has exponential delays, the others constant ones, or
/// none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    attempts: u32,
    deadline: Option<u64>,
    timeout: Option<u64>,
    unknown: Option<u64>,
    limited: Option<(ErrorClass, u64)>,
    constant: Option<u64>,
    exponential: (ErrorClass, u64),
    /// A delay that does not fit is cut, as in the reference.
    cuts: bool,
}

impl Limits {
    pub(super) fn any(numbers: &mut Numbers) -> Self {
        Self {
            attempts: 1 + numbers.below(6) as u32,
            deadline: (!numbers.one_in(5)).then(|| some_time(numbers) * 10),
            timeout: numbers.one_in(3).then(|| some_time(numbers)),
            unknown: (!numbers.one_in(4)).then(|| numbers.below(4)),
            limited: numbers.one_in(3).then(|| (numbers.of(&ErrorClass::ALL), numbers.below(3))),
            constant: (!numbers.one_in(8)).then(|| numbers.below(20)),
            exponential: (numbers.of(&ErrorClass::ALL), numbers.below(20)),
            cuts: numbers.one_in(2),
        }
    }

    pub(super) fn policy(&self) -> Policy {
        let (class, base) = self.exponential;
        let mut config = Policy::builder()
            .max_attempts(self.attempts)
            .backoff_for(class, Backoff::exponential(us(base), us(CAP)))
            .long_delay(if self.cuts { LongDelay::Cut } else { LongDelay::Stop });
        config = match self.deadline {
            Some(deadline) => config.deadline(us(deadline)),
            None => config.no_deadline(),
        };
        config = match self.unknown {
            Some(failures) => config.max_unknown_attempts(failures as u16),
            None => config.no_unknown_limit(),
        };
        if let Some((class, failures)) = self.limited {
            config = config.max_attempts_for(class, failures as u16);
        }
        if let Some(delay) = self.constant {
            config = config.backoff(Backoff::constant(us(delay)));
        }
        if let Some(timeout) = self.timeout {
            config = config.attempt_timeout(us(timeout));
        }
        config.build().unwrap()
    }

    fn delay(&self, class: ErrorClass, attempt: u32) -> Option<u64> {
        let (special, base) = self.exponential;
        if class == special {
            return Some((base << (attempt - 1)).min(CAP));
        }
        self.constant
    }
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Retry(u64),
    TooLong(u64),
    Stop(StopReason),
}

#[derive(Debug)]
pub(super) struct Call {
    start: u64,
    pub(super) attempts: u32,
    /// When the attempt in flight began.
    attempt: u64,
    failures: [u64; ErrorClass::COUNT],
    last: Option<ErrorClass>,
    pub(super) delay: u64,
}

impl Call {
    pub(super) fn new(start: u64) -> Self {
        Self { start, attempts: 0, attempt: start, failures: [0; 8], last: None, delay: 0 }
    }

    fn remaining(&self, limits: &Limits, now: u64) -> Option<u64> {
        limits.deadline.map(|deadline| deadline.saturating_sub(now - self.start))
    }

    /// What an attempt that starts now learns: what is left, and how long it may take.
    pub(super) fn start(&mut self, limits: &Limits, now: u64) -> (Option<u64>, Option<u64>) {
        self.attempts += 1;
        self.attempt = now;
        let remaining = self.remaining(limits, now);
        (remaining, [remaining, limits.timeout].into_iter().flatten().min())
    }

    pub(super) fn is_late(&self, limits: &Limits, now: u64) -> bool {
        limits.deadline.is_some_and(|deadline| now - self.start > deadline)
    }

    /// What the breaker learns of a call that has stopped.
    pub(super) fn learned(&self) -> Learned {
        self.last.map_or(Learned::Nothing, Learned::Failure)
    }

    /// The attempt has failed, or was ended at its timeout.
    pub(super) fn fail(
        &mut self,
        limits: &Limits,
        class: ErrorClass,
        is_cut: bool,
        now: u64,
        spend: impl FnOnce() -> bool,
    ) -> Verdict {
        let left = self.remaining(limits, self.attempt);
        let given = [left, limits.timeout].into_iter().flatten().min();
        let final_classes = [ErrorClass::Auth, ErrorClass::Permission, ErrorClass::Permanent];
        let is_overdue = limits.timeout.is_some()
            && !final_classes.contains(&class)
            && given.is_some_and(|given| now - self.attempt > given);
        let class = if is_cut || is_overdue { ErrorClass::Transient } else { class };
        self.last = Some(class);
        self.failures[class as usize] += 1;
        let failures = self.failures[class as usize];
        if is_cut && left.is_some() && given == left {
            return Verdict::Stop(StopReason::DeadlineExceeded);
        }
        if limits.limited.is_some_and(|(limited, most)| limited == class && failures > most) {
            return Verdict::Stop(StopReason::MaxAttemptsPerClass);
        }
        if final_classes.contains(&class) {
            return Verdict::Stop(StopReason::NonRetryableClass);
        }
        if class == ErrorClass::Unknown && limits.unknown.is_some_and(|most| failures > most) {
            return Verdict::Stop(StopReason::MaxUnknownAttempts);
        }
        if self.is_late(limits, now) {
            return Verdict::Stop(StopReason::DeadlineExceeded);
        }
        let Some(delay) = limits.delay(class, self.attempts) else {
            return Verdict::Stop(StopReason::NoStrategy);
        };
        let remaining = self.remaining(limits, now);
        if remaining == Some(0) {
            return Verdict::Stop(StopReason::DeadlineExceeded);
        }
        if self.attempts >= limits.attempts {
            return Verdict::Stop(StopReason::MaxAttemptsGlobal);
        }
        self.delay = delay;
        if let Some(remaining) = remaining
            && delay >= remaining
        {
            if !limits.cuts {
                return Verdict::TooLong(delay);
            }
            self.delay = remaining;
        }
        if spend() {
            Verdict::Retry(self.delay)
        } else {
            Verdict::Stop(StopReason::BudgetExhausted)
        }
    }
}
