//! [`Retry`] binds a [`Policy`] to a clock, a source of randomness, and a breaker, a budget and
//! hooks if there are any.

use core::fmt;
use core::ops::ControlFlow;

use crate::backoff::BackoffContext;
use crate::breaker::Gate;
use crate::budget::{Acquire, Limited, Pool};
use crate::classify::{
    BeforeRetry, BeforeRetryAsync, ByError, ByValue, Classifier, Debugged, Shown, Verdict,
    WrittenBy,
};
use crate::config::Settings;
use crate::driver::{AbortIf, BeforeSleep, Control, SleepDecision, SleepHandler, Slots, Within};
use crate::event::{AttemptContext, Event, Observers, OnEvent};
use crate::outcome::Last;
use crate::policy::Policy;
use crate::random::Draw;
use crate::time::{Clock, Duration};

/// A policy bound to what its calls need, ready to run operations.
///
/// [`Policy::on`] makes it. It is cheap, so a program may make one for every call. A breaker, a
/// budget, an observer or a handler that is not set costs nothing. Run operations with
/// [`call`](Self::call), [`execute`](Self::execute), [`call_async`](Self::call_async),
/// [`execute_async`](Self::execute_async), or step by step with [`begin`](Self::begin).
///
/// `X` is the tuple of its [`Parts`](crate::driver::Parts): the time (a
/// [`Clock`](crate::Clock) that can wait), the randomness
/// ([`Draw`](crate::random::Draw)), the breaker ([`Gate`](crate::breaker::Gate)), the budget
/// ([`Pool`](crate::budget::Pool)), the [`Observers`](crate::event::Observers), the
/// [`Control`](crate::driver::Control) and the policy. `K` is the
/// [`Classifier`](crate::classify::Classifier).
///
/// ```
/// use core::cell::{Cell, RefCell};
/// use redress::{policy, Backoff, Duration, ErrorClass, Policy};
/// # use redress::time::Sleep;
/// # use redress::{Clock, Instant};
/// # struct Time(Cell<u64>);
/// # impl Clock for Time { fn now(&self) -> Instant { Instant::from_micros(self.0.get()) } }
/// # impl Sleep for Time { fn sleep(&mut self, span: Duration) { self.0.set(self.0.get() + span.as_micros()) } }
/// # let time = Time(Cell::new(0));
/// const UPSTREAM: Policy =
///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(5))) };
///
/// let mut failures = 2;
/// let value = UPSTREAM
///     .on(time, redress::random::NoRandom)
///     .classify(|_: &&str| ErrorClass::Transient)
///     .operation("read")
///     .call(|_| if failures == 0 { Ok(21) } else { failures -= 1; Err("busy") });
/// assert_eq!(value, Ok(21));
/// ```
pub struct Retry<'a, X: Slots, K = Classifier> {
    pub(crate) engine: Engine<'a, X>,
    pub(crate) classifier: K,
}

impl<'a, X: Slots, K: Clone> Clone for Retry<'a, X, K>
where
    Engine<'a, X>: Clone,
{
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), classifier: self.classifier.clone() }
    }
}

impl<'a, X: Slots, K: fmt::Debug> fmt::Debug for Retry<'a, X, K>
where
    Engine<'a, X>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("engine", &self.engine)
            .field("classifier", &self.classifier)
            .finish()
    }
}

/// All of a [`Retry`] that decides. Operations whose errors differ share its code, as they
/// differ in their classifiers alone.
#[derive(Clone, Debug)]
pub struct Engine<'a, X: Slots> {
    pub(crate) policy: X::Policy,
    pub(crate) time: X::Time,
    pub(crate) random: X::Random,
    pub(crate) breaker: X::Breaker,
    pub(crate) budget: X::Budget,
    pub(crate) observer: X::Observer,
    pub(crate) control: X::Control,
    pub(crate) operation: &'a str,
}

/// The parts of a [`Retry`] of which nothing is set.
type Bare<T, R, P> = (T, R, (), (), (), (), P);

impl<T, R, P> Engine<'_, Bare<T, R, P>> {
    pub(crate) const fn new(policy: P, time: T, random: R) -> Self {
        Self {
            policy,
            time,
            random,
            breaker: (),
            budget: (),
            observer: (),
            control: (),
            operation: "",
        }
    }
}

