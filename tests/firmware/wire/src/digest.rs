//! One number that shows that two builds take the same decisions: FNV-1a over
//! everything that an engine said.

use redress::event::{Cause, CircuitState};
use redress::{Duration, ErrorClass, Event, Outcome, StopReason};

const ABSENT: u8 = 0xFF;

/// How a call ended, whichever driver ran it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The breaker let nothing through.
    Rejected(CircuitState),
    /// It was run.
    Ran {
        /// Why it stopped; `None` for a success.
        stop_reason: Option<StopReason>,
        /// The operations started.
        attempts: u32,
        /// Class and cause of the latest failure; `None` after a success.
        last: Option<(ErrorClass, Cause)>,
        /// From start to end.
        elapsed: Duration,
        /// The delay after which to go on, if the call was deferred.
        next_sleep: Option<Duration>,
    },
}

impl<T, E, V> From<Outcome<T, E, V>> for Ended {
    fn from(outcome: Outcome<T, E, V>) -> Self {
        if let Some(rejection) = outcome.rejection() {
            return Self::Rejected(rejection.state);
        }
        Self::Ran {
            stop_reason: outcome.stop_reason(),
            attempts: outcome.attempts,
            last: outcome.last_class().zip(outcome.cause()),
            elapsed: outcome.elapsed,
            next_sleep: outcome.next_sleep(),
        }
    }
}

/// A running 64-bit FNV-1a.
///
/// Source: Fowler, Noll, Vo; <http://www.isthe.com/chongo/tech/comp/fnv/>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// The number so far.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Any further bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// An event, when it is emitted.
    pub fn event(&mut self, event: &Event<'_>) {
        self.bytes(&[event.kind as u8]);
        self.bytes(&event.attempt.to_le_bytes());
        self.bytes(&event.delay.as_micros().to_le_bytes());
        self.bytes(&[
            class(event.class),
            cause(event.cause),
            reason(event.stop_reason),
            event.state.map_or(ABSENT, |state| state as u8),
        ]);
    }

    /// What can be seen after a call: state of the breaker (absent without one),
    /// tokens left (all ones without a budget), draws so far, the clock.
    pub fn observed(
        &mut self,
        state: Option<CircuitState>,
        left: Option<u32>,
        drawn: u32,
        now: u64,
    ) {
        self.bytes(&[state.map_or(ABSENT, |state| state as u8)]);
        self.bytes(&left.unwrap_or(u32::MAX).to_le_bytes());
        self.bytes(&drawn.to_le_bytes());
        self.bytes(&now.to_le_bytes());
    }

    /// A call, when it ends.
    pub fn call(&mut self, ended: &Ended) {
        match *ended {
            Ended::Rejected(state) => self.bytes(&[0xF1, state as u8]),
            Ended::Ran { stop_reason, attempts, last, elapsed, next_sleep } => {
                self.bytes(&[0xF0, u8::from(stop_reason.is_none()), reason(stop_reason)]);
                self.bytes(&attempts.to_le_bytes());
                self.bytes(&[class(last.map(|l| l.0)), cause(last.map(|l| l.1))]);
                self.bytes(&elapsed.as_micros().to_le_bytes());
                let next = next_sleep.map_or(u64::MAX, Duration::as_micros);
                self.bytes(&next.to_le_bytes());
            }
        }
    }
}

fn class(class: Option<ErrorClass>) -> u8 {
    class.map_or(ABSENT, |class| class as u8)
}

fn cause(cause: Option<Cause>) -> u8 {
    cause.map_or(ABSENT, |cause| cause as u8)
}

fn reason(reason: Option<StopReason>) -> u8 {
    reason.map_or(ABSENT, |reason| reason as u8)
}

/// Sixteen hexadecimal digits.
impl core::fmt::Display for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
