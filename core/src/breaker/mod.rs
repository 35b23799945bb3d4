//! A breaker rejects calls to an upstream (a service or a device that is called) while it is
//! down: [`Breaker`], its settings ([`BreakerConfig`]) and the [`Permit`] that a call holds.

mod by_hand;
mod circuit;
mod config;
mod counts;
mod gate;
mod permit;
pub(crate) mod window;

pub use circuit::{ByHand, Circuit};
pub use config::BreakerConfig;
pub use counts::Counts;
pub(crate) use gate::BUSY;
pub use gate::Gate;
pub use permit::{Admitted, CallResult, CircuitOpen, Permit};
pub(crate) use permit::{WANTS_CHECK, WANTS_HINTS, WANTS_RANDOM};
pub(crate) use window::Slice;
pub use window::{
    Empty, FailureRule, FailureTimes, LastOutcomes, Observation, OutcomeRule, SliceRule, Stopwatch,
    TimeSlices, Window,
};

use crate::class::ErrorClass;
use crate::config::{ConfigError, Fixed, Settings};
use crate::event::CircuitState;
use crate::inlining::FAST_PATH;
use crate::random::mul_shr32;
use crate::time::reach::Reach;
use crate::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub(crate) enum Phase {
    Closed,
    Open,
    HalfOpen,
    /// Opened by `isolate`, until `reset`.
    Isolated,
}

/// A circuit breaker of one upstream: its state, and its settings or a reference to them.
///
/// Closed, it counts each call once, after its retries, by the class of its last failure. By
/// default only TRANSIENT and `SERVER_ERROR` count: `RATE_LIMIT` or UNKNOWN never open it unless
/// [`trip_on`](BreakerConfig::trip_on) names them. Open, it rejects calls for the recovery time,
/// 30 s by default. The next call makes it half-open and is a *probe*: its success closes the
/// breaker, its failure opens it again. A probe that takes longer than its *lease*, 60 s by
/// default, loses its slot to the next probe, and its result is ignored.
///
/// `W` is the window that counts ([`FailureTimes`], [`LastOutcomes`], [`TimeSlices`]). `PERMITS`
/// (1 to 254) is the number of slots for probes. `C` is how it stores its settings: a reference
/// ([`new`](Breaker::new)), a type ([`settings!`](crate::settings), [`fixed`](Breaker::fixed)),
/// or owned or in an `Arc` ([`from_settings`](Breaker::from_settings)).
///
/// Calls share it behind a lock ([`Shared`](crate::Shared)), in a `static` or in an `Arc`.
/// Nothing runs in the background. It has no hook: the observer of the call that changes its
/// state is notified ([`Retry::observer`](crate::Retry::observer)).
///
/// ```
/// use redress::breaker::{CallResult, FailureRule, FailureTimes};
/// use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant};
///
/// const CONFIG: BreakerConfig<FailureRule> =
///     BreakerConfig::failures(2, Duration::from_secs(60));
/// let mut breaker = Breaker::<FailureTimes<2>>::new(&CONFIG)?;
/// let now = Instant::ZERO;
/// for _ in 0..2 {
///     let admitted = breaker.admit(now).unwrap();
///     breaker.settle(admitted.permit, CallResult::Failure(ErrorClass::Transient), now);
/// }
/// assert_eq!(breaker.admit(now).unwrap_err().retry_after, Some(Duration::from_secs(30)));
/// # Ok::<(), redress::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Breaker<
    W: Window,
    const PERMITS: usize = 1,
    C = &'static BreakerConfig<<W as Window>::Rule>,
> {
    pub(crate) settings: C,
    pub(crate) window: W,
    /// Open: each says when a probe is let through. Half-open: when the lease of each
    /// probe in flight ends, zero for a free place.
    pub(crate) until: [Instant; PERMITS],
    /// Changes with every change of phase, so that late results are told apart.
    pub(crate) generation: u16,
    pub(crate) phase: Phase,
    /// Failed probes in a row (high four bits, up to 15) and successful ones of
    /// this half-open period (low four): one byte keeps the whole at 64.
    pub(crate) tally: u8,
}

