//! State that survives a restart: a breaker, a budget, a limiter or a call as a fixed number of
//! bytes, with version, fingerprint of the settings and checksum.
//!
//! A snapshot holds the time that remains, not instants, because the clock after a restart may
//! have another origin. How long nothing ran is an argument of [`restore`](Snapshot::restore), if
//! it is known (from an RTC). Without it, time is taken to have stood still while the power was
//! off.
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

pub use crate::driver::suspend::{Progress, Resumed, Suspended};

use crate::snapshot::codec::VERSION;
use crate::time::{Duration, Instant};

/// Why a snapshot was not taken or not restored; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SnapshotError {
    /// The buffer is too short, or the snapshot has another length than this state needs.
    Length {
        /// The bytes that the state needs.
        needs: usize,
        /// The bytes that there are.
        has: usize,
    },
    /// The snapshot is of another kind of state, window or budget.
    Kind,
    /// The snapshot was written in another version of the layout.
    Version {
        /// The version that it has.
        has: u8,
    },
    /// The snapshot was taken under other settings.
    Fingerprint,
    /// The checksum is wrong: the snapshot is incomplete or damaged.
    Damaged,
    /// The checksum is right, but this state cannot have such a value.
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

/// Whether a restored state knows how long nothing ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Restored {
    /// The time was known and has been subtracted from what remained.
    TimeOff,
    /// The time was not known: what remained then remains now.
    TimeStoodStill,
}

/// State that can be written to bytes and read back.
///
/// For state that belongs together (a call and its breaker), take the snapshots with the same
/// `now`, and restore them with the same `now` and `off`, so that permits still fit.
pub trait Snapshot {
    /// How many bytes a snapshot takes; at most, for state with storage whose length is known
    /// only at run time.
    const BYTES: usize;

    /// How many bytes a snapshot of this state takes: [`BYTES`](Self::BYTES), or fewer if the
    /// length of its storage is known only at run time.
    fn size(&self) -> usize {
        Self::BYTES
    }

    /// Writes the state into the first [`size`](Self::size) bytes of `out`; returns
    /// their number.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Length`] if `out` is too short.
    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError>;

