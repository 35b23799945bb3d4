//! A strategy that slows down as failures grow: [`Adaptive`] multiplies another
//! strategy's delays by how far the success rate is below its target.

use heapless::HistoryBuf;

use crate::backoff::{Backoff, BackoffContext, Strategy};
use crate::config::error::{ConfigError, demands};
use crate::random::{Draw, mul_shr32};
use crate::shared::Shared;
use crate::time::{Duration, Instant};

/// Multipliers are fixed-point numbers with this many fraction bits.
const FRACTION_BITS: u32 = 20;

/// The settings of an [`Adaptive`] strategy; [`build`](Self::build) checks them.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AdaptiveConfig {
    fallback: Backoff,
    window: Duration,
    target_success_milli: u32,
    pub(crate) min_multiplier_milli: u32,
    pub(crate) max_multiplier_milli: u32,
}

impl AdaptiveConfig {
    /// Multiplies the delays of `fallback`. Defaults: a window of 60 s, a target
    /// of 0.9 successes, multipliers from 1 to 5.
    pub const fn new(fallback: Backoff) -> Self {
        Self {
            fallback,
            window: Duration::from_secs(60),
            target_success_milli: 900,
            min_multiplier_milli: 1000,
            max_multiplier_milli: 5000,
        }
    }

    /// Results of this age and older are forgotten. At least 1 us; 60 s by default.
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The share of successes from which delays are not slowed down, in thousandths: 1 to 1000;
    /// 900 by default.
    pub const fn target_success_milli(mut self, milli: u32) -> Self {
        self.target_success_milli = milli;
        self
    }

    /// The multipliers in thousandths, 0 to 4,000,000: `min` at and above the target, `max` with
    /// nothing but failures. `min` is not above `max`. 1000 and 5000 by default.
    pub const fn multipliers_milli(mut self, min: u32, max: u32) -> Self {
        self.min_multiplier_milli = min;
        self.max_multiplier_milli = max;
        self
    }

    demands! {
        self;
        !self.window.is_zero() =>
            ConfigError::of_span("adaptive.window", self.window, "1 us or more"),
        self.target_success_milli > 0 && self.target_success_milli <= 1000 => ConfigError::new(
            "adaptive.target_success_milli",
            self.target_success_milli as u64,
            "1 to 1000",
        ),
        self.max_multiplier_milli <= 4_000_000 => ConfigError::new(
            "adaptive.max_multiplier_milli",
            self.max_multiplier_milli as u64,
            "0 to 4000000",
        ),
        self.min_multiplier_milli <= self.max_multiplier_milli => ConfigError::new(
            "adaptive.min_multiplier_milli",
            self.min_multiplier_milli as u64,
            "at most max_multiplier_milli",
        ),
    }

    /// The strategy, still without a [`memory`](Adaptive::memory).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range.
    pub const fn build(self) -> Result<Adaptive, ConfigError> {
        if let Err(error) = self.check() {
            return Err(error);
        }
        let (min, max) = (fixed(self.min_multiplier_milli), fixed(self.max_multiplier_milli));
        Ok(Adaptive {
            fallback: self.fallback,
            window: self.window,
            target: self.target_success_milli,
            min,
            span: max - min,
            memory: (),
        })
    }
}

const fn fixed(milli: u32) -> u32 {
    ((((milli as u64) << FRACTION_BITS) + 500) / 1000) as u32
}

/// A backoff that grows with the failure rate of the attempts that it delays.
///
/// With `f` failures among the `t` results in the window, the fallback's delay is multiplied by
/// `min` while `f / t` is at most `1 - target`. Above that the multiplier grows in a straight
/// line, up to `max` at nothing but failures. The only division is of 32 bits.
///
/// It records failures of the classes that it is the strategy for, the success that follows such
/// a failure, and every call that succeeds at once. As the fallback of another strategy it
/// records the same.
/// Source: `adaptive` of redress for Python, which does not record immediate successes, and
/// records nothing when it is nested.
///
/// ```
/// # #[cfg(feature = "std")] {
/// use std::sync::Mutex;
/// use redress::backoff::{Adaptive, AdaptiveConfig, Memory};
/// use redress::{policy, Backoff, Duration};
///
/// static CAREFUL: Adaptive<Mutex<Memory<32>>> = policy! {
///     AdaptiveConfig::new(Backoff::constant(Duration::from_millis(200)))
///         .target_success_milli(950)
/// }
/// .memory(Mutex::new(Memory::new()));
/// const BACKOFF: Backoff = Backoff::own(&CAREFUL);
/// # }
/// ```
#[derive(Debug)]
pub struct Adaptive<M = ()> {
    fallback: Backoff,
    window: Duration,
    target: u32,
    min: u32,
    span: u32,
    memory: M,
}