/// `new` and `fixed` for each window: a trait's method cannot be asked in a constant.
macro_rules! constructors {
    ($window:ident<$size:ident>, $rule:ty $(, $capacity:expr)?) => {
        impl<'c, const $size: usize, const PERMITS: usize>
            Breaker<$window<$size>, PERMITS, &'c BreakerConfig<$rule>>
        {
            /// A closed breaker.
            ///
            /// # Errors
            ///
            /// [`ConfigError`] for the first setting that is out of its range, or needs more
            /// capacity than this breaker has.
            pub const fn new(config: &'c BreakerConfig<$rule>) -> Result<Self, ConfigError> {
                match (config.check(PERMITS), config.rule.check($($capacity)?)) {
                    (Ok(()), Ok(())) => Ok(Self::closed(config, $window::EMPTY)),
                    (Err(error), _) | (_, Err(error)) => Err(error),
                }
            }
        }

        impl<const $size: usize, const PERMITS: usize, F: Fixed<Of = BreakerConfig<$rule>>>
            Breaker<$window<$size>, PERMITS, F>
        {
            /// As `new`, with settings in a type. If out of range, they are a compile error.
            pub const fn fixed(settings: F) -> Self {
                const {
                    let config = F::SETTINGS;
                    match (config.check(PERMITS), config.rule.check($($capacity)?)) {
                        (Ok(()), Ok(())) => {}
                        (Err(error), _) | (_, Err(error)) => error.refuse(),
                    }
                }
                Self::closed(settings, $window::EMPTY)
            }
        }
    };
}

constructors!(FailureTimes<N>, FailureRule, N);
constructors!(LastOutcomes<WORDS>, OutcomeRule, WORDS.saturating_mul(32));
constructors!(TimeSlices<N>, SliceRule);

impl<W: Window, const PERMITS: usize, C> Breaker<W, PERMITS, C> {
    const FITS: () = assert!(PERMITS >= 1 && PERMITS < 255, "PERMITS is 1 to 254");

    const fn closed(settings: C, window: W) -> Self {
        let () = Self::FITS;
        Self {
            settings,
            window,
            until: [Instant::ZERO; PERMITS],
            generation: 0,
            phase: Phase::Closed,
            tally: 0,
        }
    }

    /// The state. Time alone does not change it: after its recovery time an open breaker stays
    /// open until the next call.
    #[inline]
    pub const fn state(&self) -> CircuitState {
        match self.phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open | Phase::Isolated => CircuitState::Open,
            Phase::HalfOpen => CircuitState::HalfOpen,
        }
    }
}

impl<W: Empty, const PERMITS: usize, C: Settings<BreakerConfig<W::Rule>>> Breaker<W, PERMITS, C> {
    /// As [`new`](Self::new), with settings in any form ([`Settings`]): owned, or in an `Arc`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range or exceeds the capacity.
    pub fn from_settings(settings: C) -> Result<Self, ConfigError> {
        Self::with_window(settings, W::EMPTY)
    }
}

impl<W: Window, const PERMITS: usize, C: Settings<BreakerConfig<W::Rule>>> Breaker<W, PERMITS, C> {
    /// As [`from_settings`](Self::from_settings), with a window whose size is known only at run
    /// time ([`FailureTimes::with_storage`]).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range or exceeds the capacity.
    pub fn with_window(settings: C, mut window: W) -> Result<Self, ConfigError> {
        let config = settings.settings();
        config.check(PERMITS)?;
        window.check(&config.rule)?;
        window.clear();
        Ok(Self::closed(settings, window))
    }

    /// As [`with_window`](Self::with_window), for settings that were checked before, by a
    /// program in another language for instance, and an empty window. Settings that are out of
    /// range make a breaker that opens or closes at the wrong time, and nothing worse.
    pub const fn assume_checked(settings: C, window: W) -> Self {
        Self::closed(settings, window)
    }

    #[inline]
    pub(crate) fn config(&self) -> &BreakerConfig<W::Rule> {
        self.settings.settings()
    }

    /// Admits a call if the breaker is closed; `None` in any other state. Needs no clock.
    #[inline]
    pub fn admit_closed(&self) -> Option<Permit> {
        match self.phase {
            Phase::Closed => Some(Permit::closed(self.generation, self.config().wants)),
            _ => None,
        }
    }

    /// Admits a call or rejects it. At or after the end of the recovery time it makes the breaker
    /// half-open and admits a probe, which has a slot until it is settled or its lease ends.
    ///
    /// Callers read the clock before they take the lock, so `now` may be earlier than an instant
    /// that the breaker has seen. If it is earlier by less than a lease, the reading is stale,
    /// and the slots stay as they are. If `now` is earlier by a lease or more, the clock is taken
    /// to have been set back, and each slot in use is free again one lease after `now`.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`], with the time to wait: the breaker is open, or all slots are in use.
    #[inline]
    pub fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen> {
        if let Some(permit) = self.admit_closed() {
            return Ok(Admitted { permit, half_opened: false });
        }
        if FAST_PATH && self.phase == Phase::Open && now < self.until[0] {
            let retry_after = self.until[0].since(now);
            if retry_after <= self.config().recovery {
                return Err(CircuitOpen::until(CircuitState::Open, retry_after));
            }
        }
        self.probe(now)
    }

