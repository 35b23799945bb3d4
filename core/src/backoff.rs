//! How long to wait: [`Backoff`], one nameable type for every strategy.
//!
//! A `Backoff` is two durations, the function that reads them and perhaps a
//! reference to more, so a `const` policy needs no list of types and an image
//! holds only the strategies that it names. All arithmetic is on integers and
//! saturates; attempt four billion gives the cap like attempt forty.

use crate::random::{Draw, mul_shr32, uniform};
use crate::{Cause, Classification, Duration, ErrorClass, Instant};

/// What a strategy may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct BackoffContext {
    /// The number of the attempt that failed, from 1.
    pub attempt: u32,
    /// What went wrong, with the other side's hint.
    pub classification: Classification,
    /// How it failed.
    pub cause: Cause,
    /// The delay before this attempt; zero for the first one.
    pub previous: Duration,
    /// What is left of the deadline; [`Duration::MAX`] without one.
    pub remaining: Duration,
    /// The instant of the failure.
    pub now: Instant,
}

impl BackoffContext {
    /// The context of a first failure without deadline at the clock's origin,
    /// to try a strategy on; set the other fields as needed.
    pub const fn new(attempt: u32, class: ErrorClass) -> Self {
        Self {
            attempt,
            classification: Classification::new(class),
            cause: Cause::Exception,
            previous: Duration::ZERO,
            remaining: Duration::MAX,
            now: Instant::ZERO,
        }
    }
}

/// A strategy of your own that needs more than a function.
pub trait Strategy: Sync {
    /// The delay after the failure in `context`. `None` means that there is no
    /// delay to give; the call then stops with
    /// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
    ///
    /// Delays are cut to what is left of the deadline afterwards.
    fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration>;

    /// Hears of an attempt that this strategy served: a failure of its class, or
    /// the success that followed; and of every call that succeeded at once.
    fn hear(&self, now: Instant, success: bool) {
        let _ = (now, success);
    }

    /// The name that the linter and logs show.
    fn name(&self) -> &'static str {
        "own"
    }
}

type Rule = fn(&Backoff, &BackoffContext, &mut dyn Draw) -> Option<Duration>;

/// A backoff strategy: how long to wait after the n-th failed attempt.
///
/// ```
/// use redress::{Backoff, Duration};
/// const QUICK: Backoff =
///     Backoff::decorrelated_jitter(Duration::from_millis(50), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy)]
pub struct Backoff {
    rule: Rule,
    first: Duration,
    second: Duration,
    link: Link,
}

