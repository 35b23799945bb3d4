//! All that a call meets: a clock, operations that end in any way, hooks that say anything; and
//! what must hold meanwhile.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use redress::backoff::BackoffContext;
use redress::classify::{Classify, Verdict};
use redress::driver::{Control, SleepDecision};
use redress::event::AttemptContext;
use redress::random::Draw;
use redress::time::{Sleep, Timer};
use redress::{
    Attempt, Classification, Clock, Duration, ErrorClass, Event, EventKind, Instant, Observer,
    StopReason,
};

use crate::policies::Limits;
use crate::{Input, LAST, at, us};

/// 146,000 years.
const AGES: u64 = 1 << 62;

pub struct World<'i> {
    pub input: RefCell<Input<'i>>,
    pub limits: Limits,
    pub now: Cell<u64>,
    /// Whether the clock may be set back.
    pub is_set_back: bool,
    /// The deadline of the call, which is not followed after the call was suspended.
    deadline: Cell<Option<u64>>,
    was_suspended: Cell<bool>,
    /// The deadline that the call has by itself.
    pub own: Option<Duration>,
    /// The readings until the call begins.
    pub until_begin: Cell<u32>,
    seen: Cell<u64>,
    pub elapsed: Cell<u64>,
    failures: Cell<[u64; ErrorClass::COUNT]>,
    pub starts: Cell<u32>,
    ends: Cell<u32>,
    last: Cell<Option<(EventKind, Option<StopReason>)>>,
    finals: Cell<u32>,
}

impl<'i> World<'i> {
    pub fn new(mut input: Input<'i>, limits: Limits) -> Self {
        Self {
            limits,
            now: Cell::new(input.moment() >> 3),
            is_set_back: input.any(),
            deadline: Cell::new(limits.deadline),
            was_suspended: Cell::new(false),
            own: input.one_in(4).then(|| input.deadline()),
            until_begin: Cell::new(0),
            seen: Cell::new(0),
            elapsed: Cell::new(0),
            failures: Cell::default(),
            starts: Cell::new(0),
            ends: Cell::new(0),
            last: Cell::new(None),
            finals: Cell::new(0),
            input: RefCell::new(input),
        }
    }

    /// A call begins after so many readings of the clock.
    pub fn begin(&self, until_begin: u32) {
        self.until_begin.set(until_begin);
        let own = self.own.map(Duration::as_micros);
        let deadline = own.or(self.limits.deadline).filter(|deadline| *deadline < u64::MAX);
        self.deadline.set(deadline);
        self.elapsed.set(0);
        self.failures.set([0; ErrorClass::COUNT]);
        self.starts.set(0);
        self.was_suspended.set(false);
        self.expect_end();
    }

    /// A call that was suspended goes on.
    pub fn resume(&self) {
        self.deadline.set(None);
        self.was_suspended.set(true);
        self.expect_end();
    }

    fn expect_end(&self) {
        self.ends.set(self.starts.get());
        self.finals.set(0);
        self.last.set(None);
    }

    /// Time passes, perhaps backwards.
    fn pass(&self) {
        let mut input = self.input.borrow_mut();
        let (now, span) = (self.now.get(), input.micros() >> 8);
        let now = match input.below(4) {
            0 if self.is_set_back => now.saturating_sub(span),
            1 => now,
            _ => now.saturating_add(span).min(LAST),
        };
        self.now.set(now);
    }

    fn is_late(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| self.elapsed.get() > deadline)
    }

    fn slept(&self, span: Duration) {
        let ends = self.elapsed.get().saturating_add(span.as_micros());
        assert!(
            span.is_zero() || self.deadline.get().is_none_or(|deadline| ends <= deadline),
            "sleeps for {span} beyond the deadline"
        );
        self.now.set(self.now.get().saturating_add(span.as_micros()).min(LAST));
        if self.input.borrow_mut().one_in(4) {
            self.pass();
        }
    }

    /// What comes of an attempt: nothing, if it is to be ended at its timeout.
    pub fn attempt(&self, attempt: Attempt) -> Option<Result<u8, Classification>> {
        let number = self.starts.get();
        assert_eq!(attempt.number, number);
        assert!(number <= self.limits.attempts, "attempt {number}");
        let mut timeout = us(self.limits.timeout);
        if !self.was_suspended.get() {
            let left = |deadline: u64| us(deadline.saturating_sub(self.elapsed.get()));
            let left = self.deadline.get().map_or(Duration::MAX, left);
            timeout = timeout.min(left);
            assert_eq!((attempt.remaining, attempt.timeout), (left, timeout));
        }
        assert!(number == 1 || !self.is_late(), "attempt {number} starts after the deadline");
        let failures = self.failures.get();
        let is_over = |(failures, most): (u64, u64)| failures > most;
        let over = failures.into_iter().zip(self.limits.failures).any(is_over);
        assert!(!over, "{failures:?} do not allow attempt {number}");
        self.pass();
        let mut input = self.input.borrow_mut();
        match input.below(8) {
            0 => Some(Ok(0)),
            1 => Some(Ok(1)),
            2 if attempt.timeout < us(AGES) => None,
            _ => {
                let mut failure = Classification::new(input.class());
                if input.any() {
                    failure = failure.retry_after(input.span());
                }
                Some(Err(failure))
            }
        }
    }

    fn failed(&self, class: ErrorClass) {
        let mut failures = self.failures.get();
        failures[class as usize] += 1;
        self.failures.set(failures);
    }

    /// The call has ended so, or was suspended, which ends it in no way or with a delay that
    /// did not fit.
    pub fn ended(&self, how: Option<Result<(), Option<StopReason>>>) {
        let (finals, last) = (self.finals.get(), self.last.get());
        assert_eq!(self.starts.get(), self.ends.get(), "each attempt ends once");
        let Some(how) = how else {
            let scheduled = (EventKind::Scheduled, Some(StopReason::Scheduled));
            assert!(finals <= 1 && last.is_none_or(|last| last == scheduled), "{last:?}");
            return;
        };
        assert_eq!(finals, 1, "a call ends with one event, and not with {last:?}");
        let expected = match how {
            Ok(()) => (EventKind::Success, None),
            Err(None) => (EventKind::CircuitRejected, None),
            Err(Some(reason)) => (reason.event(), Some(reason)),
        };
        assert_eq!(last, Some(expected));
    }
}

