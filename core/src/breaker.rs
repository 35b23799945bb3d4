//! A breaker that stops calling what is down: [`Breaker`], its settings
//! ([`BreakerConfig`]) and the [`Permit`] that a call holds.

use crate::config_error::ConfigError;
use crate::window::{
    FailureRule, FailureTimes, LastOutcomes, Observation, OutcomeRule, SliceRule, TimeSlices,
    Window,
};
use crate::{CircuitState, ClassSet, Duration, ErrorClass, Instant};

/// The settings of a breaker; `new` of [`Breaker`] checks them.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `trip_on` | TRANSIENT, SERVER_ERROR | any classes |
/// | `recovery_timeout` | 30 s | 1 us and up |
/// | `recovery_growth_to` | no growth | `recovery_timeout` and up |
/// | `half_open_permits` | 1 | 1 to the breaker's `PERMITS` |
/// | `successes_to_close` | 1 | 1 to 15 |
/// | `lease` | 60 s | 1 us and up |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct BreakerConfig<Rule> {
    pub(crate) rule: Rule,
    pub(crate) trip_on: ClassSet,
    pub(crate) recovery: Duration,
    pub(crate) longest_recovery: Duration,
    pub(crate) lease: Duration,
    pub(crate) permits: u8,
    pub(crate) successes: u8,
}

impl BreakerConfig<FailureRule> {
    /// Opens at `threshold` failures (1 to 255) within `window` (1 us and up):
    /// for a [`FailureTimes`] of at least `threshold` entries.
    pub const fn failures(threshold: u8, window: Duration) -> Self {
        Self::of(FailureRule { threshold, window, own: [0; ErrorClass::COUNT] })
    }

    /// Failures of `class` are counted apart and open at `threshold`; 0 takes that
    /// back. The class joins those that trip. Needs `threshold - 1` entries more.
    pub const fn class_threshold(mut self, class: ErrorClass, threshold: u8) -> Self {
        self.rule.own[class as usize] = threshold;
        self
    }
}

impl BreakerConfig<OutcomeRule> {
    /// Opens when `rate_milli` thousandths (1 to 1000) of the last `size` results
    /// are failures, once there are `min_calls` of them (1 to `size`).
    pub const fn outcomes(size: u16, rate_milli: u16, min_calls: u16) -> Self {
        Self::of(OutcomeRule { size, rate_milli, min_calls })
    }
}

impl BreakerConfig<SliceRule> {
    /// Opens when `rate_milli` thousandths (1 to 1000) of the calls of the window
    /// failed, once there are `min_calls` (1 to 65,535). The window is as many
    /// slices of length `slice` as the [`TimeSlices`] has.
    pub const fn slices(slice: Duration, rate_milli: u16, min_calls: u16) -> Self {
        Self::of(SliceRule {
            slice,
            failure_rate_milli: rate_milli,
            slow_after: Duration::MAX,
            slow_rate_milli: 1000,
            min_calls,
        })
    }

    /// Opens, too, when `rate_milli` thousandths (1 to 1000) of the calls were
    /// slow: their longest attempt took `after` or longer. A slow probe opens
    /// anew.
    pub const fn slow_calls(mut self, after: Duration, rate_milli: u16) -> Self {
        self.rule.slow_after = after;
        self.rule.slow_rate_milli = rate_milli;
        self
    }
}

impl<Rule: Copy> BreakerConfig<Rule> {
    const fn of(rule: Rule) -> Self {
        let recovery = Duration::from_secs(30);
        Self {
            rule,
            trip_on: ClassSet::of(&[ErrorClass::Transient, ErrorClass::ServerError]),
            recovery,
            longest_recovery: Duration::ZERO,
            lease: Duration::from_secs(60),
            permits: 1,
            successes: 1,
        }
    }

    /// The classes whose failures count while the breaker is closed. In half-open
    /// a failure of any class opens anew.
    pub const fn trip_on(mut self, classes: ClassSet) -> Self {
        self.trip_on = classes;
        self
    }

