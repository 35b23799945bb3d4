//! The snapshots of budgets.

use crate::budget::{RatioBudget, RatioConfig, RollingBudget, RollingConfig};
use crate::snapshot::codec::{CHECKSUM, Fingerprint, HEADER, Reader, Writer};
use crate::snapshot::{Restored, Snapshot, SnapshotError};
use crate::{Duration, Instant, Settings};

impl<const N: usize, C: Settings<RollingConfig>> RollingBudget<N, C> {
    const KIND: u8 = 5;

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new().span(self.config().window).u64(u64::from(self.config().max_retries))
    }
}

impl<const N: usize, C: Settings<RollingConfig>> Snapshot for RollingBudget<N, C> {
    const BYTES: usize = HEADER + 8 * N + 2 + CHECKSUM;

    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError> {
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
        let mut due = [Instant::ZERO; N];
        for token in &mut due {
            *token = from.until()?;
        }
        let next = from.u16()?;
        if next != 0 && next >= self.config().max_retries {
            return Err(SnapshotError::Value);
        }
        let restored = from.restored();
        self.due = due;
        self.next = next;
        Ok(restored)
    }
}

impl<C: Settings<RatioConfig>> RatioBudget<C> {
    const KIND: u8 = 6;

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new()
            .u64(u64::from(self.config().deposit))
            .u64(u64::from(self.config().floor_per_sec))
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
        // The floor is earned while nothing runs, too.
        let floor = u64::from(self.config().floor_per_sec);
        let earned = off.unwrap_or_default().as_micros().saturating_mul(floor);
        self.balance = balance.saturating_add(earned).min(self.config().limit);
        self.earned = now;
        Ok(restored)
    }
}