#[derive(Clone, Copy)]
enum Link {
    None(Kind),
    Growth(u32),
    Sequence(&'static [Duration]),
    Fallback(&'static Backoff),
    Short(fn(u32, ErrorClass, Duration) -> Option<Duration>),
    Full(fn(&BackoffContext, &mut dyn Draw) -> Option<Duration>),
    Own(&'static dyn Strategy),
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Constant,
    Exponential,
    Fibonacci,
    FullJitter,
    EqualJitter,
    DecorrelatedJitter,
    TokenBackoff,
}

impl Backoff {
    const fn of(rule: Rule, first: Duration, second: Duration, link: Link) -> Self {
        Self { rule, first, second, link }
    }

    /// Always `delay`; [`Duration::ZERO`] retries at once.
    pub const fn constant(delay: Duration) -> Self {
        Self::of(constant, delay, delay, Link::None(Kind::Constant))
    }

    /// `base`, twice that, four times, ... up to `max`. Without jitter, callers
    /// that fail together retry together: prefer one of the jittered strategies
    /// wherever there are several callers.
    pub const fn exponential(base: Duration, max: Duration) -> Self {
        Self::of(exponential, base, max, Link::None(Kind::Exponential))
    }

    /// `base * growth^(n - 1)` up to `max`, the growth in thousandths: 1500
    /// stands for 1.5. A growth below 1000 counts as 1000, one above 65,535,000
    /// as that. The power keeps a relative precision of 2^-20 or better for
    /// a thousand attempts.
    pub const fn exponential_by(base: Duration, max: Duration, growth_milli: u32) -> Self {
        Self::of(exponential_by, base, max, Link::Growth(growth(growth_milli)))
    }

    /// `base` times 1, 1, 2, 3, 5, 8, ... up to `max`.
    pub const fn fibonacci(base: Duration, max: Duration) -> Self {
        Self::of(fibonacci, base, max, Link::None(Kind::Fibonacci))
    }

    /// The entries of `delays` in order, the last one again for every further
    /// attempt; no delay (and so no retry) if it is empty.
    pub const fn sequence(delays: &'static [Duration]) -> Self {
        Self::of(sequence, Duration::ZERO, Duration::ZERO, Link::Sequence(delays))
    }

    /// Uniform in `[0, min(max, base * 2^(n - 1)))`.
    ///
    /// Source: "Full Jitter" of Marc Brooker, *Exponential Backoff And Jitter*,
    /// AWS Architecture Blog, 2015.
    pub const fn full_jitter(base: Duration, max: Duration) -> Self {
        Self::of(full_jitter, base, max, Link::None(Kind::FullJitter))
    }

    /// Half of `cap = min(max, base * 2^n)` and uniform up to another half: in
    /// `[cap / 2, cap)`.
    ///
    /// Source: "Equal Jitter", ibid.; the power counts as in redress for Python.
    pub const fn equal_jitter(base: Duration, max: Duration) -> Self {
        Self::of(equal_jitter, base, max, Link::None(Kind::EqualJitter))
    }

    /// Uniform in `[base, 3 * previous)`, at most `max`; `base` stands in for the
    /// previous delay before the first retry. Never below `base` (if `max` is
    /// not), even where a deadline cut the previous delay short.
    ///
    /// Source: "Decorrelated Jitter", ibid.
    pub const fn decorrelated_jitter(base: Duration, max: Duration) -> Self {
        Self::of(decorrelated_jitter, base, max, Link::None(Kind::DecorrelatedJitter))
    }

    /// Uniform in `[cap / 2, cap)` with `cap = min(max, base * 1.5^n)`: gentler
    /// growth for limits that refill, as token buckets do.
    ///
    /// Source: `token_backoff` of redress for Python.
    pub const fn token_backoff(base: Duration, max: Duration) -> Self {
        Self::of(token_backoff, base, max, Link::None(Kind::TokenBackoff))
    }

    /// What the other side asked for (Retry-After), plus uniform up to `jitter`;
    /// without such a hint, the delay of `fallback`. A jitter of zero draws
    /// nothing.
    pub const fn retry_after_or(fallback: &'static Backoff, jitter: Duration) -> Self {
        Self::of(retry_after_or, jitter, jitter, Link::Fallback(fallback))
    }

    /// Your own, in the short form: a function of the number of the failed
    /// attempt, its class and the previous delay. `None` stops the call with
    /// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
    pub const fn short(delay: fn(u32, ErrorClass, Duration) -> Option<Duration>) -> Self {
        Self::of(own, Duration::ZERO, Duration::ZERO, Link::Short(delay))
    }

    /// Your own, from all of the [`BackoffContext`] and a source of randomness.
    pub const fn function(delay: fn(&BackoffContext, &mut dyn Draw) -> Option<Duration>) -> Self {
        Self::of(own, Duration::ZERO, Duration::ZERO, Link::Full(delay))
    }

    /// Your own, with state: a `static` that implements [`Strategy`], such as an
    /// [`Adaptive`](crate::Adaptive).
    pub const fn own(strategy: &'static dyn Strategy) -> Self {
        Self::of(own, Duration::ZERO, Duration::ZERO, Link::Own(strategy))
    }

    /// The delay after the failure in `context`, not yet cut to the deadline.
    #[inline]
    pub fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
        (self.rule)(self, context, random)
    }

    /// Tells a strategy with a memory of its own how an attempt went.
    pub fn hear(&self, now: Instant, success: bool) {
        match self.link {
            Link::Fallback(fallback) => fallback.hear(now, success),
            Link::Own(strategy) => strategy.hear(now, success),
            _ => {}
        }
    }

    /// Whether [`hear`](Self::hear) can reach a memory.
    pub const fn listens(&self) -> bool {
        match self.link {
            Link::Own(_) => true,
            Link::Fallback(fallback) => fallback.listens(),
            _ => false,
        }
    }

    /// The strategy's name, `"decorrelated_jitter"` for instance.
    pub fn name(&self) -> &'static str {
        match self.link {
            Link::None(Kind::Constant) => "constant",
            Link::None(Kind::Exponential) | Link::Growth(_) => "exponential",
            Link::None(Kind::Fibonacci) => "fibonacci",
            Link::None(Kind::FullJitter) => "full_jitter",
            Link::None(Kind::EqualJitter) => "equal_jitter",
            Link::None(Kind::DecorrelatedJitter) => "decorrelated_jitter",
            Link::None(Kind::TokenBackoff) => "token_backoff",
            Link::Sequence(_) => "sequence",
            Link::Fallback(_) => "retry_after_or",
            Link::Short(_) | Link::Full(_) => "function",
            Link::Own(strategy) => strategy.name(),
        }
    }

    /// The first and the largest delay it is made of, where it has them: base
    /// and max, or the constant twice.
    pub const fn range(&self) -> Option<(Duration, Duration)> {
        match self.link {
            Link::None(_) | Link::Growth(_) => Some((self.first, self.second)),
            _ => None,
        }
    }

    /// The two durations, whatever they mean to it.
    pub(crate) const fn spans(&self) -> (Duration, Duration) {
        (self.first, self.second)
    }

    /// A number for the kind of strategy, with its growth.
    pub(crate) const fn number(&self) -> u64 {
        match self.link {
            Link::None(kind) => kind as u64,
            Link::Growth(growth) => 16 | (growth as u64) << 8,
            Link::Sequence(_) => 17,
            Link::Fallback(_) => 18,
            Link::Short(_) => 19,
            Link::Full(_) => 20,
            Link::Own(_) => 21,
        }
    }

    /// The delays of a [`sequence`](Self::sequence).
    pub const fn delays(&self) -> Option<&'static [Duration]> {
        match self.link {
            Link::Sequence(delays) => Some(delays),
            _ => None,
        }
    }

