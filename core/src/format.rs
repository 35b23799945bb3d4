//! `defmt::Format` of the public types that hold what has no form of its own, such as a closure:
//! their names.

use crate::backoff::{Adaptive, Memory};
use crate::classify::{BeforeRetry, BeforeRetryAsync, ByError, ByValue, Classifier, WrittenBy};
use crate::driver::{AbortIf, BeforeSleep, Retry, SleepHandler, Slots, Within};
use crate::event::OnEvent;
use crate::keyed::ByKey;
use crate::lint::{Blocking, EachKey, Parts};
use crate::random::FromFn;
use crate::session::{BlockingLink, Link, Session, SessionSteps};
use crate::time::{FnClock, Widened, WithSleep};

macro_rules! by_name {
    ($([$($parameter:tt)*] $type:ty = $name:literal;)+) => {
        $(
            impl<$($parameter)*> defmt::Format for $type {
                fn format(&self, f: defmt::Formatter<'_>) {
                    defmt::write!(f, $name);
                }
            }
        )+
    };
}

by_name! {
    [H, F] AbortIf<H, F> = "AbortIf";
    [H, F] BeforeSleep<H, F> = "BeforeSleep";
    [H, F] SleepHandler<H, F> = "SleepHandler";
    [F] BeforeRetry<F> = "BeforeRetry";
    [F] BeforeRetryAsync<F> = "BeforeRetryAsync";
    [F] ByError<F> = "ByError";
    [F] ByValue<F> = "ByValue";
    [F] FnClock<F> = "FnClock";
    [F] FromFn<F> = "FromFn";
    [F] OnEvent<F> = "OnEvent";
    [F] Widened<F> = "Widened";
    [F] WrittenBy<F> = "WrittenBy";
    [C, F] WithSleep<C, F> = "WithSleep";
    [S, K] ByKey<S, K> = "ByKey";
    [K, V, H, S] Classifier<K, V, H, S> = "Classifier";
    [L] Blocking<L> = "Blocking";
    [L] EachKey<L> = "EachKey";
    [M] Adaptive<M> = "Adaptive";
    [const N: usize] Memory<N> = "Memory";
    [] Parts = "Parts";
    [] BlockingLink<'_> = "BlockingLink";
    [] Link = "Link";
}

impl<X: crate::driver::Parts> defmt::Format for SessionSteps<'_, '_, X> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "SessionSteps({})", self.state());
    }
}

impl<X: crate::driver::Parts, K, S> defmt::Format for Session<'_, '_, X, K, S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Session({})", self.steps);
    }
}

impl<H> defmt::Format for Within<H> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Within({})", self.deadline);
    }
}

impl<X: Slots, K> defmt::Format for Retry<'_, X, K> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Retry({})", self.engine.operation);
    }
}

#[cfg(any(feature = "embedded-hal", feature = "embedded-hal-async"))]
by_name! {
    [C, D] crate::driver::WithDelay<C, D> = "WithDelay";
}

#[cfg(feature = "std")]
by_name! {
    [] crate::random::SystemRandom = "SystemRandom";
    [] crate::time::MonotonicClock = "MonotonicClock";
}

#[cfg(feature = "std")]
impl defmt::Format for crate::driver::BoxError {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", defmt::Display2Format(self));
    }
}

#[cfg(any(test, feature = "testing"))]
by_name! {
    [] crate::testing::FakeBreaker<'_> = "FakeBreaker";
    [] crate::testing::ScriptedRandom<'_> = "ScriptedRandom";
    [A, const N: usize] crate::testing::RecordingPolicy<A, N> = "RecordingPolicy";
    [const N: usize] crate::testing::Recorder<N> = "Recorder";
    [V, E, const N: usize, R] crate::testing::FakePolicy<V, E, N, R> = "FakePolicy";
    [V, E, const N: usize] crate::testing::Script<V, E, N> = "Script";
}

#[cfg(any(test, feature = "testing"))]
impl defmt::Format for crate::testing::MockClock {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "MockClock({})", crate::time::Clock::now(self));
    }
}
