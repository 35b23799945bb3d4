//! How a snapshot is written and read: [`Writer`], [`Reader`], checksum and
//! [`Fingerprint`].

use crate::snapshot::{Restored, SnapshotError};
use crate::time::{Duration, Instant};

/// The version of the layout.
pub(super) const VERSION: u8 = 1;
/// Kind, version and fingerprint.
pub(super) const HEADER: usize = 6;
/// The checksum at the end.
pub(super) const CHECKSUM: usize = 4;

/// Writes fields one after the other; what does not fit is an error at the end.
pub(super) struct Writer<'o> {
    out: &'o mut [u8],
    len: usize,
    pub(super) now: Instant,
}

impl<'o> Writer<'o> {
    pub(super) fn begin(
        kind: u8,
        fingerprint: Fingerprint,
        bytes: usize,
        now: Instant,
        out: &'o mut [u8],
    ) -> Result<Self, SnapshotError> {
        let has = out.len();
        let Some(out) = out.get_mut(..bytes) else {
            return Err(SnapshotError::Length { needs: bytes, has });
        };
        Ok(Self::whole(kind, fingerprint, now, out))
    }

    /// Into as many bytes as the snapshot takes.
    pub(super) fn whole(
        kind: u8,
        fingerprint: Fingerprint,
        now: Instant,
        out: &'o mut [u8],
    ) -> Self {
        let mut writer = Self { out, len: 0, now };
        writer.u8(kind);
        writer.u8(VERSION);
        writer.bytes(&fingerprint.0.to_le_bytes());
        writer
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if let Some(place) = self.out.get_mut(self.len) {
                *place = byte;
            }
            self.len += 1;
        }
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// What remains until `until`, at most `limit`; a due time that never comes is
    /// written as one that never comes.
    pub(super) fn until(&mut self, until: Instant, limit: Duration) {
        let left = if until == Instant::MAX { Duration::MAX } else { until.since(self.now) };
        self.u64(left.min(limit).as_micros());
    }

    pub(super) fn end(mut self) -> usize {
        let checksum = crc32(self.out.get(..self.len).unwrap_or_default());
        self.u32(checksum);
        self.len
    }
}

/// Reads fields one after the other, after all checks that need no field. A copy reads the
/// same fields again.
#[derive(Clone)]
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    pub(super) now: Instant,
    pub(super) off: Option<Duration>,
}

impl<'b> Reader<'b> {
    pub(super) fn begin(
        kind: u8,
        fingerprint: Fingerprint,
        needs: usize,
        bytes: &'b [u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Self, SnapshotError> {
        let has = bytes.len();
        let (&[has_kind, version, f0, f1, f2, f3, ..], Some((body, checksum))) =
            (bytes, bytes.split_last_chunk::<CHECKSUM>())
        else {
            return Err(SnapshotError::Length { needs, has });
        };
        if crc32(body) != u32::from_le_bytes(*checksum) {
            return Err(SnapshotError::Damaged);
        }
        if version != VERSION {
            return Err(SnapshotError::Version { has: version });
        }
        if has_kind != kind {
            return Err(SnapshotError::Kind);
        }
        if u32::from_le_bytes([f0, f1, f2, f3]) != fingerprint.0 {
            return Err(SnapshotError::Fingerprint);
        }
        if has != needs {
            return Err(SnapshotError::Length { needs, has });
        }
        Ok(Self { bytes: body.get(HEADER..).unwrap_or_default(), now, off })
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (field, rest) = self.bytes.split_first_chunk::<N>().ok_or(SnapshotError::Value)?;
        self.bytes = rest;
        Ok(*field)
    }

    pub(super) fn u8(&mut self) -> Result<u8, SnapshotError> {
        self.take().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, SnapshotError> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, SnapshotError> {
        self.take().map(u64::from_le_bytes)
    }

    /// When what was `left` microseconds away is due on this clock; now, if it is over.
    pub(super) fn due(&self, left: u64) -> Instant {
        let left = Duration::from_micros(left);
        if left == Duration::MAX {
            return Instant::MAX;
        }
        let off = self.off.unwrap_or(Duration::ZERO);
        self.now.saturating_add(left.saturating_sub(off))
    }

    /// When it is due on this clock; the clock's origin if it is over, so that a stale instant
    /// does not take it for something that is still due.
    pub(super) fn until(&mut self) -> Result<Instant, SnapshotError> {
        let left = self.u64()?;
        Ok(self.still_due(left))
    }

    pub(super) fn still_due(&self, left: u64) -> Instant {
        let due = self.due(left);
        if due > self.now { due } else { Instant::ZERO }
    }

    /// As [`until`](Self::until), for what cannot have more than `limit` left.
    pub(super) fn until_within(&mut self, limit: Duration) -> Result<Instant, SnapshotError> {
        let left = self.u64()?;
        if left > limit.as_micros() {
            return Err(SnapshotError::Value);
        }
        Ok(self.still_due(left))
    }

    pub(super) fn restored(&self) -> Restored {
        if self.off.is_some() { Restored::TimeOff } else { Restored::TimeStoodStill }
    }
}

/// CRC-32 of IEEE 802.3, bit by bit: snapshots are short and flash is dear.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 != 0 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A number that two settings share only by chance: 32-bit FNV-1a.
#[derive(Clone, Copy)]
pub(super) struct Fingerprint(u32);

impl Fingerprint {
    pub(super) const fn new() -> Self {
        Self(0x811C_9DC5)
    }

    pub(super) const fn u64(mut self, value: u64) -> Self {
        let bytes = value.to_le_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self.0 = (self.0 ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
            i += 1;
        }
        self
    }

    pub(super) const fn span(self, span: Duration) -> Self {
        self.u64(span.as_micros())
    }
}