    /// Restores the state in `bytes`. `off` is how long nothing ran, if that is known.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] if the snapshot is damaged ([`Damaged`](SnapshotError::Damaged),
    /// [`Value`](SnapshotError::Value)), of another kind or length
    /// ([`Kind`](SnapshotError::Kind), [`Length`](SnapshotError::Length)), or was taken under
    /// other settings or in another version ([`Fingerprint`](SnapshotError::Fingerprint),
    /// [`Version`](SnapshotError::Version)). The state is then unchanged.
    fn restore(
        &mut self,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Restored, SnapshotError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::Backoff;
    use crate::breaker::{Breaker, BreakerConfig, CallResult};
    use crate::breaker::{FailureTimes, LastOutcomes, TimeSlices};
    use crate::budget::{Budget, RatioBudget, RatioConfig, RollingBudget, RollingConfig};
    use crate::call::Call;
    use crate::class::{ClassSet, ErrorClass};
    use crate::event::Cause;
    use crate::policy::Policy;

    const US: fn(u64) -> Duration = Duration::from_micros;
    const NOW: Instant = Instant::from_micros(1_000);

    /// The checksum of a snapshot, which tells whether any of its bytes has changed.
    fn checksum(state: &impl Snapshot) -> u32 {
        let mut bytes = [0; 256];
        let len = state.snapshot(NOW, &mut bytes).expect("it fits");
        let (_, checksum) = bytes[..len].split_last_chunk().expect("it has one");
        u32::from_le_bytes(*checksum)
    }

    fn unusual<R: Copy>(config: BreakerConfig<R>) -> BreakerConfig<R> {
        config
            .trip_on(ClassSet::of(&[ErrorClass::RateLimit, ErrorClass::Transient]))
            .half_open_on(ClassSet::of(&[ErrorClass::Transient]))
            .recovery_timeout(US(101))
            .recovery_growth_to(US(1_003))
            .recovery_jitter(US(5))
            .open_for_hint(US(7_000))
            .lease(US(211))
            .half_open_permits(2)
            .successes_to_close(3)
    }

    fn failed<W: crate::breaker::Window, C: crate::config::Settings<BreakerConfig<W::Rule>>>(
        breaker: &mut Breaker<W, 2, C>,
    ) {
        for at in [990, 995] {
            let now = Instant::from_micros(at);
            let permit = breaker.admit(now).expect("it is closed").permit;
            breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), now);
        }
    }

    #[test]
    fn what_version_1_wrote_keeps_its_bytes() {
        let failures = unusual(BreakerConfig::failures(3, US(300)));
        let failures = failures.class_threshold(ErrorClass::RateLimit, 2);
        let mut by_failures = Breaker::<FailureTimes<4>, 2, _>::new(&failures).unwrap();
        failed(&mut by_failures);
        let outcomes = unusual(BreakerConfig::outcomes(20, 900, 10));
        let mut by_outcomes = Breaker::<LastOutcomes<1>, 2, _>::new(&outcomes).unwrap();
        failed(&mut by_outcomes);
        let slices = unusual(BreakerConfig::slices(US(100), 900, 10)).slow_calls(US(9), 800);
        let mut by_slices = Breaker::<TimeSlices<3>, 2, _>::new(&slices).unwrap();
        failed(&mut by_slices);
        let rolling = RollingConfig::new(3, US(500));
        let mut rolling = RollingBudget::<3, _>::new(&rolling).unwrap();
        rolling.consume(1, Instant::from_micros(900));
        let ratio = RatioConfig::new(200).initial(5).floor_per_sec(2);
        let ratio = RatioBudget::<_>::new(&ratio).unwrap();
        let found = [
            checksum(&by_failures),
            checksum(&by_outcomes),
            checksum(&by_slices),
            checksum(&rolling),
            checksum(&ratio),
        ];
        assert_eq!(found, [620_429_730, 834_939_355, 191_578_800, 3_194_316_578, 1_062_132_716]);
    }

    #[test]
    fn what_version_1_wrote_of_a_call_keeps_its_bytes() {
        static DELAYS: [Duration; 2] = [Duration::from_micros(3), Duration::from_micros(4)];
        static SEQUENCE: Backoff = Backoff::sequence(&DELAYS);
        let policy = Policy::builder()
            .max_attempts(6)
            .max_unknown_attempts(3)
            .max_attempts_for(ErrorClass::Transient, 4)
            .deadline(US(9_000))
            .attempt_timeout(US(800))
            .backoff(Backoff::exponential_by(US(11), US(70), 1_500))
            .backoff_for(
                ErrorClass::RateLimit,
                Backoff::retry_after_or(&SEQUENCE, US(2)).at_most(US(77)),
            )
            .build()
            .unwrap();
        let mut call = Call::begin(&policy, Instant::from_micros(400));
        call.attempts = 2;
        call.failures[ErrorClass::Transient as usize] = 2;
        call.last = Some((ErrorClass::Transient, Cause::Result));
        call.previous = US(60);
        let permits = [
            None,
            Some(crate::breaker::Permit::closed(258, 1)),
            Some(crate::breaker::Permit::probe(Instant::from_micros(1_200), 3, 1, 2)),
        ];
        let found = permits.map(|permit| {
            let between = Between { call, permit, due: Instant::from_micros(1_040) };
            let mut bytes = [0; CALL_BYTES];
            between.save(&policy, NOW, &mut bytes);
            let (_, checksum) = bytes.split_last_chunk().expect("it has one");
            u32::from_le_bytes(*checksum)
        });
        assert_eq!(found, [1_938_114_618, 395_665_076, 1_927_779_521]);
    }

    #[test]
    fn what_version_1_wrote_under_each_setting_keeps_its_bytes() {
        let plain = Policy::builder().backoff(Backoff::constant(US(5)));
        let auth = ErrorClass::Auth;
        let found = [
            plain,
            plain.long_delay(crate::policy::LongDelay::Cut),
            plain.retriable(auth, 3),
            plain.max_attempts_for(ErrorClass::Unknown, 1),
            plain.no_unknown_limit(),
            plain.backoff_for(ErrorClass::Unknown, Backoff::fibonacci(US(1), US(9))),
            Policy::builder().backoff_for(auth, Backoff::exponential_by(US(1), US(9), 2_500)),
        ]
        .map(|config| {
            let policy = config.build().unwrap();
            let call = Call::begin(&policy, NOW);
            let mut bytes = [0; CALL_BYTES];
            Between { call, permit: None, due: NOW }.save(&policy, NOW, &mut bytes);
            u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]])
        });
        assert_eq!(
            found,
            [
                987_846_635,
                1_069_892_972,
                631_657_898,
                3_856_044_676,
                862_107_919,
                4_140_891_649,
                3_084_001_395
            ]
        );
    }
}
