//! How long to wait before a retry: [`Backoff`], a single type for every strategy.
//!
//! A `Backoff` holds two durations, a function that computes the delay from them, and for some
//! strategies a reference. So a `const` policy needs no type parameters, and a binary contains
//! only the strategies that it names. All arithmetic is on integers and saturates; attempt four
//! billion gives the maximum as attempt forty does.

mod adaptive;
mod growth;
mod rules;

pub use adaptive::{Adaptive, AdaptiveConfig, Memory};

use growth::growth;

use crate::class::{Classification, ErrorClass};
use crate::event::Cause;
use crate::random::Draw;
use crate::time::{Duration, Instant};

/// The input of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct BackoffContext {
    /// The number of the attempt that failed, from 1.
    pub attempt: u32,
    /// The class of the failure, with the hint (Retry-After) if there is one.
    pub classification: Classification,
    /// How the attempt failed: by an error or by a value.
    pub cause: Cause,
    /// The delay before this attempt; zero for the first one.
    pub previous: Duration,
    /// What is left of the deadline; [`Duration::MAX`] without a deadline.
    pub remaining: Duration,
    /// The instant of the failure.
    pub now: Instant,
}

impl BackoffContext {
    /// A context to try a strategy with: no deadline, no delay before, the clock at its origin.
    /// Set the other fields as needed.
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

/// A strategy of your own that has state, or needs more than a function.
pub trait Strategy: Sync {
    /// The delay after the failure in `context`. `None` means that there is no
    /// delay to give; the call then stops with
    /// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
    ///
    /// The delay may be of any length. [`LongDelay`](crate::config::LongDelay) decides what
    /// happens if it does not fit before the deadline.
    fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration>;

