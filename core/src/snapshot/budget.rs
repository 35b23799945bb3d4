//! The snapshots of budgets and of the rate limiter.

use crate::budget::{
    LimiterConfig, NEVER, RateLimiter, RatioBudget, RatioConfig, RollingBudget, RollingConfig,
    UNKNOWN,
};
use crate::config::Settings;
use crate::snapshot::codec::{CHECKSUM, Fingerprint, HEADER, Reader, Writer};
use crate::snapshot::{Restored, Snapshot, SnapshotError};
use crate::time::{Duration, Instant};

impl<const N: usize, C, D> RollingBudget<N, C, D>
where
    C: Settings<RollingConfig>,
    D: AsRef<[Instant]> + AsMut<[Instant]>,
{
    const KIND: u8 = 5;

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new().span(self.config().window).u64(u64::from(self.config().max_retries))
    }

    /// Whether tokens may have this long left: oldest first from `next`, none of them for
    /// longer than the window, and those not in use for no time.
    fn is_ring(&self, mut left: Reader<'_>, next: u16) -> Result<bool, SnapshotError> {
        let used = self.used();
        let (mut first, mut newer) = (None, 0);
        for index in 0..self.len() {
            let left = left.u64()?;
            let most = if index < used { self.config().window.as_micros() } else { 0 };
            let follows = index == usize::from(next) || index >= used || left >= newer;
            if left > most || !follows {
                return Ok(false);
            }
            if index < used {
                newer = left;
            }
            first = first.or(Some(left));
        }
        let next = usize::from(next);
        Ok(next == 0 || next < used && first.is_some_and(|first| newer <= first))
    }
}

impl<const N: usize, C, D> Snapshot for RollingBudget<N, C, D>
where
    C: Settings<RollingConfig>,
    D: AsRef<[Instant]> + AsMut<[Instant]>,
{
    const BYTES: usize = HEADER + 8 * N + 2 + CHECKSUM;

    fn size(&self) -> usize {
        HEADER + 8 * self.len() + 2 + CHECKSUM
    }

    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError> {
        // By a clock that was set back no token has more left than a window, either.
        let now = self.known(now);
        let mut to = Writer::begin(Self::KIND, self.fingerprint(), self.size(), now, out)?;
        for &due in self.due.as_ref() {
            to.until(due, self.config().window);
        }
        to.u16(self.next);
        Ok(to.end())
    }

    fn restore(
        &mut self,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Restored, SnapshotError> {
        let print = self.fingerprint();
        let mut from = Reader::begin(Self::KIND, print, self.size(), bytes, now, off)?;
        let mut left = from.clone();
        for _ in 0..self.len() {
            from.u64()?;
        }
        let next = from.u16()?;
        if !self.is_ring(left.clone(), next)? {
            return Err(SnapshotError::Value);
        }
        for token in self.due.as_mut() {
            *token = left.until()?;
        }
        self.next = next;
        Ok(from.restored())
    }
}

impl<C: Settings<RatioConfig>> RatioBudget<C> {
    const KIND: u8 = 6;

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new()
            .u64(u64::from(self.config().deposit))
            .u64(u64::from(self.config().floor()))
            .u64(self.config().limit)
    }
}

impl<C: Settings<RatioConfig>> Snapshot for RatioBudget<C> {
    const BYTES: usize = HEADER + 8 + CHECKSUM;

    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError> {
        let mut to = Writer::begin(Self::KIND, self.fingerprint(), Self::BYTES, now, out)?;
        to.u64(self.balance_at(now));
        Ok(to.end())
    }

    fn restore(
        &mut self,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Restored, SnapshotError> {
        let print = self.fingerprint();
        let mut from = Reader::begin(Self::KIND, print, Self::BYTES, bytes, now, off)?;
        let balance = from.u64()?;
        if balance > self.config().limit {
            return Err(SnapshotError::Value);
        }
        let restored = from.restored();
        self.balance = balance;
        if self.earned != NEVER {
            // The floor is earned while nothing runs, too.
            self.balance = self.balance_after(off.unwrap_or_default());
            self.earned = now;
        }
        Ok(restored)
    }
}

impl<const N: usize, C: Settings<LimiterConfig>> RateLimiter<N, C> {
    const KIND: u8 = 7;

