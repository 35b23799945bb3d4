//! The snapshot of a call between two attempts.

use crate::backoff::Backoff;
use crate::breaker::Permit;
use crate::call::{Call, Stage};
use crate::class::ErrorClass;
use crate::event::Cause;
use crate::policy::{LongDelay, Policy, RetryConfig};
use crate::snapshot::codec::{CHECKSUM, Fingerprint, HEADER, Reader, Writer};
use crate::snapshot::{Restored, SnapshotError};
use crate::time::{Duration, Instant};

/// A permit, or none: slot, generation, rest of the lease.
const PERMIT_BYTES: usize = 1 + 1 + 2 + 8;

impl Writer<'_> {
    fn permit(&mut self, permit: Option<Permit>) {
        let (has, permit) = match permit {
            Some(permit) => (1, permit),
            None => (0, Permit::closed(0, 0)),
        };
        self.u8(has | permit.wants() << 1);
        self.u8(permit.slot());
        self.u16(permit.generation());
        self.u64(permit.lease.since(self.now).as_micros());
    }
}

impl Reader<'_> {
    fn permit(&mut self) -> Result<Option<Permit>, SnapshotError> {
        let has = self.u8()?;
        let (slot, generation) = (self.u8()?, self.u16()?);
        let left = self.u64()?;
        let (lease, wants) = (self.due(left), has >> 1);
        let is_probe = slot != Permit::NO_SLOT;
        let has = has & 1 != 0;
        let fits = wants <= Permit::ALL_WANTS && (is_probe || left == 0);
        if !fits || !has && (is_probe || wants != 0 || generation != 0) {
            return Err(SnapshotError::Value);
        }
        let permit = if is_probe {
            Permit::probe(lease, generation, slot, wants)
        } else {
            Permit::closed(generation, wants)
        };
        Ok(has.then_some(permit))
    }
}

/// A call between two attempts, with the permit that it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    pub(crate) call: Call,
    pub(crate) permit: Option<Permit>,
    /// When the next attempt is due.
    pub(crate) due: Instant,
}

const CALL: u8 = 1;

/// How many bytes the snapshot of a call takes.
pub(crate) const CALL_BYTES: usize =
    HEADER + 8 * 4 + 4 + 2 * ErrorClass::COUNT + 3 + PERMIT_BYTES + CHECKSUM;

impl Between {
    pub(crate) fn save(&self, policy: &Policy, now: Instant, out: &mut [u8; CALL_BYTES]) {
        let fingerprint = fingerprint(&policy.config());
        let mut to = Writer::whole(CALL, fingerprint, now, out);
        to.u64(self.call.elapsed(now).as_micros());
        // A deadline of the call's own may be longer: `resume` sets it anew. After a delay
        // that did not fit, the deadline goes on when that is over.
        let rest = self.due.since(now);
        let longest = policy.deadline().saturating_add(rest);
        to.u64(self.call.remaining(now).min(longest).as_micros());
        to.u64(self.call.previous.as_micros());
        to.u64(rest.as_micros());
        to.u32(self.call.attempts);
        for failures in self.call.failures {
            to.u16(failures);
        }
        let (class, cause) = match self.call.last {
            Some((class, cause)) => (class as u8, cause as u8),
            None => (u8::MAX, u8::MAX),
        };
        to.u8(class);
        to.u8(cause);
        // The wait for a rate limit may be longer than the delay before it.
        to.u8(u8::from(rest > self.call.previous));
        to.permit(self.permit);
        to.end();
    }