    /// Records the result of an attempt: a failure whose delay this strategy decides, the success
    /// that follows such a failure, or the success of a first attempt.
    fn record(&self, now: Instant, success: bool) {
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
    /// A strategy without jitter, and the most that is added to its delays at random.
    Plus(Kind, Duration),
    /// The growth, and such jitter.
    Growth(u32, Duration),
    Sequence(&'static [Duration]),
    /// The strategy where there is no hint, the policy's own if it is none, and the longest hint
    /// that is followed.
    Fallback(Option<&'static Backoff>, Duration),
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
    Linear,
}

impl Backoff {
    const fn of(rule: Rule, first: Duration, second: Duration, link: Link) -> Self {
        Self { rule, first, second, link }
    }

    /// Always `delay`; [`Duration::ZERO`] retries at once.
    pub const fn constant(delay: Duration) -> Self {
        Self::of(rules::constant, delay, delay, Link::None(Kind::Constant))
    }

    /// `base`, twice that, four times, ... up to `max`. Without jitter, callers
    /// that fail together retry together: prefer one of the jittered strategies
    /// wherever there are several callers.
    pub const fn exponential(base: Duration, max: Duration) -> Self {
        Self::of(rules::exponential, base, max, Link::None(Kind::Exponential))
    }

    /// `base`, twice that, three times that, ... up to `max`.
    pub const fn linear(base: Duration, max: Duration) -> Self {
        Self::of(rules::linear, base, max, Link::None(Kind::Linear))
    }

    /// `base * growth^(n - 1)` up to `max`, with the growth in thousandths: 1500 stands for 1.5,
    /// and 500 halves the delay each time. A growth of 0 counts as 1, a growth above 65,535,000 as
    /// 65,535,000. The power keeps a relative precision of 2^-20 or better for a thousand attempts,
    /// if the growth is 1000 or more.
    pub const fn exponential_by(base: Duration, max: Duration, growth_milli: u32) -> Self {
        Self::of(
            rules::exponential_by,
            base,
            max,
            Link::Growth(growth(growth_milli), Duration::ZERO),
        )
    }

    /// `base` times 1, 1, 2, 3, 5, 8, ... up to `max`.
    pub const fn fibonacci(base: Duration, max: Duration) -> Self {
        Self::of(rules::fibonacci, base, max, Link::None(Kind::Fibonacci))
    }

    /// The entries of `delays` in order; further attempts repeat the last entry. An empty slice
    /// gives no delay, so the call stops with
    /// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
    pub const fn sequence(delays: &'static [Duration]) -> Self {
        Self::of(rules::sequence, Duration::ZERO, Duration::ZERO, Link::Sequence(delays))
    }

    /// Uniform in `[0, min(max, base * 2^(n - 1)))`.
    ///
    /// Source: "Full Jitter" of Marc Brooker, *Exponential Backoff And Jitter*,
    /// AWS Architecture Blog, 2015.
    pub const fn full_jitter(base: Duration, max: Duration) -> Self {
        Self::of(rules::full_jitter, base, max, Link::None(Kind::FullJitter))
    }

    /// Half of `cap = min(max, base * 2^n)` and uniform up to another half: in
    /// `[cap / 2, cap)`.
    ///
    /// The exponent is `n`, so the first cap is `2 * base`; in [`full_jitter`](Self::full_jitter) it
    /// is `n - 1`.
    ///
    /// Source: "Equal Jitter", ibid., with the exponent of redress for Python.
    pub const fn equal_jitter(base: Duration, max: Duration) -> Self {
        Self::of(rules::equal_jitter, base, max, Link::None(Kind::EqualJitter))
    }

    /// Uniform in `[base, 3 * previous)`, at most `max`. Before the first retry the previous
    /// delay counts as `base`. Never below `base` (unless `max` is), even if the deadline cut the
    /// previous delay short.
    ///
    /// Source: "Decorrelated Jitter", ibid.
    pub const fn decorrelated_jitter(base: Duration, max: Duration) -> Self {
        Self::of(rules::decorrelated_jitter, base, max, Link::None(Kind::DecorrelatedJitter))
    }

    /// Uniform in `[cap / 2, cap)` with `cap = min(max, base * 1.5^n)`: gentler
    /// growth for limits that refill, as token buckets do.
    ///
    /// Source: `token_backoff` of redress for Python.
    pub const fn token_backoff(base: Duration, max: Duration) -> Self {
        Self::of(rules::token_backoff, base, max, Link::None(Kind::TokenBackoff))
    }

    /// The delay of the hint, the time that the other side asked for (Retry-After), plus a
    /// uniform part of up to `jitter`. Without a hint, the delay of `fallback`. A jitter of zero
    /// draws no random number.
    ///
    /// A hint may be zero, or an hour: set bounds with [`at_least`](Self::at_least), for instance
    /// the base of the fallback, and [`at_most`](Self::at_most).
    pub const fn retry_after_or(fallback: &'static Backoff, jitter: Duration) -> Self {
        let link = Link::Fallback(Some(fallback), Duration::MAX);
        Self::of(rules::retry_after_or, jitter, Duration::ZERO, link)
    }

    /// As [`retry_after_or`](Self::retry_after_or), for
    /// [`backoff_for`](crate::config::RetryConfig::backoff_for): without a hint, the delay is that
    /// of the policy's strategy for all classes
    /// ([`backoff`](crate::config::RetryConfig::backoff)). This strategy holds no
    /// reference, so it can be built from settings that are read at run time.
    ///
    /// If the policy has no strategy for all classes, or that strategy is itself a `retry_after`,
    /// a failure without a hint stops the call with
    /// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
    ///
    /// ```
    /// use redress::{Backoff, Duration, ErrorClass, Policy};
    ///
    /// # fn main() -> Result<(), redress::config::ConfigError> {
    /// let (base, max) = (Duration::from_millis(50), Duration::from_secs(5));
    /// let policy = Policy::builder()
    ///     .backoff(Backoff::full_jitter(base, max))
    ///     .backoff_for(ErrorClass::RateLimit, Backoff::retry_after(base).at_most(max))
    ///     .build()?;
    /// # let _ = policy;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn retry_after(jitter: Duration) -> Self {
        let link = Link::Fallback(None, Duration::MAX);
        Self::of(rules::retry_after_or, jitter, Duration::ZERO, link)
    }

    /// The shortest hint for [`retry_after_or`](Self::retry_after_or) and
    /// [`retry_after`](Self::retry_after): a shorter hint counts as this long, before jitter.
    /// Default 0. Other strategies ignore it.
    pub const fn at_least(mut self, shortest: Duration) -> Self {
        if let Link::Fallback(..) = self.link {
            self.second = shortest;
        }
        self
    }

    /// The longest hint that [`retry_after_or`](Self::retry_after_or) and
    /// [`retry_after`](Self::retry_after) accept. A longer hint is not shortened, because the
    /// other side would reject a call that comes sooner: the call ends as it does for a delay that
    /// does not fit before the deadline, also under
    /// [`LongDelay::Cut`](crate::config::LongDelay::Cut) and without a deadline. Default: no limit. Other
    /// strategies ignore it, and it has no effect on a strategy inside an [`Adaptive`].
    pub const fn at_most(mut self, longest: Duration) -> Self {
        if let Link::Fallback(fallback, _) = self.link {
            self.link = Link::Fallback(fallback, longest);
        }
        self
    }

    /// Adds up to `jitter` to each delay, at random and also beyond `max`: for
    /// [`constant`](Self::constant), [`linear`](Self::linear),
    /// [`exponential`](Self::exponential), [`exponential_by`](Self::exponential_by) and
    /// [`fibonacci`](Self::fibonacci). The other strategies
    /// ignore it: they have jitter of their own, or none on purpose.
    pub const fn plus_jitter(mut self, jitter: Duration) -> Self {
        match self.link {
            Link::None(
                kind @ (Kind::Constant | Kind::Linear | Kind::Exponential | Kind::Fibonacci),
            )
            | Link::Plus(kind, _) => {
                self.link = Link::Plus(kind, jitter);
                self.rule = rules::plus_jitter;
            }
            Link::Growth(growth, _) => self.link = Link::Growth(growth, jitter),
            _ => {}
        }
        self
    }

    /// Whether it rejects any hint.
    pub(crate) const fn limits_hints(&self) -> bool {
        self.longest_hint().as_micros() < Duration::MAX.as_micros()
    }

    /// The longest hint that it follows.
    pub(crate) const fn longest_hint(&self) -> Duration {
        match self.link {
            Link::Fallback(_, longest) => longest,
            _ => Duration::MAX,
        }
    }

    /// A strategy of your own in the short form: a function of the number of the failed attempt,
    /// its class and the previous delay. `None` stops the call with
    /// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
    pub const fn short(delay: fn(u32, ErrorClass, Duration) -> Option<Duration>) -> Self {
        Self::of(rules::own, Duration::ZERO, Duration::ZERO, Link::Short(delay))
    }

    /// A strategy of your own: a function of the whole [`BackoffContext`] and a source of
    /// randomness. `None` stops the call with
    /// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
    pub const fn function(delay: fn(&BackoffContext, &mut dyn Draw) -> Option<Duration>) -> Self {
        Self::of(rules::own, Duration::ZERO, Duration::ZERO, Link::Full(delay))
    }

    /// A strategy of your own with state: a `static` that implements [`Strategy`], such as an
    /// [`Adaptive`].
    pub const fn own(strategy: &'static dyn Strategy) -> Self {
        Self::of(rules::own, Duration::ZERO, Duration::ZERO, Link::Own(strategy))
    }

    /// The delay after the failure in `context`, even if it does not fit before the deadline.
    #[inline]
    pub fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
        (self.rule)(self, context, random)
    }

    /// Records the result of an attempt, if the strategy has a memory.
    pub fn record(&self, now: Instant, success: bool) {
        match self.link {
            Link::Fallback(Some(fallback), _) => fallback.record(now, success),
            Link::Own(strategy) => strategy.record(now, success),
            _ => {}
        }
    }

    /// Whether [`record`](Self::record) can reach a memory.
    pub const fn listens(&self) -> bool {
        match self.link {
            Link::Own(_) => true,
            Link::Fallback(Some(fallback), _) => fallback.listens(),
            _ => false,
        }
    }

    /// The strategy's name, `"decorrelated_jitter"` for instance.
    pub fn name(&self) -> &'static str {
        match self.link {
            Link::None(Kind::Constant) | Link::Plus(Kind::Constant, _) => "constant",
            Link::None(Kind::Linear) | Link::Plus(Kind::Linear, _) => "linear",
            Link::None(Kind::Fibonacci) | Link::Plus(Kind::Fibonacci, _) => "fibonacci",
            Link::None(Kind::Exponential) | Link::Plus(..) | Link::Growth(..) => "exponential",
            Link::None(Kind::FullJitter) => "full_jitter",
            Link::None(Kind::EqualJitter) => "equal_jitter",
            Link::None(Kind::DecorrelatedJitter) => "decorrelated_jitter",
            Link::None(Kind::TokenBackoff) => "token_backoff",
            Link::Sequence(_) => "sequence",
            Link::Fallback(Some(_), _) => "retry_after_or",
            Link::Fallback(None, _) => "retry_after",
            Link::Short(_) | Link::Full(_) => "function",
            Link::Own(strategy) => strategy.name(),
        }
    }