impl Adaptive {
    /// Adds the memory, which belongs to one upstream: a [`Memory`] behind a lock.
    pub const fn memory<M: Shared>(self, memory: M) -> Adaptive<M> {
        Adaptive {
            fallback: self.fallback,
            window: self.window,
            target: self.target,
            min: self.min,
            span: self.span,
            memory,
        }
    }
}

impl<M> Adaptive<M> {
    /// The multiplier for `failures` among `total`, with [`FRACTION_BITS`].
    fn multiplier(&self, failures: u32, total: u32) -> u32 {
        let failed = failures * 1000;
        let tolerated = (1000 - self.target) * total;
        if failed <= tolerated {
            return self.min;
        }
        // Shifted as far as 32 bits go before the one division: 13 bits and more
        // of precision for the 255 outcomes that a memory may hold.
        let excess = failed - tolerated;
        let shift = excess.leading_zeros() & 31;
        let share = (excess << shift) / (self.target * total).max(1);
        let extra = (u64::from(self.span) * u64::from(share)) >> shift;
        self.min.saturating_add(extra as u32)
    }
}

impl<M, const N: usize> Strategy for Adaptive<M>
where
    M: Shared<Item = Memory<N>> + Sync,
{
    fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
        let delay = self.fallback.delay(context, random)?.as_micros();
        let counted = self.memory.with(|memory| memory.count(context.now, self.window));
        let (failures, total) = counted.unwrap_or((0, 0));
        let multiplier = self.multiplier(failures, total);
        // value * multiplier / 2^20 = (value * multiplier / 2^32) * 2^12, with the
        // bits below the product kept.
        let high = mul_shr32(delay, multiplier);
        let low = u64::from((delay as u32).wrapping_mul(multiplier) >> FRACTION_BITS);
        let shift = 32 - FRACTION_BITS;
        let product = if high >> (64 - shift) == 0 { high << shift | low } else { u64::MAX };
        Some(Duration::from_micros(product))
    }

    fn record(&self, now: Instant, success: bool) {
        self.memory.with(|memory| memory.record(now, success, self.window));
        self.fallback.record(now, success);
    }

    fn name(&self) -> &'static str {
        "adaptive"
    }
}

/// The last results that an [`Adaptive`] strategy has recorded, at most `N` of them (1 to 255). A
/// further result replaces the oldest.
#[derive(Debug)]
pub struct Memory<const N: usize> {
    /// When each outcome is forgotten, and whether it was a success.
    outcomes: HistoryBuf<(Instant, bool), N>,
}

impl<const N: usize> Memory<N> {
    const FITS: () = assert!(N >= 1 && N <= 255, "a Memory holds 1 to 255 outcomes");

    /// An empty memory.
    pub const fn new() -> Self {
        let () = Self::FITS;
        Self { outcomes: HistoryBuf::new() }
    }

    fn record(&mut self, now: Instant, success: bool, window: Duration) {
        self.outcomes.write((now.saturating_add(window), success));
    }

    /// Failures and all outcomes of the window. What is due two windows from now, or later,
    /// comes from before the clock was set back, and is left out.
    fn count(&self, now: Instant, window: Duration) -> (u32, u32) {
        let mut counted = (0, 0);
        for &(until, success) in self.outcomes.as_slice() {
            // Up to a window more is that of an instant which was read before another one.
            if now < until && until.since(now).saturating_sub(window) < window {
                counted.0 += u32::from(!success);
                counted.1 += 1;
            }
        }
        counted
    }
}