impl Policy {
    /// Binds this policy to a time and a source of randomness; see [`Retry`].
    ///
    /// Without jitter, [`NoRandom`](crate::random::NoRandom) will do.
    #[inline]
    pub const fn on<T: Clock, R: Draw>(
        &self,
        time: T,
        random: R,
    ) -> Retry<'_, Bare<T, R, &Policy>> {
        Retry { engine: Engine::new(self, time, random), classifier: Classifier::DEFAULT }
    }
}

impl<T: Clock, R: Draw, P: Settings<Policy>> Retry<'_, Bare<T, R, P>> {
    /// As [`Policy::on`], for a policy that is not borrowed: a policy that was read at run time
    /// and is owned or in an `Arc`, or a policy in a type ([`settings!`](crate::settings)). A
    /// policy in a type is known at compile time wherever it is used, so only the code that it
    /// needs is linked. Of a `const` policy, code that runs after an await or that several
    /// operations share may keep more.
    ///
    /// ```
    /// use core::cell::Cell;
    /// use redress::random::NoRandom;
    /// use redress::{Backoff, Duration, Policy, Retry, policy};
    ///
    /// redress::settings! {
    ///     Upstream: Policy =
    ///         policy! { Policy::builder().backoff(Backoff::constant(Duration::from_secs(2))) }
    /// }
    /// let clock = Cell::new(0_u64);
    /// let mut retry = Retry::new(Upstream, &clock, NoRandom);
    /// let mut steps = retry.begin().unwrap();
    /// # let _ = steps.start();
    /// ```
    #[inline]
    pub const fn new(policy: P, time: T, random: R) -> Self {
        Self { engine: Engine::new(policy, time, random), classifier: Classifier::DEFAULT }
    }
}

/// The parts `X` with another breaker.
type WithBreaker<X, N> = (
    <X as Slots>::Time,
    <X as Slots>::Random,
    N,
    <X as Slots>::Budget,
    <X as Slots>::Observer,
    <X as Slots>::Control,
    <X as Slots>::Policy,
);
/// The parts `X` with another budget.
type WithBudget<X, N> = (
    <X as Slots>::Time,
    <X as Slots>::Random,
    <X as Slots>::Breaker,
    N,
    <X as Slots>::Observer,
    <X as Slots>::Control,
    <X as Slots>::Policy,
);
/// The parts `X` with another observer.
type WithObserver<X, N> = (
    <X as Slots>::Time,
    <X as Slots>::Random,
    <X as Slots>::Breaker,
    <X as Slots>::Budget,
    N,
    <X as Slots>::Control,
    <X as Slots>::Policy,
);
/// The parts `X` with another control.
type WithControl<X, N> = (
    <X as Slots>::Time,
    <X as Slots>::Random,
    <X as Slots>::Breaker,
    <X as Slots>::Budget,
    <X as Slots>::Observer,
    N,
    <X as Slots>::Policy,
);

/// Replaces one field of the engine, which changes its type, and keeps the others.
macro_rules! replace {
    ($retry:expr, $field:ident: $value:expr) => {{
        let Retry { engine, classifier } = $retry;
        let Engine { policy, time, random, breaker, budget, observer, control, operation } = engine;
        replace!(@ $field $value, policy time random breaker budget observer control operation, classifier)
    }};
    (@ breaker $v:expr, $p:ident $t:ident $r:ident $b:ident $u:ident $o:ident $h:ident $n:ident, $k:ident) => {
        Retry { engine: Engine { breaker: ($v)($b), policy: $p, time: $t, random: $r, budget: $u, observer: $o, control: $h, operation: $n }, classifier: $k }
    };
    (@ budget $v:expr, $p:ident $t:ident $r:ident $b:ident $u:ident $o:ident $h:ident $n:ident, $k:ident) => {
        Retry { engine: Engine { budget: ($v)($u), policy: $p, time: $t, random: $r, breaker: $b, observer: $o, control: $h, operation: $n }, classifier: $k }
    };
    (@ observer $v:expr, $p:ident $t:ident $r:ident $b:ident $u:ident $o:ident $h:ident $n:ident, $k:ident) => {
        Retry { engine: Engine { observer: ($v)($o), policy: $p, time: $t, random: $r, breaker: $b, budget: $u, control: $h, operation: $n }, classifier: $k }
    };
    (@ control $v:expr, $p:ident $t:ident $r:ident $b:ident $u:ident $o:ident $h:ident $n:ident, $k:ident) => {
        Retry { engine: Engine { control: ($v)($h), policy: $p, time: $t, random: $r, breaker: $b, budget: $u, observer: $o, operation: $n }, classifier: $k }
    };
}

