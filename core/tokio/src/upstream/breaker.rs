//! A breaker whose window is known only at run time: [`BreakerKind`] are its settings, and
//! [`SharedBreaker`] is what the calls of one key share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redress::breaker::{
    Admitted, ByHand, CallResult, CircuitOpen, Counts, FailureRule, FailureTimes, Gate,
    LastOutcomes, OutcomeRule, Permit, SliceRule, TimeSlices,
};
use redress::config::ConfigError;
use redress::event::CircuitState;
use redress::keyed::Entry;
use redress::snapshot::{Snapshot, SnapshotError};
use redress::{Breaker, BreakerConfig, Clock, Duration, Instant};

use crate::time::TokioTime;

/// The most probes of a breaker in flight.
pub(crate) const PERMITS: usize = 4;
/// How many slices a window of time has.
pub(crate) const SLICES: usize = 10;
/// The most failures that open a breaker.
const FAILURES: usize = 255;
/// Words of 32 calls each.
const WORDS: usize = 32;

/// The settings of a breaker, with any window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerKind {
    /// A number of failures opens it; up to 255.
    Failures(BreakerConfig<FailureRule>),
    /// A share of the last calls opens it; up to 1,024 of them.
    Calls(BreakerConfig<OutcomeRule>),
    /// A share of the calls of a time opens it, which has ten slices.
    Time(BreakerConfig<SliceRule>),
}

impl From<BreakerConfig<FailureRule>> for BreakerKind {
    fn from(config: BreakerConfig<FailureRule>) -> Self {
        Self::Failures(config)
    }
}

impl From<BreakerConfig<OutcomeRule>> for BreakerKind {
    fn from(config: BreakerConfig<OutcomeRule>) -> Self {
        Self::Calls(config)
    }
}

impl From<BreakerConfig<SliceRule>> for BreakerKind {
    fn from(config: BreakerConfig<SliceRule>) -> Self {
        Self::Time(config)
    }
}

type Failures =
    Breaker<FailureTimes<FAILURES, Box<[Instant]>, Box<[u8]>>, PERMITS, BreakerConfig<FailureRule>>;
type Calls = Breaker<LastOutcomes<WORDS>, PERMITS, BreakerConfig<OutcomeRule>>;
type Time = Breaker<TimeSlices<SLICES>, PERMITS, BreakerConfig<SliceRule>>;

/// A breaker with one of the windows.
#[derive(Debug)]
pub(crate) enum Any {
    Failures(Failures),
    Calls(Calls),
    Time(Time),
}

impl Any {
    pub(crate) fn new(kind: &BreakerKind) -> Result<Self, ConfigError> {
        match *kind {
            BreakerKind::Failures(config) => {
                let entries = config.entries().min(FAILURES);
                let times = vec![Instant::ZERO; entries].into_boxed_slice();
                let places = vec![0; entries].into_boxed_slice();
                match FailureTimes::with_storage(times, places) {
                    Some(window) => Breaker::with_window(config, window).map(Self::Failures),
                    None => unreachable!("both parts have the same length, up to the most"),
                }
            }
            BreakerKind::Calls(config) => Breaker::from_settings(config).map(Self::Calls),
            BreakerKind::Time(config) => Breaker::from_settings(config).map(Self::Time),
        }
    }
}

/// Evaluates `$body` with the breaker of any window.
macro_rules! with {
    ($any:expr, $breaker:ident => $body:expr) => {
        match $any {
            Any::Failures($breaker) => $body,
            Any::Calls($breaker) => $body,
            Any::Time($breaker) => $body,
        }
    };
}

/// For a breaker whose state is in a store.
impl Any {
    pub(crate) fn save(&self, now: Instant) -> Vec<u8> {
        with!(self, breaker => {
            let mut bytes = vec![0; breaker.size()];
            let _ = breaker.snapshot(now, &mut bytes);
            bytes
        })
    }

    pub(crate) fn restore(&mut self, bytes: &[u8], now: Instant) -> Result<(), SnapshotError> {
        with!(self, breaker => breaker.restore(bytes, now, None).map(drop))
    }

    /// Admits a call, with whether a closed breaker did.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<(Admitted, bool), CircuitOpen> {
        with!(self, breaker => {
            let admitted = breaker.admit(now)?;
            Ok((admitted, breaker.state() == CircuitState::Closed))
        })
    }

    pub(crate) fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        with!(self, breaker => breaker.settle_timed(permit, result, Duration::ZERO, random, now))
    }

    /// What its calls need, as a permit says it.
    pub(crate) fn permit(&self) -> Option<Permit> {
        with!(self, breaker => breaker.admit_closed())
    }
}