impl Clock for &World<'_> {
    fn now(&self) -> Instant {
        if self.input.borrow_mut().one_in(8) {
            self.pass();
        }
        let now = self.now.get();
        match self.until_begin.get() {
            0 => {
                let span = now.saturating_sub(self.seen.get());
                self.elapsed.set(self.elapsed.get().saturating_add(span));
            }
            left => self.until_begin.set(left - 1),
        }
        self.seen.set(now);
        at(now)
    }
}

impl Sleep for &World<'_> {
    fn sleep(&mut self, span: Duration) {
        self.slept(span);
    }
}

impl Timer for &World<'_> {
    async fn sleep(&mut self, span: Duration) {
        self.slept(span);
    }
}

impl Draw for &World<'_> {
    fn draw(&mut self) -> Option<u32> {
        let mut input = self.input.borrow_mut();
        (!input.one_in(8)).then(|| input.any())
    }
}

impl Control for &World<'_> {
    const HAS_DEADLINE: bool = true;

    fn deadline(&self) -> Option<Duration> {
        self.own
    }

    /// After ages, too: no wait ends at the end of time.
    fn aborted(&mut self) -> bool {
        self.elapsed.get().max(self.now.get()) > AGES || self.input.borrow_mut().one_in(32)
    }

    fn sleep_decision(&mut self, _: &BackoffContext, _: Duration) -> SleepDecision {
        let mut input = self.input.borrow_mut();
        match input.below(24) {
            0 => SleepDecision::Abort,
            1 => SleepDecision::Defer,
            _ => SleepDecision::Sleep,
        }
    }
}

impl Classify<u8, Classification> for &World<'_> {
    type Rejected = u8;

    fn error(&mut self, error: &Classification) -> Verdict {
        if self.input.borrow_mut().one_in(32) {
            return Verdict::Abort;
        }
        Verdict::Failure(*error)
    }

    fn value(&mut self, value: u8) -> Result<u8, (u8, Verdict)> {
        if value > 0 { Err((value, ErrorClass::Transient.into())) } else { Ok(value) }
    }
}

impl World<'_> {
    /// The hook before a retry, which may take long and may stop the call.
    pub fn before_retry(&self) -> ControlFlow<()> {
        if self.input.borrow_mut().one_in(8) {
            self.pass();
        }
        let is_over = self.input.borrow_mut().one_in(32);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Observer for &World<'_> {
    fn event(&mut self, event: &Event<'_>) {
        use EventKind::{CircuitClosed, CircuitHalfOpen, CircuitOpened, CircuitRejected, Retry};
        let is_rejection = event.kind == CircuitRejected && event.stop_reason.is_none();
        let is_of_call = !is_rejection && event.kind != CircuitHalfOpen;
        if is_of_call && !self.was_suspended.get() && self.elapsed.get() <= AGES {
            assert_eq!(event.elapsed, us(self.elapsed.get()), "{event:?}");
        }
        match event.kind {
            CircuitOpened | CircuitHalfOpen | CircuitClosed => {}
            Retry => {
                assert_eq!(self.finals.get(), 0, "a retry after the end");
                assert_eq!(event.attempt, self.starts.get());
            }
            kind => {
                self.finals.set(self.finals.get() + 1);
                self.last.set(Some((kind, event.stop_reason)));
            }
        }
    }

    fn attempt_start(&mut self, attempt: &AttemptContext<'_>) {
        self.starts.set(self.starts.get() + 1);
        assert_eq!(attempt.attempt, self.starts.get());
    }

    fn attempt_end(&mut self, attempt: &AttemptContext<'_>) {
        self.ends.set(self.ends.get() + 1);
        assert_eq!(attempt.attempt, self.ends.get());
        if let Some(class) = attempt.class {
            self.failed(class);
        }
    }
}