    /// How long the breaker stays open before it lets a probe through.
    pub const fn recovery_timeout(mut self, timeout: Duration) -> Self {
        self.recovery = timeout;
        self
    }

    /// Each time that a probe fails the recovery time doubles, up to `longest`;
    /// closing resets it.
    pub const fn recovery_growth_to(mut self, longest: Duration) -> Self {
        self.longest_recovery = longest;
        self
    }

    /// How many probes may be in flight at once in half-open.
    pub const fn half_open_permits(mut self, permits: u8) -> Self {
        self.permits = permits;
        self
    }

    /// How many probes must succeed before the breaker closes.
    pub const fn successes_to_close(mut self, successes: u8) -> Self {
        self.successes = successes;
        self
    }

    /// How long a probe may take. After that its place is given to the next one
    /// and its result is ignored, so that a lost probe cannot wedge the breaker.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    pub(crate) const fn check(&self, permits: usize) -> Result<(), ConfigError> {
        if self.recovery.is_zero() {
            return Err(ConfigError::new("breaker.recovery_timeout", 0, "1 us or more"));
        }
        let (grown, recovery) = (self.longest_recovery.as_micros(), self.recovery.as_micros());
        if grown != 0 && grown < recovery {
            let right = "the recovery_timeout or more";
            return Err(ConfigError::new("breaker.recovery_growth_to", grown, right));
        }
        if self.lease.is_zero() {
            return Err(ConfigError::new("breaker.lease", 0, "1 us or more"));
        }
        if self.permits == 0 || self.permits as usize > permits {
            let right = "1 to the PERMITS of the breaker";
            return Err(ConfigError::new("breaker.half_open_permits", self.permits as u64, right));
        }
        if self.successes == 0 || self.successes > 15 {
            let value = self.successes as u64;
            return Err(ConfigError::new("breaker.successes_to_close", value, "1 to 15"));
        }
        Ok(())
    }

    /// The recovery time after so many failed probes in a row.
    fn recovery_after(&self, reopened: u8) -> Duration {
        let mut recovery = self.recovery;
        for _ in 0..reopened {
            if recovery >= self.longest_recovery {
                break;
            }
            recovery = recovery.saturating_add(recovery).min(self.longest_recovery);
        }
        recovery
    }
}

/// The right to make one call, given by [`Breaker::admit`] and handed back with
/// the result.
///
/// A small `Copy` value: it borrows nothing. A result whose period is over (the
/// breaker has changed since, or the lease has ended) changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a permit that is not settled keeps its place until its lease ends"]
pub struct Permit {
    /// When the lease of a probe ends: tells two holders of a slot apart.
    pub(crate) lease: Instant,
    pub(crate) generation: u16,
    /// The place of a probe, [`Permit::NO_SLOT`] in closed.
    pub(crate) slot: u8,
}

impl Permit {
    const NO_SLOT: u8 = u8::MAX;

    /// The permit of a call that a closed breaker admitted.
    #[inline]
    pub(crate) const fn closed(generation: u16) -> Self {
        Self { lease: Instant::ZERO, generation, slot: Self::NO_SLOT }
    }

    /// Whether it is one of the few that half-open lets through.
    #[inline]
    pub const fn is_probe(&self) -> bool {
        self.slot != Self::NO_SLOT
    }
}

/// The call was rejected: the breaker is open, or half-open and probing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CircuitOpen {
    /// Open or half-open.
    pub state: CircuitState,
    /// How long until a probe may be let through: the rest of the recovery time,
    /// or of the lease that ends first; [`Duration::MAX`] while isolated.
    pub retry_after: Duration,
}

impl core::fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "circuit is {}, next probe in {}", self.state.as_str(), self.retry_after)
    }
}

impl core::error::Error for CircuitOpen {}