    /// The fallback and the jitter of a [`retry_after_or`](Self::retry_after_or).
    pub const fn fallback(&self) -> Option<(&'static Backoff, Duration)> {
        match self.link {
            Link::Fallback(fallback) => Some((fallback, self.first)),
            _ => None,
        }
    }
}

/// A fallback, or the whole of an adaptive strategy, may be any backoff.
impl Strategy for Backoff {
    fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
        self.delay(context, random)
    }

    fn hear(&self, now: Instant, success: bool) {
        self.hear(now, success);
    }

    fn name(&self) -> &'static str {
        self.name()
    }
}

/// `decorrelated_jitter(0.25s, 30s)`, or the name alone where there is no range.
impl core::fmt::Display for Backoff {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())?;
        if let Some((fallback, jitter)) = self.fallback() {
            return write!(f, "({fallback}, {jitter})");
        }
        if let Some(delays) = self.delays() {
            f.write_str("(")?;
            for (i, delay) in delays.iter().enumerate() {
                write!(f, "{}{delay}", if i == 0 { "" } else { ", " })?;
            }
            return f.write_str(")");
        }
        match self.link {
            Link::None(Kind::Constant) => write!(f, "({})", self.first),
            Link::None(_) => write!(f, "({}, {})", self.first, self.second),
            Link::Growth(growth) => {
                let milli = (u64::from(growth) * 1000).div_ceil(1 << 16);
                write!(f, "({}, {}, {milli}/1000)", self.first, self.second)
            }
            _ => Ok(()),
        }
    }
}

impl core::fmt::Debug for Backoff {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Backoff {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}({}, {})", self.name(), self.first, self.second);
    }
}

#[inline]
fn constant(own: &Backoff, _: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
    Some(own.first)
}

#[inline]
fn exponential(own: &Backoff, context: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
    let doublings = context.attempt.saturating_sub(1);
    Some(Duration::from_micros(doubled(own, doublings)))
}

fn exponential_by(own: &Backoff, context: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
    let Link::Growth(growth) = own.link else { return None };
    let delay = grown(own, growth, context.attempt.saturating_sub(1));
    Some(Duration::from_micros(delay))
}