/// The breaker of one key, shared by its calls.
///
/// Each method locks the breaker for its own length.
#[derive(Clone, Debug)]
pub struct SharedBreaker(Arc<Mutex<Any>>);

impl SharedBreaker {
    pub(crate) fn new(kind: &BreakerKind) -> Result<Self, ConfigError> {
        Any::new(kind).map(|any| Self(Arc::new(Mutex::new(any))))
    }

    fn lock(&self) -> MutexGuard<'_, Any> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state. Time alone does not change it: after its recovery time an open breaker stays open
    /// until the next call, and [`check`](Self::check) says that the next call would be admitted.
    pub fn state(&self) -> CircuitState {
        with!(&*self.lock(), breaker => breaker.state())
    }

    /// What a call would be answered now; see [`Breaker::check`]. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`], the rejection that a call would get.
    pub fn check(&self) -> Result<(), CircuitOpen> {
        self.check_at(TokioTime.now())
    }

    /// As [`check`](Self::check), at another instant: a later one tells whether a call that waits
    /// until then would be admitted if nothing else happened.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`], the rejection that a call would get.
    pub fn check_at(&self, now: Instant) -> Result<(), CircuitOpen> {
        with!(&*self.lock(), breaker => breaker.check(now))
    }

    /// What its window holds now; see [`Breaker::counts`].
    pub fn counts(&self) -> Counts {
        let now = TokioTime.now();
        with!(&*self.lock(), breaker => breaker.counts(now))
    }

    /// Whether the entry of this breaker must stay in a map; see [`Entry::must_stay`].
    pub(super) fn must_stay(&self) -> bool {
        with!(&*self.lock(), breaker => breaker.must_stay())
    }

    /// Whether it may go after all; see [`Entry::is_over`].
    pub(super) fn is_over(&self, now: Instant) -> bool {
        with!(&mut *self.lock(), breaker => Entry::is_over(breaker, now))
    }
}

/// The permit of a call that runs.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    permit: Permit,
    /// Whether the window counts successes.
    counts_success: bool,
}

impl SharedBreaker {
    fn pass(permit: Permit, any: &Any) -> Pass {
        Pass { permit, counts_success: !matches!(any, Any::Failures(_)) }
    }
}

impl Gate for SharedBreaker {
    type Pass = Pass;

    /// Measured for slow calls, which only a window of time knows.
    type Attempts = Duration;

    const WANTS: u8 = u8::MAX;

    #[inline]
    fn admit_closed(&self) -> Option<Pass> {
        let any = self.lock();
        let permit = with!(&*any, breaker => breaker.admit_closed())?;
        Some(Self::pass(permit, &any))
    }

    fn admit(&self, now: Instant) -> Result<(Pass, bool), CircuitOpen> {
        let mut any = self.lock();
        let Admitted { permit, half_opened } = with!(&mut *any, breaker => breaker.admit(now))?;
        Ok((Self::pass(permit, &any), half_opened))
    }

    #[inline]
    fn counts_success(pass: &Pass) -> bool {
        pass.counts_success || pass.permit.is_probe()
    }

    fn settle(
        &self,
        pass: Pass,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        with!(&mut *self.lock(), breaker => {
            breaker.settle_timed(pass.permit, result, longest, random, now)
        })
    }

    fn cancel(&self, pass: Pass) {
        with!(&mut *self.lock(), breaker => breaker.cancel(pass.permit));
    }

    fn hold(&self, pass: Pass, hint: Duration, now: Instant) -> Option<CircuitState> {
        with!(&mut *self.lock(), breaker => breaker.hold(pass.permit, hint, now))
    }

    fn still_admits(&self, pass: Pass) -> bool {
        with!(&*self.lock(), breaker => breaker.still_admits(pass.permit))
    }

    fn set(&self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        with!(&mut *self.lock(), breaker => match by_hand {
            ByHand::Trip => breaker.trip(now),
            ByHand::Isolate => breaker.isolate(),
            ByHand::Reset => breaker.reset(),
        })
    }

    fn permit(pass: &Pass) -> Option<Permit> {
        Some(pass.permit)
    }

    /// Always `None`: a call is not resumed here.
    fn pass(_: Option<Permit>) -> Option<Pass> {
        None
    }
}