/// How a call ended, for its breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CallResult {
    /// It succeeded.
    Success,
    /// It failed; the class is that of the latest failure.
    Failure(ErrorClass),
    /// It was given up: nothing was learned.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub(crate) enum Phase {
    Closed,
    Open,
    HalfOpen,
    /// Open by hand, until it is closed by hand.
    Isolated,
}

/// A circuit breaker: its state, and a reference to its settings.
///
/// `W` is what it counts ([`FailureTimes`], [`LastOutcomes`], [`TimeSlices`]) and
/// `PERMITS` (1 to 255) how many probes may be in flight at most. A breaker counts
/// once for each call, after its retries. It belongs to one upstream and lives in
/// a `static` behind a lock ([`Shared`](crate::Shared)); nothing runs in the
/// background: an open breaker becomes half-open when it is asked.
///
/// ```
/// use redress::{Breaker, BreakerConfig, CallResult, Duration, ErrorClass, FailureRule,
///               FailureTimes, Instant};
///
/// const CONFIG: BreakerConfig<FailureRule> =
///     BreakerConfig::failures(2, Duration::from_secs(60));
/// let mut breaker = Breaker::<FailureTimes<2>>::new(&CONFIG)?;
/// let now = Instant::ZERO;
/// for _ in 0..2 {
///     let admitted = breaker.admit(now).unwrap();
///     breaker.settle(admitted.permit, CallResult::Failure(ErrorClass::Transient), now);
/// }
/// assert_eq!(breaker.admit(now).unwrap_err().retry_after, Duration::from_secs(30));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Breaker<'c, W: Window, const PERMITS: usize = 1> {
    pub(crate) config: &'c BreakerConfig<W::Rule>,
    pub(crate) window: W,
    /// Open: the first says when a probe is let through. Half-open: when the lease
    /// of each probe in flight ends, zero for a free place.
    pub(crate) until: [Instant; PERMITS],
    /// Changes with every change of phase, so that late results are told apart.
    pub(crate) generation: u16,
    pub(crate) phase: Phase,
    /// Failed probes in a row (high four bits, up to 15) and successful ones of
    /// this half-open period (low four): one byte keeps the whole at 64.
    pub(crate) tally: u8,
}

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Admitted {
    /// To be settled with the result of the call.
    pub permit: Permit,
    /// Whether the breaker has just become half-open with it.
    pub half_opened: bool,
}