fn fibonacci(own: &Backoff, context: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
    let (mut delay, mut next) = (own.first, own.first);
    // fib(94) is the first that leaves 64 bits.
    for _ in 1..context.attempt.min(94) {
        (delay, next) = (next, delay.saturating_add(next));
    }
    Some(delay.min(own.second))
}

fn sequence(own: &Backoff, context: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
    let Link::Sequence(delays) = own.link else { return None };
    let nth = context.attempt.saturating_sub(1) as usize;
    delays.get(nth).or(delays.last()).copied()
}

#[inline]
fn full_jitter(own: &Backoff, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
    let cap = doubled(own, context.attempt.saturating_sub(1));
    uniform(0, cap, random).map(Duration::from_micros)
}

#[inline]
fn equal_jitter(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let cap = doubled(own, context.attempt);
    uniform(cap >> 1, cap, random).map(Duration::from_micros)
}

#[inline]
fn decorrelated_jitter(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let base = own.first.as_micros();
    let previous = match context.previous.as_micros() {
        0 => base,
        previous => previous,
    };
    // Three times by additions: a product saturates only after a wide multiply.
    let triple = previous.saturating_add(previous).saturating_add(previous);
    let delay = uniform(base, triple.max(base), random)?;
    Some(Duration::from_micros(delay.min(own.second.as_micros())))
}

fn token_backoff(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let cap = grown(own, growth(1500), context.attempt);
    uniform(cap >> 1, cap, random).map(Duration::from_micros)
}

#[inline]
fn retry_after_or(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let Link::Fallback(fallback) = own.link else { return None };
    let Some(hint) = context.classification.retry_after else {
        return fallback.delay(context, random);
    };
    if own.first.is_zero() {
        return Some(hint);
    }
    let jitter = uniform(0, own.first.as_micros(), random)?;
    Some(hint.saturating_add(Duration::from_micros(jitter)))
}

fn own(own: &Backoff, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
    match own.link {
        Link::Short(delay) => {
            delay(context.attempt, context.classification.class, context.previous)
        }
        Link::Full(delay) => delay(context, random),
        Link::Own(strategy) => strategy.delay(context, random),
        _ => None,
    }
}

/// `first * 2^doublings`, at most `second`.
fn doubled(own: &Backoff, doublings: u32) -> u64 {
    let (mut delay, max) = (own.first.as_micros(), own.second.as_micros());
    // Additions, as a 64-bit shift is a library call on a Cortex-M0; the 64th
    // doubling saturates whatever there was.
    let mut left = doublings.min(64);
    while left > 0 && delay < max {
        delay = delay.saturating_add(delay);
        left -= 1;
    }
    delay.min(max)
}

/// A growth of `milli` thousandths as a fixed-point number with 16 fraction bits,
/// rounded to the nearest.
const fn growth(milli: u32) -> u32 {
    let milli = if milli < 1000 {
        1000
    } else if milli > 65_535_000 {
        65_535_000
    } else {
        milli
    };
    ((((milli as u64) << 16) + 500) / 1000) as u32
}

/// `first * growth^times`, at most `second`.
///
/// The power is found by squaring, as a mantissa in `[2^31, 2^32)` and an
/// exponent, so it neither overflows nor takes more than 32 rounds, and a base
/// of one microsecond grows by 1.5 as it should.
fn grown(own: &Backoff, growth: u32, times: u32) -> u64 {
    let (first, max) = (own.first.as_micros(), own.second.as_micros());
    let mut factor = Float::from_q16(growth);
    let mut power = Float::ONE;
    let mut left = times;
    while left > 0 {
        if left & 1 != 0 {
            power = power.times(factor);
        }
        left >>= 1;
        if left > 0 {
            factor = factor.times(factor);
        }
    }
    power.of(first, max)
}

/// `mantissa * 2^(exponent - 31)`, for values of one and more.
#[derive(Clone, Copy)]
struct Float {
    mantissa: u32,
    exponent: u32,
}

impl Float {
    const ONE: Self = Self { mantissa: 1 << 31, exponent: 0 };

    fn from_q16(value: u32) -> Self {
        let room = value.leading_zeros();
        Self { mantissa: value << (room & 31), exponent: 15_u32.saturating_sub(room) }
    }