impl<const N: usize> Default for Memory<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::class::ErrorClass;
    use crate::random::NoRandom;
    use std::sync::Mutex;

    const RECORDED: Instant = Instant::from_micros(1 << 40);

    fn slowed(outcomes: &[bool], at: Instant) -> u64 {
        let adaptive = AdaptiveConfig::new(Backoff::constant(Duration::from_micros(1_000)))
            .target_success_milli(800)
            .multipliers_milli(500, 4_500)
            .window(Duration::from_secs(10))
            .build()
            .unwrap()
            .memory(Mutex::new(Memory::<24>::new()));
        for &success in outcomes {
            adaptive.record(RECORDED, success);
        }
        let mut context = BackoffContext::new(1, ErrorClass::Transient);
        context.now = at;
        adaptive.delay(&context, &mut NoRandom).unwrap().as_micros()
    }

    #[test]
    fn the_multiplier_is_a_line_from_the_tolerated_share_to_all_failures() {
        let now = RECORDED.saturating_add(Duration::from_micros(1));
        assert_eq!(slowed(&[], now), 500);
        assert_eq!(slowed(&[true, true, true, true, false], now), 500);
        // 3/5 failures: 0.5 + (0.6 - 0.2) / 0.8 * 4 = 2.5
        assert!(slowed(&[true, true, false, false, false], now).abs_diff(2_500) <= 1);
        assert!(slowed(&[false; 3], now).abs_diff(4_500) <= 1);
    }

    #[test]
    fn settings_have_the_defaults_of_their_docs_and_are_rounded_to_the_nearest() {
        let config = AdaptiveConfig::new(Backoff::constant(Duration::ZERO));
        assert_eq!((config.window, config.target_success_milli), (Duration::from_secs(60), 900));
        assert_eq!((config.min_multiplier_milli, config.max_multiplier_milli), (1_000, 5_000));
        assert!(config.target_success_milli(1).build().is_ok());
        // 1/1000 of 2^20 is 1048.576.
        assert_eq!([fixed(0), fixed(1), fixed(1_000)], [0, 1_049, 1 << FRACTION_BITS]);
    }

    #[test]
    fn every_share_of_failures_has_the_multiplier_of_the_line() {
        let config = AdaptiveConfig::new(Backoff::constant(Duration::ZERO));
        for (target, max) in [(1, 4_000_000), (500, 4_000), (900, 5_000), (1_000, 4_000_000)] {
            let adaptive =
                config.target_success_milli(target).multipliers_milli(1_000, max).build().unwrap();
            let span = u64::from(adaptive.span);
            for total in 1..=255_u32 {
                for failures in 0..=total {
                    let excess = (failures * 1_000).saturating_sub((1_000 - target) * total);
                    let exact = span * u64::from(excess) / u64::from(target * total);
                    let extra = u64::from(adaptive.multiplier(failures, total) - adaptive.min);
                    // As many bits of the share are exact as fit into 32 beside the excess, 13 and
                    // more, and all of it at nothing but failures.
                    let bits = excess.leading_zeros().min(31);
                    let off = if failures == total { 0 } else { span >> bits };
                    assert!(
                        extra <= exact && exact - extra <= off + 1,
                        "target {target}, {failures} of {total}: {extra} for {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_outcome_at_the_end_of_time_is_kept_and_a_fallback_records_it_too() {
        let inner = adaptive();
        let outer = AdaptiveConfig::new(Backoff::own(inner)).build().unwrap();
        let outer = outer.memory(Mutex::new(Memory::<4>::default()));
        let late = Instant::MAX.saturating_sub(Duration::from_micros(1));
        outer.record(late, false);
        let mut context = BackoffContext::new(1, ErrorClass::Transient);
        context.now = late;
        // Both have nothing but failures: five times five.
        let delay = outer.delay(&context, &mut NoRandom).unwrap().as_micros();
        assert!(delay.abs_diff(25_000) <= 25, "{delay}");
    }

    #[test]
    fn outcomes_leave_at_exactly_the_window_and_after_a_jump_back() {
        let window = Duration::from_secs(10);
        let outside = RECORDED.saturating_add(window);
        assert_eq!(slowed(&[false], outside), 500);
        let microsecond = Duration::from_micros(1);
        assert!(slowed(&[false], outside.saturating_sub(microsecond)) > 4_000);
        // A stale instant sees it, too; a clock that was set back does not.
        let set_back = RECORDED.saturating_sub(window);
        assert!(slowed(&[false], set_back.saturating_add(microsecond)) > 4_000);
        assert_eq!(slowed(&[false], set_back), 500);
        assert_eq!(slowed(&[false], set_back.saturating_sub(microsecond)), 500);
    }

    #[test]
    fn a_huge_delay_saturates() {
        let adaptive = AdaptiveConfig::new(Backoff::constant(Duration::MAX))
            .multipliers_milli(4_000_000, 4_000_000)
            .build()
            .unwrap()
            .memory(Mutex::new(Memory::<1>::new()));
        let context = BackoffContext::new(1, ErrorClass::Transient);
        assert_eq!(adaptive.delay(&context, &mut NoRandom), Some(Duration::MAX));
        // Twice as long, at the last bit that there is and beyond it.
        for (delay, want) in
            [(1 << 62, 1 << 63), ((1 << 63) - 1, u64::MAX - 1), (1 << 63, u64::MAX)]
        {
            let adaptive = AdaptiveConfig::new(Backoff::constant(Duration::from_micros(delay)))
                .multipliers_milli(2_000, 2_000)
                .build()
                .unwrap()
                .memory(Mutex::new(Memory::<1>::new()));
            let found = adaptive.delay(&context, &mut NoRandom);
            assert_eq!(found, Some(Duration::from_micros(want)), "{delay}");
        }
    }

    /// A lock that is lent out already, always.
    #[derive(Debug)]
    struct Lent;

    impl Shared for Lent {
        type Item = Memory<1>;

        fn with<R>(&self, _: impl FnOnce(&mut Memory<1>) -> R) -> Option<R> {
            None
        }
    }

    #[test]
    fn a_memory_that_cannot_be_asked_slows_nothing_down() {
        let config = AdaptiveConfig::new(Backoff::constant(Duration::from_micros(1_000)));
        let adaptive = config.build().unwrap().memory(Lent);
        adaptive.record(RECORDED, false);
        let context = BackoffContext::new(1, ErrorClass::Transient);
        let delay = adaptive.delay(&context, &mut NoRandom);
        assert_eq!(delay, Some(Duration::from_micros(1_000)));
    }

    /// One second after each failure of a call that then succeeds, as a policy sees it.
    fn delays(backoff: Backoff, before: u32) -> u64 {
        let policy =
            crate::policy::Policy::builder().max_attempts(2).backoff(backoff).build().unwrap();
        let clock = crate::testing::MockClock::new();
        let mut retry = policy.on(&clock, NoRandom).classify(|(): &()| ErrorClass::Transient);
        for _ in 0..before {
            retry.call(|_| Ok::<_, ()>(())).unwrap();
        }
        let slept = clock.slept();
        let _ = retry.call(|_| Err::<(), ()>(()));
        clock.slept().saturating_sub(slept).as_micros()
    }

    fn adaptive() -> &'static Adaptive<Mutex<Memory<24>>> {
        let config = AdaptiveConfig::new(Backoff::constant(Duration::from_micros(1_000)));
        std::boxed::Box::leak(std::boxed::Box::new(
            config.build().unwrap().memory(Mutex::new(Memory::new())),
        ))
    }

    #[test]
    fn calls_that_succeed_at_once_are_recorded() {
        assert!(delays(Backoff::own(adaptive()), 0).abs_diff(5_000) <= 1);
        // One failure among ten is what the target of 0.9 tolerates.
        assert_eq!(delays(Backoff::own(adaptive()), 9), 1_000);
    }

    #[test]
    fn a_nested_strategy_records_like_any_other() {
        let inner = std::boxed::Box::leak(std::boxed::Box::new(Backoff::own(adaptive())));
        for nested in [Backoff::retry_after_or(inner, Duration::ZERO), Backoff::own(inner)] {
            assert!(delays(nested, 0).abs_diff(5_000) <= 1);
        }
        // By the latter alone nothing but failures was recorded before.
        assert!(delays(Backoff::own(inner), 30) < 2_000);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let config = AdaptiveConfig::new(Backoff::constant(Duration::ZERO));
        for (config, field) in [
            (config.window(Duration::ZERO), "adaptive.window"),
            (config.target_success_milli(0), "adaptive.target_success_milli"),
            (config.target_success_milli(1001), "adaptive.target_success_milli"),
            (config.multipliers_milli(2, 1), "adaptive.min_multiplier_milli"),
            (config.multipliers_milli(0, 4_000_001), "adaptive.max_multiplier_milli"),
        ] {
            assert_eq!(config.build().unwrap_err().field(), field);
        }
    }
}