impl<'c, const N: usize, const PERMITS: usize> Breaker<'c, FailureTimes<N>, PERMITS> {
    /// A closed breaker.
    ///
    /// # Errors
    ///
    /// Names the first setting that is out of its range, or needs more capacity
    /// than this breaker has.
    pub const fn new(config: &'c BreakerConfig<FailureRule>) -> Result<Self, ConfigError> {
        match (config.check(PERMITS), config.rule.check(N)) {
            (Ok(()), Ok(())) => Ok(Self::closed(config, FailureTimes::EMPTY)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

impl<'c, const WORDS: usize, const PERMITS: usize> Breaker<'c, LastOutcomes<WORDS>, PERMITS> {
    /// A closed breaker.
    ///
    /// # Errors
    ///
    /// Names the first setting that is out of its range, or needs more capacity
    /// than this breaker has.
    pub const fn new(config: &'c BreakerConfig<OutcomeRule>) -> Result<Self, ConfigError> {
        match (config.check(PERMITS), config.rule.check(WORDS.saturating_mul(32))) {
            (Ok(()), Ok(())) => Ok(Self::closed(config, LastOutcomes::EMPTY)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

impl<'c, const N: usize, const PERMITS: usize> Breaker<'c, TimeSlices<N>, PERMITS> {
    /// A closed breaker.
    ///
    /// # Errors
    ///
    /// Names the first setting that is out of its range, or needs more capacity
    /// than this breaker has.
    pub const fn new(config: &'c BreakerConfig<SliceRule>) -> Result<Self, ConfigError> {
        match (config.check(PERMITS), config.rule.check()) {
            (Ok(()), Ok(())) => Ok(Self::closed(config, TimeSlices::EMPTY)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

impl<'c, W: Window, const PERMITS: usize> Breaker<'c, W, PERMITS> {
    const FITS: () = assert!(PERMITS >= 1 && PERMITS < 255, "PERMITS is 1 to 254");

    const fn closed(config: &'c BreakerConfig<W::Rule>, window: W) -> Self {
        let () = Self::FITS;
        Self {
            config,
            window,
            until: [Instant::ZERO; PERMITS],
            generation: 0,
            phase: Phase::Closed,
            tally: 0,
        }
    }

    /// The state, which does not change by the passing of time alone: a breaker
    /// whose recovery time is over is open until the next call asks.
    #[inline]
    pub const fn state(&self) -> CircuitState {
        match self.phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open | Phase::Isolated => CircuitState::Open,
            Phase::HalfOpen => CircuitState::HalfOpen,
        }
    }

    /// Admits a call if the breaker is closed, without asking for the time.
    #[inline]
    pub const fn enter(&self) -> Option<Permit> {
        match self.phase {
            Phase::Closed => Some(Permit::closed(self.generation)),
            _ => None,
        }
    }

    /// Admits a call or rejects it. Asking at or after the end of the recovery time
    /// makes the breaker half-open.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`] says how long to stay away.
    #[inline]
    pub fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen> {
        // The likely answers first: the time is looked at only where it matters.
        if self.phase == Phase::Open {
            if now < self.until[0] {
                return Err(self.rejection(now));
            }
        } else if let Some(permit) = self.enter() {
            return Ok(Admitted { permit, half_opened: false });
        }
        self.probe(now)
    }

    /// How long until a probe may be let through; `None` if a call is admitted now.
    pub fn retry_after(&self, now: Instant) -> Option<Duration> {
        let wait = match self.phase {
            Phase::Closed => return None,
            Phase::Isolated => return Some(Duration::MAX),
            Phase::Open => self.until[0].since(now).min(self.recovery()),
            Phase::HalfOpen => {
                let places = self.until.iter().take(usize::from(self.config.permits));
                let ends = places.copied().min().unwrap_or_default();
                ends.since(now).min(self.config.lease)
            }
        };
        (!wait.is_zero()).then_some(wait)
    }

    #[inline]
    fn rejection(&mut self, now: Instant) -> CircuitOpen {
        let mut retry_after = self.until[0].since(now);
        let recovery = self.config.recovery;
        if retry_after > recovery {
            retry_after = self.shorten(now);
        }
        CircuitOpen { state: CircuitState::Open, retry_after }
    }

    /// The clock jumped back, or the recovery time has grown: waits no longer than
    /// the recovery time from now.
    fn shorten(&mut self, now: Instant) -> Duration {
        self.until[0] = self.until[0].min(now.saturating_add(self.recovery()));
        self.until[0].since(now)
    }

    pub(crate) fn recovery(&self) -> Duration {
        self.config.recovery_after(self.tally >> 4)
    }

    /// Lets a probe through if a place is free.
    fn probe(&mut self, now: Instant) -> Result<Admitted, CircuitOpen> {
        if self.phase == Phase::Isolated {
            return Err(CircuitOpen { state: CircuitState::Open, retry_after: Duration::MAX });
        }
        let half_opened = self.phase == Phase::Open;
        if half_opened {
            self.turn(Phase::HalfOpen);
        }
        let latest = now.saturating_add(self.config.lease);
        let mut earliest = Instant::MAX;
        let places = self.until.iter_mut().take(usize::from(self.config.permits));
        for (slot, until) in places.enumerate() {
            if *until <= now {
                *until = latest;
                let permit =
                    Permit { lease: latest, generation: self.generation, slot: slot as u8 };
                return Ok(Admitted { permit, half_opened });
            }
            // No lease ends later than a whole one from now, whatever the clock did.
            *until = (*until).min(latest);
            earliest = earliest.min(*until);
        }
        let retry_after = earliest.since(now);
        Err(CircuitOpen { state: CircuitState::HalfOpen, retry_after })
    }

    /// Takes back a permit with the result of its call; says into which state the
    /// breaker has changed, if it has.
    ///
    /// `longest` is the call's longest attempt; only [`TimeSlices`] look at it.
    pub fn settle_timed(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        now: Instant,
    ) -> Option<CircuitState> {
        if permit.generation != self.generation {
            return None;
        }
        let failure = match result {
            CallResult::Success => None,
            CallResult::Failure(class) => Some(class),
            CallResult::Cancelled => {
                self.free(permit);
                return None;
            }
        };
        let seen = Observation { failure, longest, now };
        if permit.is_probe() {
            return self.settle_probe(permit, &seen);
        }
        if failure.is_some_and(|class| !self.counts(class)) {
            return None;
        }
        if self.window.record(&self.config.rule, &seen) { Some(self.open(now)) } else { None }
    }

    /// [`settle_timed`](Self::settle_timed) where nobody asks how long it took.
    #[inline]
    pub fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        now: Instant,
    ) -> Option<CircuitState> {
        self.settle_timed(permit, result, Duration::ZERO, now)
    }

    /// Takes back a permit of a call that was given up: a probe's place is free
    /// again, and nothing is counted.
    #[inline]
    pub fn cancel(&mut self, permit: Permit) {
        if permit.generation == self.generation {
            self.free(permit);
        }
    }

    /// Opens by hand, until [`reset`](Self::reset).
    pub fn isolate(&mut self) {
        self.turn(Phase::Isolated);
    }

    /// Closes by hand and forgets all failures.
    pub fn reset(&mut self) {
        self.tally = 0;
        self.turn(Phase::Closed);
    }

    fn counts(&self, class: ErrorClass) -> bool {
        self.config.trip_on.contains(class) || W::counts_apart(&self.config.rule, class)
    }

    fn free(&mut self, permit: Permit) -> bool {
        match self.until.get_mut(usize::from(permit.slot)) {
            Some(until) if *until == permit.lease => {
                *until = Instant::ZERO;
                true
            }
            _ => false,
        }
    }

    fn settle_probe(&mut self, permit: Permit, seen: &Observation) -> Option<CircuitState> {
        // A place that nobody has taken over yet is given back, too, but a result after
        // the end of its lease says nothing.
        if !self.free(permit) || permit.lease <= seen.now {
            return None;
        }
        if seen.failure.is_some() || W::is_slow(&self.config.rule, seen) {
            // Sixteen doublings outgrow any sensible limit.
            self.tally = self.tally.saturating_add(0x10);
            return Some(self.open(seen.now));
        }
        self.tally += 1;
        if self.tally & 0x0F < self.config.successes {
            return None;
        }
        self.reset();
        Some(CircuitState::Closed)
    }

    fn open(&mut self, now: Instant) -> CircuitState {
        self.turn(Phase::Open);
        self.until[0] = now.saturating_add(self.recovery());
        CircuitState::Open
    }

    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation = self.generation.wrapping_add(1);
        self.tally &= 0xF0;
        self.until = [Instant::ZERO; PERMITS];
        self.window.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND)
        .recovery_timeout(SECOND)
        .recovery_growth_to(Duration::from_secs(3))
        .half_open_permits(2)
        .successes_to_close(3)
        .lease(Duration::from_secs(5));

    /// Two seconds after it opened at 0.
    fn opened() -> Breaker<'static, FailureTimes<1>, 2> {
        let mut breaker = Breaker::<FailureTimes<1>, 2>::new(&CONFIG).unwrap();
        let permit = breaker.enter().unwrap();
        assert_eq!(breaker.settle(permit, FAILURE, at(0)), Some(CircuitState::Open));
        breaker
    }

    #[test]
    fn half_open_admits_as_many_as_permitted_and_closes_after_enough_successes() {
        let mut breaker = opened();
        let now = at(1_000_000);
        let first = breaker.admit(now).unwrap();
        let second = breaker.admit(now).unwrap();
        assert!(first.half_opened && !second.half_opened);
        let rejected = breaker.admit(now).unwrap_err();
        assert_eq!(rejected.state, CircuitState::HalfOpen);
        assert_eq!(rejected.retry_after, Duration::from_secs(5));
        for permit in [first.permit, second.permit] {
            assert_eq!(breaker.settle(permit, CallResult::Success, now), None);
        }
        let third = breaker.admit(now).unwrap();
        let closed = breaker.settle(third.permit, CallResult::Success, now);
        assert_eq!(closed, Some(CircuitState::Closed));
    }

    #[test]
    fn a_result_belongs_to_its_own_permit() {
        let mut breaker = Breaker::<FailureTimes<1>, 2>::new(&CONFIG).unwrap();
        let late = breaker.enter().unwrap();
        let permit = breaker.enter().unwrap();
        breaker.settle(permit, FAILURE, at(0));
        let probe = breaker.admit(at(1_000_000)).unwrap().permit;
        // A call of the closed period ends now: neither result is the probe's.
        assert_eq!(breaker.settle(late, CallResult::Success, at(1_000_001)), None);
        assert_eq!(breaker.settle(late, FAILURE, at(1_000_001)), None);
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        // And a probe counts once.
        assert_eq!(breaker.settle(probe, CallResult::Success, at(1_000_002)), None);
        assert_eq!(breaker.settle(probe, FAILURE, at(1_000_002)), None);
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
    }

    #[test]
    fn a_lost_probe_gives_its_place_up_when_its_lease_ends() {
        let mut breaker = opened();
        let lost = breaker.admit(at(1_000_000)).unwrap().permit;
        let _ = breaker.admit(at(1_000_000)).unwrap();
        assert!(breaker.admit(at(5_999_999)).is_err());
        let next = breaker.admit(at(6_000_000)).unwrap().permit;
        assert_eq!(breaker.settle(lost, FAILURE, at(6_000_001)), None);
        assert_eq!(breaker.settle(next, FAILURE, at(6_000_001)), Some(CircuitState::Open));
    }

    #[test]
    fn the_recovery_time_doubles_to_its_limit_and_closing_resets_it() {
        let mut breaker = opened();
        let mut now = 0;
        for wait in [1, 2, 3, 3] {
            let secs = breaker.retry_after(at(now)).unwrap();
            assert_eq!(secs, Duration::from_secs(wait));
            now += wait * 1_000_000;
            let probe = breaker.admit(at(now)).unwrap().permit;
            assert_eq!(breaker.settle(probe, FAILURE, at(now)), Some(CircuitState::Open));
        }
        breaker.reset();
        let permit = breaker.enter().unwrap();
        breaker.settle(permit, FAILURE, at(now));
        assert_eq!(breaker.retry_after(at(now)), Some(SECOND));
    }

    #[test]
    fn a_clock_that_jumps_back_waits_no_longer_than_the_recovery_time() {
        let mut breaker = opened();
        breaker.until[0] = at(1 << 50);
        assert_eq!(breaker.admit(at(7)).unwrap_err().retry_after, SECOND);
        assert!(breaker.admit(at(1_000_007)).is_ok());
    }

    #[test]
    fn isolated_stays_open_until_it_is_reset() {
        let mut breaker = opened();
        breaker.isolate();
        assert_eq!(breaker.admit(Instant::MAX).unwrap_err().retry_after, Duration::MAX);
        assert_eq!(breaker.state(), CircuitState::Open);
        breaker.reset();
        assert!(breaker.enter().is_some() && breaker.retry_after(at(0)).is_none());
    }
}