impl<'a, X: Slots, K, V, H, S> Retry<'a, X, Classifier<K, V, H, S>> {
    /// Classifies errors with a function that returns an [`ErrorClass`](crate::ErrorClass), a
    /// [`Classification`](crate::Classification) or a [`Verdict`]. Without a classifier the error
    /// type must implement [`Describe`](crate::classify::Describe).
    #[inline]
    pub fn classify<E, C, F>(self, classify: F) -> Retry<'a, X, Classifier<ByError<F>, V, H, S>>
    where
        C: Into<Verdict>,
        F: FnMut(&E) -> C,
    {
        self.classifier(ByError(classify))
    }

    /// Asks `classify` whether a returned value is a failure after all, as a response with status
    /// 503 is. The error of the call then carries the last such value
    /// ([`Last::Value`](crate::Last::Value)).
    #[inline]
    pub fn classify_value<T, C, F>(
        self,
        classify: F,
    ) -> Retry<'a, X, Classifier<K, ByValue<F>, H, S>>
    where
        C: Into<Verdict>,
        F: FnMut(&T) -> Option<C>,
    {
        let Classifier { errors, hook, text, .. } = self.classifier;
        let classifier = Classifier { errors, values: ByValue(classify), hook, text };
        Retry { engine: self.engine, classifier }
    }

    /// Classifies errors, and values unless [`classify_value`](Self::classify_value) is set,
    /// with a value of your own type; it must implement
    /// [`Classify`](crate::classify::Classify).
    #[inline]
    pub fn classifier<C>(self, classifier: C) -> Retry<'a, X, Classifier<C, V, H, S>> {
        let Classifier { values, hook, text, .. } = self.classifier;
        let classifier = Classifier { errors: classifier, values, hook, text };
        Retry { engine: self.engine, classifier }
    }

    /// Runs `hook` after each delay, before the next attempt: to recover a bus, renew a
    /// connection, refresh credentials. The hook gets the attempt that failed and its result: the
    /// error, the value, or [`Last::Timeout`](crate::Last::Timeout). `ControlFlow::Break(())`
    /// ends the call with [`StopReason::Aborted`](crate::StopReason::Aborted) and the last error.
    /// A call that is [resumed](Self::resume) makes its next attempt without the hook, because a
    /// snapshot does not hold the result of the failed attempt.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use core::ops::ControlFlow;
    /// use redress::random::NoRandom;
    /// use redress::testing::MockClock;
    /// use redress::{Backoff, Duration, ErrorClass, Last, Policy, policy};
    /// const BUS: Policy =
    ///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(5))) };
    /// let (clock, mut recovered, mut stuck) = (MockClock::new(), 0, true);
    /// let value = BUS
    ///     .on(&clock, NoRandom)
    ///     .classify(|_: &&str| ErrorClass::Transient)
    ///     .before_retry(|_, last: &Last<&str>| {
    ///         if *last == Last::Error("no acknowledge") {
    ///             recovered += 1;
    ///         }
    ///         ControlFlow::Continue(())
    ///     })
    ///     .call(|_| if core::mem::take(&mut stuck) { Err("no acknowledge") } else { Ok(21) });
    /// assert_eq!((value, recovered), (Ok(21), 1));
    /// # }
    /// ```
    #[inline]
    pub fn before_retry<E, R, F>(self, hook: F) -> Retry<'a, X, Classifier<K, V, BeforeRetry<F>, S>>
    where
        F: FnMut(&AttemptContext<'_>, &Last<E, R>) -> ControlFlow<()>,
    {
        let Classifier { errors, values, text, .. } = self.classifier;
        let classifier = Classifier { errors, values, hook: BeforeRetry(hook), text };
        Retry { engine: self.engine, classifier }
    }

    /// As [`before_retry`](Self::before_retry), for an `async` hook. The deadline of the call
    /// ends a hook that is still running. A blocking driver cannot await the hook, so this is a
    /// compile error:
    ///
    /// ```compile_fail
    /// # use core::{cell::Cell, ops::ControlFlow};
    /// # use redress::random::NoRandom;
    /// # use redress::{Last, Policy};
    /// # let clock = redress::testing::MockClock::new();
    /// const ONCE: Policy = Policy::once();
    /// let mut retry = ONCE
    ///     .on(&clock, NoRandom)
    ///     .classify(|_: &()| redress::ErrorClass::Transient)
    ///     .before_retry_async(async |_, _: &Last<()>| ControlFlow::Continue(()));
    /// let _ = retry.call(|_| Ok(()));
    /// ```
    #[inline]
    pub fn before_retry_async<E, R, F>(
        self,
        hook: F,
    ) -> Retry<'a, X, Classifier<K, V, BeforeRetryAsync<F>, S>>
    where
        F: AsyncFnMut(&AttemptContext<'_>, &Last<E, R>) -> ControlFlow<()>,
    {
        let Classifier { errors, values, text, .. } = self.classifier;
        let classifier = Classifier { errors, values, hook: BeforeRetryAsync(hook), text };
        Retry { engine: self.engine, classifier }
    }

    /// Adds the text of an error to events ([`Event::text`](crate::Event::text)), as `write`
    /// writes it. Nothing is formatted until an observer prints the text. Without `error_text`,
    /// [`show_errors`](Self::show_errors) or [`debug_errors`](Self::debug_errors) no formatting
    /// code is linked.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use redress::random::NoRandom;
    /// use redress::testing::MockClock;
    /// use redress::{ErrorClass, Policy};
    /// const ONCE: Policy = Policy::once();
    /// let (clock, mut log) = (MockClock::new(), Vec::new());
    /// let _ = ONCE
    ///     .on(&clock, NoRandom)
    ///     .classify(|_: &u16| ErrorClass::ServerError)
    ///     .error_text(|code, f| write!(f, "status {code}"))
    ///     .on_event(|event| log.extend(event.text.map(|text| text.to_string())))
    ///     .call(|_| Err::<(), u16>(503));
    /// assert_eq!(log, ["status 503"]);
    /// # }
    /// ```
    #[inline]
    pub fn error_text<E, F>(self, write: F) -> Retry<'a, X, Classifier<K, V, H, WrittenBy<F>>>
    where
        F: Fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result,
    {
        self.with_text(WrittenBy(write))
    }

    /// As [`error_text`](Self::error_text), with the [`Display`](fmt::Display) form of the error.
    #[inline]
    pub fn show_errors(self) -> Retry<'a, X, Classifier<K, V, H, Shown>> {
        self.with_text(Shown)
    }

    /// As [`error_text`](Self::error_text), with the [`Debug`](fmt::Debug) form of the error.
    #[inline]
    pub fn debug_errors(self) -> Retry<'a, X, Classifier<K, V, H, Debugged>> {
        self.with_text(Debugged)
    }

    #[inline]
    fn with_text<N>(self, text: N) -> Retry<'a, X, Classifier<K, V, H, N>> {
        let Classifier { errors, values, hook, .. } = self.classifier;
        Retry { engine: self.engine, classifier: Classifier { errors, values, hook, text } }
    }
}