    /// The first and the largest delay of the strategy, if it has them: base and max, or the
    /// constant twice.
    pub const fn range(&self) -> Option<(Duration, Duration)> {
        match self.link {
            Link::None(_) | Link::Plus(..) | Link::Growth(..) => Some((self.first, self.second)),
            _ => None,
        }
    }

    /// Whether [`plus_jitter`](Self::plus_jitter) adds something.
    pub(crate) const fn adds_jitter(&self) -> bool {
        matches!(self.link, Link::Plus(_, jitter) | Link::Growth(_, jitter) if !jitter.is_zero())
    }

    /// Whether it gives delays for hints alone.
    pub(crate) const fn needs_hint(&self) -> bool {
        matches!(self.link, Link::Fallback(None, _))
    }

    /// The two durations, whatever they mean to it.
    pub(crate) const fn spans(&self) -> (Duration, Duration) {
        (self.first, self.second)
    }

    /// A number for the kind of strategy, with its growth.
    pub(crate) const fn number(&self) -> u64 {
        match self.link {
            Link::None(kind) => kind as u64,
            Link::Plus(kind, jitter) => 0x17 | (kind as u64) << 5 | jitter.as_micros() << 8,
            Link::Growth(growth, jitter) => 16 | ((growth as u64) << 8 ^ jitter.as_micros() << 40),
            Link::Sequence(_) => 17,
            Link::Fallback(Some(_), _) => 18,
            Link::Short(_) => 19,
            Link::Full(_) => 20,
            Link::Own(_) => 21,
            Link::Fallback(None, _) => 22,
        }
    }