    fn times(self, other: Self) -> Self {
        // In [2^62, 2^64).
        let product = u64::from(self.mantissa) * u64::from(other.mantissa);
        let exponent = self.exponent.saturating_add(other.exponent);
        let high = (product >> 32) as u32;
        if high >> 31 != 0 {
            Self { mantissa: high, exponent: exponent.saturating_add(1) }
        } else {
            Self { mantissa: (product >> 31) as u32, exponent }
        }
    }

    /// `value` times this, at most `max`.
    fn of(self, value: u64, max: u64) -> u64 {
        if value == 0 {
            return 0;
        }
        // value * mantissa / 2^32 is half of the result at exponent 0.
        let mut result = mul_shr32(value, self.mantissa);
        let mut lost = mul_low(value, self.mantissa);
        let mut left = self.exponent.saturating_add(1).min(97);
        while left > 0 && result < max {
            result = result.saturating_add(result).saturating_add(u64::from(lost >> 31));
            lost <<= 1;
            left -= 1;
        }
        result.min(max)
    }
}

/// The fraction that [`mul_shr32`] drops: the low 32 bits of the product.
const fn mul_low(value: u64, factor: u32) -> u32 {
    (value as u32).wrapping_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{NoRandom, from_fn};
    use std::format;
    use std::vec::Vec;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn first(backoff: &Backoff, count: u32) -> Vec<u64> {
        (1..=count)
            .map(|n| {
                let context = BackoffContext::new(n, ErrorClass::Transient);
                backoff.delay(&context, &mut NoRandom).unwrap().as_micros()
            })
            .collect()
    }

    #[test]
    fn strategies_without_jitter_give_their_series() {
        const STEPS: [Duration; 2] = [Duration::from_micros(7), Duration::from_micros(9)];
        let us = Duration::from_micros;
        for (backoff, want) in [
            (Backoff::constant(us(4)), [4, 4, 4, 4, 4, 4]),
            (Backoff::exponential(us(4), us(50)), [4, 8, 16, 32, 50, 50]),
            (
                Backoff::exponential_by(us(1000), us(9000), 3000),
                [1000, 3000, 9000, 9000, 9000, 9000],
            ),
            (Backoff::exponential_by(us(1), us(9000), 1500), [1, 1, 2, 3, 5, 7]),
            (Backoff::fibonacci(us(10), us(60)), [10, 10, 20, 30, 50, 60]),
            (Backoff::sequence(&STEPS), [7, 9, 9, 9, 9, 9]),
        ] {
            assert_eq!(first(&backoff, 6), want, "{backoff}");
        }
    }

    #[test]
    fn powers_of_one_and_a_half_from_one_microsecond_grow_as_the_real_ones() {
        let backoff = Backoff::exponential_by(Duration::from_micros(1), Duration::MAX, 1500);
        for (n, delay) in first(&backoff, 100).into_iter().enumerate() {
            let real = 1.5_f64.powi(i32::try_from(n).unwrap());
            // Both are below 2^58, and the tolerance is far above what a float drops.
            #[expect(clippy::cast_precision_loss)]
            let error = (delay as f64 - real).abs();
            assert!(error <= 1.0 + real * 1e-6, "{n}: {delay} {real}");
        }
    }

    #[test]
    fn attempts_far_beyond_any_overflow_give_the_cap() {
        let cap = MS(30_000);
        for n in [64, 65, 1_025, 100_000, u32::MAX] {
            for backoff in [
                Backoff::exponential(MS(1), cap),
                Backoff::exponential_by(MS(1), cap, 1250),
                Backoff::fibonacci(MS(1), cap),
            ] {
                let context = BackoffContext::new(n, ErrorClass::Transient);
                assert_eq!(backoff.delay(&context, &mut NoRandom), Some(cap), "{backoff} {n}");
            }
        }
    }

    #[test]
    fn a_base_of_zero_stays_zero_and_returns_soon() {
        for backoff in [
            Backoff::exponential(Duration::ZERO, Duration::MAX),
            Backoff::exponential_by(Duration::ZERO, Duration::MAX, 9_000),
            Backoff::fibonacci(Duration::ZERO, Duration::MAX),
        ] {
            let context = BackoffContext::new(u32::MAX, ErrorClass::Unknown);
            assert_eq!(backoff.delay(&context, &mut NoRandom), Some(Duration::ZERO));
        }
    }

    #[test]
    fn jitter_never_exceeds_the_cap_nor_falls_below_its_floor() {
        for r in [0, 1, 1 << 31, u32::MAX] {
            for n in [1, 2, 5, 60, u32::MAX] {
                let mut context = BackoffContext::new(n, ErrorClass::Transient);
                context.previous = MS(7);
                let mut draw = from_fn(|| r);
                let mut of = |backoff: Backoff| backoff.delay(&context, &mut draw).unwrap();
                assert!(of(Backoff::full_jitter(MS(10), MS(100))) <= MS(100));
                let equal = of(Backoff::equal_jitter(MS(10), MS(100)));
                assert!(equal >= MS(10) && equal <= MS(100));
                let token = of(Backoff::token_backoff(MS(10), MS(100)));
                assert!(token >= Duration::from_micros(7_400) && token <= MS(100), "{token}");
                let decorrelated = of(Backoff::decorrelated_jitter(MS(10), MS(100)));
                assert!(decorrelated >= MS(10) && decorrelated <= MS(21), "{decorrelated}");
            }
        }
    }

    #[test]
    fn a_cut_previous_delay_does_not_pull_decorrelated_jitter_below_its_base() {
        let mut context = BackoffContext::new(3, ErrorClass::Transient);
        context.previous = Duration::from_micros(1);
        let backoff = Backoff::decorrelated_jitter(MS(10), MS(100));
        assert_eq!(backoff.delay(&context, &mut from_fn(|| u32::MAX)), Some(MS(10)));
    }

    #[test]
    fn a_hint_is_followed_and_its_absence_falls_back() {
        const SLOW: Backoff = Backoff::constant(Duration::from_secs(9));
        let backoff = Backoff::retry_after_or(&SLOW, MS(100));
        let mut context = BackoffContext::new(1, ErrorClass::RateLimit);
        assert_eq!(backoff.delay(&context, &mut NoRandom), Some(MS(9_000)));
        context.classification.retry_after = Some(MS(2_000));
        assert_eq!(backoff.delay(&context, &mut from_fn(|| 1 << 31)), Some(MS(2_050)));
        let exact = Backoff::retry_after_or(&SLOW, Duration::ZERO);
        assert_eq!(exact.delay(&context, &mut NoRandom), Some(MS(2_000)));
    }

    #[test]
    fn your_own_sees_everything_and_may_have_no_delay() {
        let context = BackoffContext::new(2, ErrorClass::Unknown);
        let short = Backoff::short(|n, class, previous| {
            (class == ErrorClass::Unknown)
                .then(|| previous.saturating_add(Duration::from_micros(u64::from(n))))
        });
        assert_eq!(short.delay(&context, &mut NoRandom), Some(Duration::from_micros(2)));
        let full = Backoff::function(|context, random| {
            random.draw().map(|r| context.remaining.min(Duration::from_micros(u64::from(r))))
        });
        assert_eq!(full.delay(&context, &mut from_fn(|| 5)), Some(Duration::from_micros(5)));
        assert_eq!(full.delay(&context, &mut NoRandom), None);
        assert_eq!(Backoff::sequence(&[]).delay(&context, &mut NoRandom), None);
    }

    #[test]
    fn a_strategy_describes_itself() {
        const SLOW: Backoff =
            Backoff::equal_jitter(Duration::from_millis(250), Duration::from_secs(30));
        for (backoff, text) in [
            (SLOW, "equal_jitter(0.25s, 30s)"),
            (
                Backoff::retry_after_or(&SLOW, MS(5)),
                "retry_after_or(equal_jitter(0.25s, 30s), 0.005s)",
            ),
            (Backoff::exponential_by(MS(1), MS(2), 1500), "exponential(0.001s, 0.002s, 1500/1000)"),
            (Backoff::constant(MS(0)), "constant(0s)"),
            (Backoff::short(|_, _, _| None), "function"),
        ] {
            assert_eq!(format!("{backoff}"), text);
        }
    }
}