    /// Returns what [`admit`](Self::admit) would answer now, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`], the rejection that a call would get.
    pub fn check(&self, now: Instant) -> Result<(), CircuitOpen> {
        let limit = match self.phase {
            Phase::Closed => return Ok(()),
            Phase::Isolated => return Err(CircuitOpen::ISOLATED),
            Phase::Open => self.longest_open(),
            Phase::HalfOpen => self.config().lease.min(self.recovery()),
        };
        let places = self.until.iter().take(self.places());
        let earliest = places.copied().min().unwrap_or_default();
        match earliest.since(now).min(limit) {
            wait if wait.is_zero() => Ok(()),
            wait => Err(CircuitOpen::until(self.state(), wait)),
        }
    }

    /// How many probes may be in flight.
    #[inline]
    pub(crate) fn places(&self) -> usize {
        if PERMITS == 1 { 1 } else { usize::from(self.config().permits) }
    }

    pub(crate) fn recovery(&self) -> Duration {
        self.config().recovery_after(self.tally >> 4)
    }

    /// The longest that it stays open without being asked by hand.
    pub(crate) fn longest_open(&self) -> Duration {
        self.config().longest_open_after(self.tally >> 4)
    }

    /// Whether it no longer rejects calls: it is closed, or the recovery time is over and
    /// no probe is in flight.
    pub(crate) fn is_over(&mut self, now: Instant) -> bool {
        let reach = match self.phase {
            Phase::Closed => return true,
            Phase::Isolated => return false,
            // The end of the recovery time belongs to no permit.
            Phase::Open => Reach::exact(self.longest_open()),
            Phase::HalfOpen => Reach::stale(self.config().lease),
        };
        let mut is_over = true;
        for until in &mut self.until {
            is_over &= reach.wait(until, now).is_zero();
        }
        is_over
    }

    /// Lets a probe through if its time has come and a place is free.
    #[cfg_attr(target_pointer_width = "64", cold, inline(never))]
    fn probe(&mut self, now: Instant) -> Result<Admitted, CircuitOpen> {
        let half_opened = self.phase == Phase::Open;
        let lease = self.config().lease;
        let reach = match self.phase {
            Phase::Isolated => return Err(CircuitOpen::ISOLATED),
            Phase::Open => Reach::exact(self.longest_open()),
            _ => Reach::stale(lease),
        };
        // A probe that answers sooner than its lease ends frees its place at once, so a
        // caller need not stay away for longer than the recovery time.
        let mut retry_after = if half_opened { reach.limit } else { lease.min(self.recovery()) };
        let mut free = None;
        let places = self.places();
        for (slot, until) in self.until.iter_mut().take(places).enumerate() {
            let wait = reach.wait(until, now);
            if wait.is_zero() {
                free = Some(slot);
                break;
            }
            retry_after = retry_after.min(wait);
        }
        let Some(slot) = free else {
            return Err(CircuitOpen::until(self.state(), retry_after));
        };
        if half_opened {
            self.turn(Phase::HalfOpen);
        }
        let lease = now.saturating_add(lease);
        if let Some(until) = self.until.get_mut(slot) {
            *until = lease;
        }
        let permit = Permit::probe(lease, self.generation, slot as u8, self.config().wants);
        Ok(Admitted { permit, half_opened })
    }

    /// Settles a call: takes back its permit with its result. Returns the new state if it
    /// changed.
    ///
    /// `longest` is the call's longest attempt; only [`TimeSlices`] use it. `random` is a random
    /// number for the [jitter](BreakerConfig::recovery_jitter) of the recovery time; it is used
    /// only if [`Permit::wants_random`] is true.
    pub fn settle_timed(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        if !permit.is_of(self.generation) {
            return None;
        }
        let probe = permit.is_probe();
        // A place that no other probe has taken over is given back in any case, but a result
        // after the end of its lease says nothing.
        if probe && (!self.free(permit) || permit.lease <= now) {
            return None;
        }
        let failure = match result {
            CallResult::Success => None,
            CallResult::Failure(class) => Some(class),
            CallResult::Cancelled => return None,
        };
        let seen = Observation { failure, longest, now };
        if probe {
            let failed = failure.is_some_and(|class| self.config().half_open_on.contains(class));
            if !failed && !W::is_slow(&self.config().rule, &seen) {
                return self.recover();
            }
            self.reopen();
        } else if failure.is_some_and(|class| !self.trips(class))
            || !self.window.record(&self.settings.settings().rule, &seen)
        {
            return None;
        }
        let mut recovery = self.recovery();
        if !self.config().jitter.is_zero() {
            let jitter = mul_shr32(self.config().jitter.as_micros(), random);
            recovery = recovery.saturating_add(Duration::from_micros(jitter));
        }
        self.open(now.saturating_add(recovery))
    }