    /// Whether each delay is zero, where that is known beforehand.
    pub(crate) const fn is_immediate(&self) -> bool {
        matches!(self.link, Link::None(Kind::Constant)) && self.first.is_zero()
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
            Link::Fallback(Some(fallback), _) => Some((fallback, self.first)),
            _ => None,
        }
    }

    /// The shortest and the longest hint of a [`retry_after_or`](Self::retry_after_or) or a
    /// [`retry_after`](Self::retry_after).
    pub const fn hints(&self) -> Option<(Duration, Duration)> {
        match self.link {
            Link::Fallback(_, longest) => Some((self.second, longest)),
            _ => None,
        }
    }
}

/// Any backoff can be passed as a `&dyn Strategy`.
impl Strategy for Backoff {
    fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
        self.delay(context, random)
    }

    fn record(&self, now: Instant, success: bool) {
        self.record(now, success);
    }

    fn name(&self) -> &'static str {
        self.name()
    }
}

/// `decorrelated_jitter(0.25s, 30s)`, or the name alone where there is no range.
impl core::fmt::Display for Backoff {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())?;
        if let Link::Fallback(fallback, longest) = self.link {
            let (jitter, shortest) = (self.first, self.second);
            match fallback {
                Some(fallback) => write!(f, "({fallback}, {jitter}")?,
                None => write!(f, "({jitter}")?,
            }
            if !shortest.is_zero() {
                write!(f, ", at least {shortest}")?;
            }
            if longest != Duration::MAX {
                write!(f, ", at most {longest}")?;
            }
            return f.write_str(")");
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
            Link::Plus(Kind::Constant, jitter) => write!(f, "({}, plus {jitter})", self.first),
            Link::Plus(_, jitter) => write!(f, "({}, {}, plus {jitter})", self.first, self.second),
            Link::None(_) => write!(f, "({}, {})", self.first, self.second),
            Link::Growth(growth, jitter) => {
                // To the nearest, as it was taken.
                let milli = (u64::from(growth) * 1000 + (1 << 15)) >> 16;
                write!(f, "({}, {}, {milli}/1000", self.first, self.second)?;
                if !jitter.is_zero() {
                    write!(f, ", plus {jitter}")?;
                }
                f.write_str(")")
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_strategy_describes_itself() {
        const SLOW: Backoff =
            Backoff::equal_jitter(Duration::from_millis(250), Duration::from_secs(30));
        static DELAYS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(2)];
        for (backoff, text) in [
            (SLOW, "equal_jitter(0.25s, 30s)"),
            (
                Backoff::retry_after_or(&SLOW, MS(5)),
                "retry_after_or(equal_jitter(0.25s, 30s), 0.005s)",
            ),
            (
                Backoff::retry_after_or(&SLOW, MS(0)).at_least(MS(1)).at_most(MS(60_000)),
                "retry_after_or(equal_jitter(0.25s, 30s), 0s, at least 0.001s, at most 60s)",
            ),
            (Backoff::retry_after(MS(5)).at_most(MS(9)), "retry_after(0.005s, at most 0.009s)"),
            (Backoff::exponential_by(MS(1), MS(2), 1500), "exponential(0.001s, 0.002s, 1500/1000)"),
            (Backoff::exponential_by(MS(1), MS(2), 901), "exponential(0.001s, 0.002s, 901/1000)"),
            (
                Backoff::exponential_by(MS(1), MS(2), 3000).plus_jitter(MS(4)),
                "exponential(0.001s, 0.002s, 3000/1000, plus 0.004s)",
            ),
            (Backoff::linear(MS(1), MS(2)), "linear(0.001s, 0.002s)"),
            (Backoff::constant(MS(1)).plus_jitter(MS(2)), "constant(0.001s, plus 0.002s)"),
            (
                Backoff::linear(MS(1), MS(2)).plus_jitter(MS(4)),
                "linear(0.001s, 0.002s, plus 0.004s)",
            ),
            (Backoff::constant(MS(0)), "constant(0s)"),
            (Backoff::sequence(&DELAYS), "sequence(0.001s, 0.002s)"),
            (Backoff::short(|_, _, _| None), "function"),
        ] {
            assert_eq!(format!("{backoff}"), text);
            assert_eq!(format!("{backoff:?}"), text);
        }
    }

    /// A saved call is resumed by the same numbers in a later version, too.
    #[test]
    fn every_kind_of_strategy_keeps_its_number_in_snapshots() {
        static FALLBACK: Backoff = Backoff::constant(Duration::ZERO);
        let (base, max) = (MS(1), MS(2));
        for (backoff, number) in [
            (FALLBACK, 0),
            (Backoff::exponential(base, max), 1),
            (Backoff::fibonacci(base, max), 2),
            (Backoff::full_jitter(base, max), 3),
            (Backoff::equal_jitter(base, max), 4),
            (Backoff::decorrelated_jitter(base, max), 5),
            (Backoff::token_backoff(base, max), 6),
            (Backoff::linear(base, max), 7),
            (Backoff::exponential_by(base, max, 1_500), 16 | 98_304 << 8),
            (Backoff::constant(base).plus_jitter(max), 0x17 | 2_000 << 8),
            (Backoff::linear(base, max).plus_jitter(max), 0xF7 | 2_000 << 8),
            (Backoff::sequence(&[]), 17),
            (Backoff::retry_after_or(&FALLBACK, base), 18),
            (Backoff::short(|_, _, _| None), 19),
            (Backoff::function(|_, _| None), 20),
            (Backoff::own(&FALLBACK), 21),
            (Backoff::retry_after(base), 22),
        ] {
            assert_eq!(backoff.number(), number, "{backoff}");
        }
    }

    #[test]
    fn a_strategy_of_ones_own_may_be_any_backoff() {
        static INNER: Backoff = Backoff::constant(Duration::from_millis(7));
        let backoff = Backoff::own(&INNER);
        let context = BackoffContext::new(1, ErrorClass::Transient);
        let delay = backoff.delay(&context, &mut crate::random::NoRandom);
        assert_eq!((delay, backoff.name()), (Some(MS(7)), "constant"));
    }
}