impl<'a, X: Slots, K> Retry<'a, X, K> {
    /// Calls go through this breaker: a reference to a [`Breaker`](crate::Breaker) behind a lock
    /// ([`Shared`](crate::Shared)), an `Arc` of that (feature `std`), or an entry of a
    /// [`Keyed`](crate::Keyed) map ([`by_key`](crate::by_key)).
    #[inline]
    pub fn breaker<G: Gate>(self, breaker: G) -> Retry<'a, WithBreaker<X, G>, K> {
        replace!(self, breaker: |_| breaker)
    }

    /// Each retry takes a token (one retry) from this budget: a reference to a
    /// [`RollingBudget`](crate::RollingBudget) or [`RatioBudget`](crate::RatioBudget) behind a
    /// lock ([`Shared`](crate::Shared)), an `Arc` of that (feature `std`), or an entry of a
    /// [`Keyed`](crate::Keyed) map ([`by_key`](crate::by_key)).
    #[inline]
    pub fn budget<Q: Pool>(self, budget: Q) -> Retry<'a, WithBudget<X, Q>, K> {
        replace!(self, budget: |_| budget)
    }

    /// Asks this rate limiter before each attempt, the first included: a reference to a
    /// [`Limit`](crate::budget::Limit) behind a lock, an `Arc` of that (feature `std`), or an
    /// entry of a [`Keyed`](crate::Keyed) map.
    ///
    /// An attempt costs 1 and waits until it fits. For other costs, or to defer or reject the
    /// call instead of waiting, make a [`Limited`] yourself and set it with
    /// [`budget`](Self::budget). Set the budget before the limiter, which wraps it.
    #[inline]
    pub fn limiter<L: Acquire>(
        self,
        limiter: L,
    ) -> Retry<'a, WithBudget<X, Limited<X::Budget, L>>, K> {
        replace!(self, budget: |budget| Limited::new(budget, limiter))
    }

    /// Notifies this observer of the events and attempts of these calls, after the observers that
    /// were set before.
    ///
    /// A change of the breaker is an event of the call that caused it: only the observer of that
    /// call is notified of `circuit_opened`, `circuit_half_open` and `circuit_closed`. The
    /// breaker itself has no hook. To log when a shared breaker opens, set an observer on every
    /// `Retry` that uses the breaker.
    #[inline]
    pub fn observer<N: Observers>(
        self,
        observer: N,
    ) -> Retry<'a, WithObserver<X, (X::Observer, N)>, K> {
        replace!(self, observer: |first| (first, observer))
    }

    /// Notifies this closure of every event. For events of a shared breaker see
    /// [`observer`](Self::observer): only the call that caused the change is notified.
    #[inline]
    pub fn on_event<F>(self, hook: F) -> Retry<'a, WithObserver<X, (X::Observer, OnEvent<F>)>, K>
    where
        F: FnMut(&Event<'_>),
    {
        self.observer(OnEvent(hook))
    }

    /// Aborts the call when `predicate` returns true. The predicate is asked before each attempt,
    /// after a failure and before a sleep, never after a success.
    #[inline]
    pub fn abort_if<F>(self, predicate: F) -> Retry<'a, WithControl<X, AbortIf<X::Control, F>>, K>
    where
        F: FnMut() -> bool,
    {
        replace!(self, control: |inner| AbortIf { inner, predicate })
    }

    /// Asks `handler` before each sleep whether to sleep, to defer the retry, or to abort the
    /// call.
    ///
    /// The handler is also asked about a delay that does not fit before the deadline, with its
    /// full length. Returning [`SleepDecision::Defer`](crate::driver::SleepDecision::Defer) ends
    /// the call with [`StopReason::Scheduled`](crate::StopReason::Scheduled). The handler is not
    /// asked about a wait for a rate limiter: see [`WhenLimited`](crate::budget::WhenLimited).
    #[inline]
    pub fn sleep_handler<F>(
        self,
        handler: F,
    ) -> Retry<'a, WithControl<X, SleepHandler<X::Control, F>>, K>
    where
        F: FnMut(&BackoffContext, Duration) -> SleepDecision,
    {
        replace!(self, control: |inner| SleepHandler { inner, handler })
    }

    /// Calls `hook` before each sleep, with its delay. Not called for a delay of zero, for a
    /// retry that is deferred or aborted, or for a wait for a rate limiter.
    #[inline]
    pub fn before_sleep<F>(
        self,
        hook: F,
    ) -> Retry<'a, WithControl<X, BeforeSleep<X::Control, F>>, K>
    where
        F: FnMut(&BackoffContext, Duration),
    {
        replace!(self, control: |inner| BeforeSleep { inner, hook })
    }

    /// A deadline for each of these calls, in place of the policy's; [`Duration::MAX`] for none.
    /// Of two deadlines that are set for a call the earlier one holds.
    /// If this deadline is shorter than the policy's and ends an attempt, the breaker does not
    /// count that as a failure. A blocking driver ends no attempt: a failure that comes after
    /// this deadline counts as any other.
    #[inline]
    pub fn deadline(self, deadline: Duration) -> Retry<'a, WithControl<X, Within<X::Control>>, K> {
        replace!(self, control: |inner| Within { inner, deadline })
    }

    /// Sets a [`Control`](crate::driver::Control) of your own type in place of
    /// [`abort_if`](Self::abort_if), [`sleep_handler`](Self::sleep_handler),
    /// [`before_sleep`](Self::before_sleep) and [`deadline`](Self::deadline). Those that were set
    /// before are dropped.
    #[inline]
    pub fn control<N: Control>(self, control: N) -> Retry<'a, WithControl<X, N>, K> {
        replace!(self, control: |_| control)
    }

    /// The name of the operation that events carry, `"GET /orders"` for instance.
    #[inline]
    pub fn operation(mut self, operation: &'a str) -> Self {
        self.engine.operation = operation;
        self
    }

    /// A copy of this `Retry` for another operation. Hooks that are added to the copy do not
    /// change the original.
    #[inline]
    pub fn context(&self, operation: &'a str) -> Self
    where
        Self: Clone,
    {
        self.clone().operation(operation)
    }

    /// The policy.
    #[inline]
    pub fn policy(&self) -> &Policy
    where
        X::Policy: Settings<Policy>,
    {
        self.engine.policy.settings()
    }
}