    /// As [`settle_timed`](Self::settle_timed), without jitter and the length of attempts.
    #[inline]
    pub fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        now: Instant,
    ) -> Option<CircuitState> {
        self.settle_timed(permit, result, Duration::ZERO, 0, now)
    }

    /// Takes back the permit of a cancelled call. Nothing is counted; a probe frees its slot.
    #[inline]
    pub fn cancel(&mut self, permit: Permit) {
        if permit.is_of(self.generation) {
            self.free(permit);
        }
    }

    /// Opens the breaker for the length of `hint` (Retry-After): for an attempt under `permit` that
    /// failed with it. If the attempt was a probe, the breaker opens for the longer of the hint and
    /// the recovery time. The hint
    /// is cut to the maximum of [`open_for_hint`](BreakerConfig::open_for_hint); without that
    /// setting nothing happens. An open breaker stays open for at least that long. Returns the
    /// new state if it changed.
    pub fn hold(&mut self, permit: Permit, hint: Duration, now: Instant) -> Option<CircuitState> {
        let mut hint = hint.min(self.config().longest_hint);
        if hint.is_zero() {
            return None;
        }
        if self.phase == Phase::Open {
            let until = self.until[0].max(now.saturating_add(hint));
            self.until = [until; PERMITS];
            return None;
        }
        if !permit.is_of(self.generation) {
            return None;
        }
        if permit.is_probe() {
            if !self.free(permit) || permit.lease <= now {
                return None;
            }
            self.reopen();
            hint = hint.max(self.recovery());
        }
        self.open(now.saturating_add(hint))
    }

    /// Whether the call that holds `permit` may make another attempt: the breaker is closed, or
    /// the call is a probe.
    #[inline]
    pub const fn still_admits(&self, permit: Permit) -> bool {
        permit.is_probe() || matches!(self.phase, Phase::Closed)
    }

    fn trips(&self, class: ErrorClass) -> bool {
        let config = self.config();
        config.trip_on.contains(class) || W::counts_apart(&config.rule, class)
    }

    fn free(&mut self, permit: Permit) -> bool {
        match self.until.get_mut(usize::from(permit.slot())) {
            Some(until) if *until == permit.lease => {
                *until = Instant::ZERO;
                true
            }
            _ => false,
        }
    }

    /// A probe has succeeded.
    fn recover(&mut self) -> Option<CircuitState> {
        let needed = self.config().successes;
        if needed > 1 {
            self.tally += 1;
            if self.tally & 0x0F < needed {
                return None;
            }
        }
        self.reset()
    }

    /// A probe has failed.
    fn reopen(&mut self) {
        if self.config().grows() {
            // Sixteen doublings outgrow any sensible limit.
            self.tally = self.tally.saturating_add(0x10);
        }
    }

    fn open(&mut self, until: Instant) -> Option<CircuitState> {
        self.turn(Phase::Open);
        self.until = [until; PERMITS];
        Some(CircuitState::Open)
    }

    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation = self.generation.wrapping_add(1);
        self.tally &= 0xF0;
        self.until = [Instant::ZERO; PERMITS];
        self.window.clear();
    }
}

#[cfg(feature = "defmt")]
impl<W: Window + defmt::Format, const PERMITS: usize, C> defmt::Format for Breaker<W, PERMITS, C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Breaker({}, {})", self.state(), self.window);
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
    fn opened() -> Breaker<FailureTimes<1>, 2> {
        let mut breaker = Breaker::<FailureTimes<1>, 2>::new(&CONFIG).unwrap();
        let permit = breaker.admit_closed().unwrap();
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
        // The lease lasts five seconds, the recovery time one.
        assert_eq!(rejected.retry_after, Some(SECOND));
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
        let late = breaker.admit_closed().unwrap();
        let permit = breaker.admit_closed().unwrap();
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
            let rejected = breaker.check(at(now)).unwrap_err();
            assert_eq!(rejected.retry_after, Some(Duration::from_secs(wait)));
            now += wait * 1_000_000;
            let probe = breaker.admit(at(now)).unwrap().permit;
            assert_eq!(breaker.settle(probe, FAILURE, at(now)), Some(CircuitState::Open));
        }
        breaker.reset();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, FAILURE, at(now));
        assert_eq!(breaker.check(at(now)).unwrap_err().retry_after, Some(SECOND));
    }

    #[test]
    fn a_clock_that_jumps_back_waits_no_longer_than_the_recovery_time() {
        let mut breaker = opened();
        breaker.until = [at(1 << 50); 2];
        assert_eq!(breaker.admit(at(7)).unwrap_err().retry_after, Some(SECOND));
        assert!(breaker.admit(at(1_000_007)).is_ok());
    }

    #[test]
    fn isolated_stays_open_until_it_is_reset() {
        let mut breaker = opened();
        breaker.isolate();
        assert_eq!(breaker.admit(Instant::MAX).unwrap_err().retry_after, None);
        assert_eq!(breaker.state(), CircuitState::Open);
        breaker.reset();
        assert!(breaker.admit_closed().is_some() && breaker.check(at(0)).is_ok());
    }
}
