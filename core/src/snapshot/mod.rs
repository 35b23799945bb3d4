//! State that survives a restart: what remains of every limit, as a fixed number of
//! bytes with version, fingerprint of the settings and checksum.
//!
//! A snapshot holds no instant: the clock that reads it back may have another
//! origin. How long nothing ran is an argument of `restore`, if it is known (an
//! RTC); without it, time stands still while the power is off.
//!
//! | bytes | content |
//! | --- | --- |
//! | 1 | what it is of: call, breaker by its window, budget by its kind |
//! | 1 | version of this layout, now 1 |
//! | 4 | fingerprint of the settings, FNV-1a |
//! | .. | the state, integers little-endian, times in microseconds |
//! | 4 | CRC-32 (IEEE 802.3) of all before |

mod breaker;
mod budget;
mod call;
mod codec;

pub(crate) use call::{Between, CALL_BYTES};

use crate::snapshot::codec::VERSION;
use crate::{Duration, Instant};

/// Why a snapshot was not taken or not restored; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SnapshotError {
    /// The buffer, or the snapshot, has another length than this state needs.
    Length {
        /// What it needs.
        needs: usize,
        /// What there is.
        has: usize,
    },
    /// It is of something else: another kind of state, window or budget.
    Kind,
    /// It was written in another version of the layout.
    Version {
        /// The version that it has.
        has: u8,
    },
    /// It was taken under other settings.
    Fingerprint,
    /// The checksum is wrong: it was torn or damaged.
    Damaged,
    /// The checksum is right, but a value is none that this state can have.
    Value,
}

impl core::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length { needs, has } => {
                write!(f, "snapshot has {has} bytes: this state needs {needs}")
            }
            Self::Kind => f.write_str("snapshot is of another kind of state"),
            Self::Version { has } => {
                write!(f, "snapshot has version {has}: this one reads version {VERSION}")
            }
            Self::Fingerprint => f.write_str("snapshot was taken under other settings"),
            Self::Damaged => f.write_str("snapshot is damaged: its checksum is wrong"),
            Self::Value => f.write_str("snapshot holds a value that is out of range"),
        }
    }
}

impl core::error::Error for SnapshotError {}

/// What a restored state knows of the time that nothing ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Restored {
    /// It was known, and is over.
    TimeOff,
    /// It was not known: what remained then remains now.
    TimeStoodStill,
}

/// State that can be written to bytes and read back.
///
/// State that belongs together (a call and its breaker) is taken with one `now` and
/// restored with one `now` and `off`, so that permits still fit.
pub trait Snapshot {
    /// How many bytes it takes, always.
    const BYTES: usize;

    /// Writes the state into the first [`BYTES`](Self::BYTES) of `out`; returns
    /// their number.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Length`] if `out` is too short.
    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError>;

    /// Takes over the state in `bytes`, of which `off` has passed since.
    ///
    /// # Errors
    ///
    /// If the snapshot is damaged, foreign, of other settings or of another version;
    /// the state is then as it was.
    fn restore(
        &mut self,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Restored, SnapshotError>;
}