    fn fingerprint(&self) -> Fingerprint {
        let mut print = Fingerprint::new();
        for window in self.config().windows() {
            print = print.u64(window.limit.into()).span(window.per).span(window.from);
        }
        for phase in self.config().phases() {
            print = print.u64(phase.limit.into()).span(phase.ends);
        }
        print
    }

    /// Whether so much may have been spent in this phase, so long after the start.
    fn is_possible(&self, phase: u8, spent: u32, elapsed: Duration) -> bool {
        let config = self.config();
        // What was spent the last time was not spent in a phase to come.
        let now = config.phase_at(elapsed).map_or(u8::MAX, |(number, _)| number);
        let limit = config.phases().nth(phase.into()).map_or(0, |phase| phase.limit);
        spent <= limit && (phase == 0 || spent > 0 && phase <= now)
    }
}

/// A run of 292,000 years: a longer one is restored as this, as it would come to its end.
const LONG_RUN: Duration = Duration::from_micros(1 << 63);

/// The snapshot holds the limiter's own time, which never goes back and does not depend on the
/// clock.
impl<const N: usize, C: Settings<LimiterConfig>> Snapshot for RateLimiter<N, C> {
    const BYTES: usize = HEADER + 8 + 2 + 1 + 4 + 12 * N + CHECKSUM;

    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError> {
        let mut to = Writer::begin(Self::KIND, self.fingerprint(), Self::BYTES, now, out)?;
        let now = self.elapsed_at(now);
        to.u64(if self.latest == UNKNOWN { u64::MAX } else { now.as_micros() });
        let config = self.config();
        let counted = || self.log().filter(|&(at, _)| config.counts(at, now));
        to.u16(counted().fold(0, |len, _| len + 1));
        to.u8(self.phase);
        to.u32(self.spent);
        let unused = core::iter::repeat((now, 0));
        for (at, cost) in counted().chain(unused).take(N) {
            to.u64(now.saturating_sub(at).as_micros());
            to.u32(cost);
        }
        Ok(to.end())
    }

    fn restore(
        &mut self,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Restored, SnapshotError> {
        let print = self.fingerprint();
        let mut from = Reader::begin(Self::KIND, print, Self::BYTES, bytes, now, off)?;
        let elapsed = from.u64()?;
        let (elapsed, latest) = match elapsed {
            u64::MAX => (Duration::ZERO, UNKNOWN),
            micros => {
                let forgotten = self.config().forgets_after();
                let long = LONG_RUN.max(forgotten.saturating_add(forgotten));
                (Duration::from_micros(micros).min(long), now)
            }
        };
        let (len, phase, spent) = (from.u16()?, from.u8()?, from.u32()?);
        let is_unspent = len == 0 && spent == 0;
        if !self.is_possible(phase, spent, elapsed)
            || usize::from(len) > N
            || latest == UNKNOWN && !is_unspent
        {
            return Err(SnapshotError::Value);
        }
        let mut log = from.clone();
        let mut before = None;
        for index in 0..N {
            let (age, cost) = (Duration::from_micros(from.u64()?), from.u32()?);
            let at = elapsed.saturating_sub(age);
            let fits = if index < usize::from(len) {
                let is_later = before.is_none_or(|before| at > before);
                cost > 0 && age <= elapsed && is_later && self.config().counts(at, elapsed)
            } else {
                cost == 0 && age.is_zero()
            };
            if !fits {
                return Err(SnapshotError::Value);
            }
            before = Some(at);
        }
        for (at, cost) in self.at.iter_mut().zip(&mut self.cost) {
            *at = elapsed.saturating_sub(Duration::from_micros(log.u64()?));
            *cost = log.u32()?;
        }
        (self.len, self.phase, self.spent) = (len, phase, spent);
        (self.elapsed, self.latest) = (elapsed, latest);
        if latest != UNKNOWN {
            self.elapsed = self.elapsed_after(off.unwrap_or_default());
        }
        Ok(from.restored())
    }
}
