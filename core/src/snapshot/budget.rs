//! The snapshots of budgets.

use crate::budget::{NEVER, RatioBudget, RatioConfig, RollingBudget, RollingConfig};
use crate::snapshot::codec::{CHECKSUM, Fingerprint, HEADER, Reader, Writer};
use crate::snapshot::{Restored, Snapshot, SnapshotError};
use crate::{Duration, Instant, Settings};

impl<const N: usize, C: Settings<RollingConfig>> RollingBudget<N, C> {
    const KIND: u8 = 5;

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new().span(self.config().window).u64(u64::from(self.config().max_retries))
    }

    /// Whether tokens may have this long left: oldest first from `next`, none of them for
    /// longer than the window, and those not in use for no time.
    fn is_ring(&self, mut left: Reader<'_>, next: u16) -> Result<bool, SnapshotError> {
        let used = usize::from(self.config().max_retries).min(N);
        let (mut first, mut newer) = (None, 0);
        for index in 0..N {
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

impl<const N: usize, C: Settings<RollingConfig>> Snapshot for RollingBudget<N, C> {
    const BYTES: usize = HEADER + 8 * N + 2 + CHECKSUM;

    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError> {
        // By a clock that was set back no token has more left than a window, either.
        let now = self.known(now);
        let mut to = Writer::begin(Self::KIND, self.fingerprint(), Self::BYTES, now, out)?;
        for due in self.due {
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
        let mut from = Reader::begin(Self::KIND, print, Self::BYTES, bytes, now, off)?;
        let mut left = from.clone();
        for _ in 0..N {
            from.u64()?;
        }
        let next = from.u16()?;
        if !self.is_ring(left.clone(), next)? {
            return Err(SnapshotError::Value);
        }
        for token in &mut self.due {
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