    /// `limits` if the call has a rate limit.
    pub(crate) fn load(
        policy: &Policy,
        limits: bool,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<(Self, Restored), SnapshotError> {
        let fingerprint = fingerprint(&policy.config());
        let mut from = Reader::begin(CALL, fingerprint, CALL_BYTES, bytes, now, off)?;
        let began = Duration::from_micros(from.u64()?);
        let left = from.u64()?;
        let previous = Duration::from_micros(from.u64()?);
        let rest = from.u64()?;
        let longest = policy.deadline().as_micros().saturating_add(rest);
        if left > longest {
            return Err(SnapshotError::Value);
        }
        let due = from.due(rest);
        let mut deadline = began.saturating_add(Duration::from_micros(left));
        // One of the call's own, that is shorter, is known by its end.
        let own_deadline = deadline < policy.deadline();
        if policy.long_delay() == LongDelay::Stop && rest >= left && left > 0 {
            // The delay did not fit before the deadline: what was left of that begins after it.
            // Where nothing was left it would begin anew each time that the call is suspended.
            deadline = deadline.saturating_add(Duration::from_micros(rest));
        }
        let attempts = from.u32()?;
        let mut failures = [0; ErrorClass::COUNT];
        for count in &mut failures {
            *count = from.u16()?;
        }
        let last = match (from.u8()?, from.u8()?) {
            (u8::MAX, u8::MAX) => None,
            (class, cause) => {
                let class = ErrorClass::ALL.get(usize::from(class)).ok_or(SnapshotError::Value)?;
                let cause = match cause {
                    0 => Cause::Exception,
                    1 => Cause::Result,
                    _ => return Err(SnapshotError::Value),
                };
                Some((*class, cause))
            }
        };
        if !is_possible(policy, attempts, &failures, last) {
            return Err(SnapshotError::Value);
        }
        let waits = rest > previous.as_micros();
        if from.u8()? != u8::from(waits) || waits && !limits {
            return Err(SnapshotError::Value);
        }
        let permit = from.permit()?;
        let taken = began.saturating_add(off.unwrap_or_default());
        let call = Call {
            seen: now,
            began: now.wrapping_sub(taken),
            deadline,
            previous,
            attempts,
            failures,
            last,
            own_deadline,
            stage: Stage::Usual,
        };
        Ok((Self { call, permit, due }, from.restored()))
    }
}

/// Whether a call under this policy can be between two attempts after these.
fn is_possible(
    policy: &Policy,
    attempts: u32,
    failures: &[u16; ErrorClass::COUNT],
    last: Option<(ErrorClass, Cause)>,
) -> bool {
    let mut sum = 0_u32;
    for (class, failures) in ErrorClass::ALL.into_iter().zip(failures.iter().copied()) {
        let limit = if class == ErrorClass::Unknown { policy.unknown_limit() } else { u16::MAX };
        let is_over = policy.is_final(class)
            || policy.is_over_limit(class, failures)
            || failures > limit
            || !policy.has_backoff(class);
        let is_last = last.is_some_and(|(last, _)| last == class);
        if failures > 0 && is_over || failures == 0 && is_last {
            return false;
        }
        sum += u32::from(failures);
    }
    // An attempt may have ended without a result, but no failure came without an attempt.
    sum <= attempts && attempts < policy.max_attempts() && (sum > 0) == last.is_some()
}

fn fingerprint(config: &RetryConfig) -> Fingerprint {
    let mut print = Fingerprint::new()
        .span(config.deadline)
        .span(config.attempt_timeout)
        .u64(config.max_attempts as u64 | (config.max_unknown as u64) << 32)
        .u64(
            config.limited.bits() as u64
                | (config.special.bits() as u64) << 8
                | (config.retriable.bits() as u64) << 16
                | (config.long_delay as u64) << 24,
        );
    print = print.u64(config.default.is_some() as u64);
    if let Some(backoff) = &config.default {
        print = strategy(backoff, print);
    }
    let mut i = 0;
    while i < ErrorClass::COUNT {
        print = print.u64(config.limits[i] as u64);
        print = strategy(&config.specials[i], print);
        i += 1;
    }
    print
}

/// The numbers of a strategy. What a function or a `static` of your own computes has
/// none.
const fn strategy(backoff: &Backoff, print: Fingerprint) -> Fingerprint {
    let (first, second) = backoff.spans();
    let mut print = print.span(first).span(second).u64(backoff.number());
    if let Some(delays) = backoff.delays() {
        print = print.u64(delays.len() as u64);
        let mut i = 0;
        while i < delays.len() {
            print = print.span(delays[i]);
            i += 1;
        }
    }
    if let Some((_, longest)) = backoff.hints() {
        print = print.span(longest);
    }
    match backoff.fallback() {
        Some((fallback, _)) => strategy(fallback, print),
        None => print,
    }
}
