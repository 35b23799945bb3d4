//! Connections that are made again whenever they break.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::event::CircuitState;
use redress::random::{NoRandom, from_fn};
use redress::session::{SessionConfig, SessionState, SessionStep};
use redress::testing::{MockClock, Recorder};
use redress::time::Sleep;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, Error, ErrorClass, EventKind, Last, Policy,
    RollingBudget, StopReason,
};

use crate::{each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DOWN: Result<(), ErrorClass> = Err(ErrorClass::Transient);

fn doubling() -> Policy {
    let backoff = Backoff::exponential(SECOND, Duration::from_secs(60));
    Policy::builder().max_attempts(1_000).no_deadline().backoff(backoff).build().unwrap()
}

/// When each connect of a session began, in seconds.
#[derive(Default)]
struct Connects(RefCell<Vec<u64>>);

impl Connects {
    fn note(&self, clock: &MockClock) -> usize {
        self.0.borrow_mut().push(clock.elapsed().as_secs());
        self.0.borrow().len()
    }
}

#[test]
fn a_peer_that_accepts_and_drops_is_asked_less_and_less_often() {
    let (clock, policy, connects) = (MockClock::new(), doubling(), Connects::default());
    let ended = on(&policy, &clock).session(SessionConfig::new()).run(|_, link| {
        connects.note(&clock);
        if clock.elapsed() > Duration::from_secs(600) {
            return Ok(());
        }
        link.up();
        DOWN
    });
    assert_eq!(ended, Ok(()));
    let connects = connects.0.into_inner();
    assert_eq!(connects[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
    for start in connects.iter().filter(|at| **at >= 60) {
        let within = connects.iter().filter(|at| (*start..*start + 60).contains(*at));
        assert!(within.count() <= 12);
    }
}

#[test]
fn the_backoff_begins_anew_only_after_a_healthy_connection() {
    let (clock, policy, connects) = (MockClock::new(), doubling(), Connects::default());
    let numbers = RefCell::new(Vec::new());
    let ended = on(&policy, &clock).session(SessionConfig::new()).run(|attempt, link| {
        let nth = connects.note(&clock);
        numbers.borrow_mut().push(attempt.number);
        let up = match nth {
            // Too short by a microsecond.
            3 => Duration::from_micros(29_999_999),
            5 => Duration::from_secs(30),
            7 => return Ok(()),
            _ => return DOWN,
        };
        link.up();
        clock.advance(up);
        DOWN
    });
    assert_eq!(ended, Ok(()));
    assert_eq!(*numbers.borrow(), [1, 2, 3, 4, 5, 1, 2]);
    // After the third it waits 4 s and after the fourth 8; after the fifth it begins anew.
    assert_eq!(*connects.0.borrow(), [0, 1, 3, 36, 44, 74, 75]);
}

#[test]
fn the_time_that_a_connection_is_up_is_part_of_neither_attempt_nor_deadline() {
    let policy = each_second()
        .max_attempts(1_000)
        .attempt_timeout(Duration::from_secs(5))
        .deadline(Duration::from_secs(10));
    let (policy, clock) = (policy.build().unwrap(), MockClock::new());
    let mut runs = 0;
    let config = SessionConfig::new().healthy_after(HOUR).pause(Duration::ZERO);
    let ended = on(&policy, &clock).session(config).run(|attempt, link| {
        runs += 1;
        clock.advance(SECOND);
        link.up();
        // Up for longer than both, with a class that a late failure would lose.
        clock.advance(Duration::from_secs(3_000));
        assert_eq!(attempt.remaining.as_secs(), 12 - 2 * runs);
        Err::<(), _>(ErrorClass::ServerError)
    });
    let Err(Error::Exhausted(ended)) = ended else { panic!("{ended:?}") };
    assert_eq!(ended.stop_reason, StopReason::DeadlineExceeded);
    assert_eq!((runs, ended.last_class), (5, Some(ErrorClass::ServerError)));
}

#[test]
fn a_class_that_is_never_retried_ends_the_session_and_others_pause_it() {
    let policy = each_second().max_attempts(2).build().unwrap();
    let (clock, connects) = (MockClock::new(), Connects::default());
    let ended = on(&policy, &clock)
        .session(SessionConfig::new())
        .run(|_, _| if connects.note(&clock) < 6 { DOWN } else { Err(ErrorClass::Auth) });
    let Err(Error::Exhausted(ended)) = ended else { panic!("{ended:?}") };
    assert_eq!(ended.stop_reason, StopReason::NonRetryableClass);
    assert_eq!(ended.last, Some(Last::Error(ErrorClass::Auth)));
    assert_eq!(connects.0.into_inner(), [0, 1, 61, 62, 122, 123]);

    let config = SessionConfig::new().pause(Duration::ZERO);
    let ended = on(&policy, &clock).session(config).run(|_, _| DOWN);
    assert_eq!(ended.unwrap_err().stop_reason(), Some(StopReason::MaxAttemptsGlobal));
}

#[test]
fn a_hint_that_is_longer_than_the_pause_is_waited_for() {
    let policy = Policy::builder()
        .deadline(Duration::from_secs(10))
        .backoff(Backoff::retry_after(Duration::ZERO))
        .build()
        .unwrap();
    let (clock, connects) = (MockClock::new(), Connects::default());
    let classify = |seconds: &u64| {
        redress::Classification::new(ErrorClass::RateLimit)
            .retry_after(Duration::from_secs(*seconds))
    };
    let mut retry = policy.on(&clock, NoRandom).classify(classify);
    let ended = retry
        .session(SessionConfig::new())
        .run(|_, _| if connects.note(&clock) == 1 { Err(3_600) } else { Ok(()) });
    assert_eq!(ended, Ok(()));
    assert_eq!(connects.0.into_inner(), [0, 3_600]);
}

#[test]
fn connects_are_spread_before_the_first_and_after_a_healthy_connection() {
    let (clock, policy) = (MockClock::new(), doubling());
    let connects = RefCell::new(Vec::new());
    let draws = Cell::new(0);
    let random = from_fn(|| {
        draws.set(draws.get() + 1);
        1 << 31
    });
    let mut retry = policy.on(&clock, random).classify(|class: &ErrorClass| *class);
    let config = SessionConfig::new().spread(Duration::from_secs(8));
    let ended = retry.session(config).run(|_, link| {
        connects.borrow_mut().push(clock.elapsed().as_secs());
        match connects.borrow().len() {
            1 => DOWN,
            2 => {
                link.up();
                clock.advance(HOUR);
                DOWN
            }
            _ => Ok(()),
        }
    });
    assert_eq!(ended, Ok(()));
    assert_eq!((*connects.borrow()).as_slice(), [4, 5, 3_609]);
    assert_eq!(draws.get(), 2);
}

const RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(60));

#[test]
fn an_open_breaker_is_waited_for_and_closes_when_the_connection_is_healthy() {
    type Circuit = Breaker<FailureTimes<1>>;
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let breaker = RefCell::new(Circuit::new(&RULE).unwrap());
    let mut states = Vec::new();
    let mut retry = on(&policy, &clock).breaker(&breaker);
    // No pause: an open breaker ends nothing.
    let config = SessionConfig::new().pause(Duration::from_micros(1));
    let mut steps = retry.session_steps(config);
    for _ in 0..2 {
        while let Ok(SessionStep::Wait(span)) = steps.next() {
            clock.advance(span);
        }
        steps.broke(ErrorClass::Transient);
    }
    assert_eq!(breaker.borrow().state(), CircuitState::Open);
    let mut waits = Duration::ZERO;
    while let Ok(SessionStep::Wait(span)) = steps.next() {
        waits = waits.saturating_add(span);
        clock.advance(span);
    }
    assert_eq!(waits, Duration::from_secs(30));
    assert_eq!(breaker.borrow().state(), CircuitState::HalfOpen);
    steps.up();
    states.push(steps.state());
    assert_eq!(breaker.borrow().state(), CircuitState::HalfOpen, "it may still be dropped");
    clock.advance(steps.check().unwrap());
    assert_eq!(steps.check(), None);
    states.push(steps.state());
    assert_eq!(states, [SessionState::Up, SessionState::Healthy]);
    assert_eq!(breaker.borrow().state(), CircuitState::Closed);

    // A connect that is dropped frees its probe.
    breaker.borrow_mut().trip(clock.now());
    clock.advance(Duration::from_secs(30));
    steps.broke(ErrorClass::Transient);
    assert!(matches!(steps.next(), Ok(SessionStep::Connect(_))));
    drop(steps);
    assert!(breaker.borrow().check(clock.now()).is_ok());
}

#[test]
fn an_isolated_breaker_pauses_a_session_or_ends_it() {
    type Circuit = Breaker<FailureTimes<1>>;
    let (policy, clock) = (doubling(), MockClock::new());
    let breaker = RefCell::new(Circuit::new(&RULE).unwrap());
    breaker.borrow_mut().isolate();
    let mut retry = on(&policy, &clock).breaker(&breaker);
    let ended = retry.session(SessionConfig::new().pause(Duration::ZERO)).run(|_, _| DOWN);
    assert!(matches!(ended, Err(Error::CircuitOpen(rejection)) if rejection.retry_after.is_none()));

    let mut steps = retry.session_steps(SessionConfig::new());
    assert_eq!(steps.next(), Ok(SessionStep::Wait(Duration::from_secs(60))));
    breaker.borrow_mut().reset();
    clock.advance(Duration::from_secs(60));
    assert!(matches!(steps.next(), Ok(SessionStep::Connect(_))));
}

#[test]
fn connects_are_taken_from_the_budget() {
    let policy = each_second().max_attempts(1_000).no_deadline().build().unwrap();
    let (clock, connects) = (MockClock::new(), Connects::default());
    const CONFIG: RollingConfig = RollingConfig::new(2, Duration::from_secs(100));
    let budget = RefCell::new(RollingBudget::<2>::new(&CONFIG).unwrap());
    let mut retry = on(&policy, &clock).budget(&budget);
    let ended = retry
        .session(SessionConfig::new())
        .run(|_, _| if connects.note(&clock) < 6 { DOWN } else { Ok(()) });
    assert_eq!(ended, Ok(()));
    // Two retries, a pause, a series whose retry is refused, a pause, two retries.
    assert_eq!(connects.0.into_inner(), [0, 1, 2, 62, 122, 123]);
}

#[test]
fn a_hook_runs_before_a_connect_that_follows_a_failure() {
    let (clock, policy, connects) = (MockClock::new(), doubling(), Connects::default());
    let hooks = RefCell::new(Vec::new());
    let mut retry = on(&policy, &clock).before_retry(|attempt, _: &Last<ErrorClass>| {
        hooks.borrow_mut().push((attempt.attempt, clock.elapsed().as_secs()));
        if hooks.borrow().len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let ended = retry.session(SessionConfig::new()).run(|_, link| {
        if connects.note(&clock) == 2 {
            link.up();
            clock.advance(HOUR);
        }
        DOWN
    });
    assert_eq!(ended.unwrap_err().stop_reason(), Some(StopReason::Aborted));
    // None after the healthy one.
    assert_eq!(*hooks.borrow(), [(1, 1), (1, 3_602), (2, 3_604)]);
}

/// A clock whose sleep takes an hour longer than it was told.
struct Oversleeps<'c>(&'c MockClock);

impl Clock for Oversleeps<'_> {
    fn now(&self) -> redress::Instant {
        self.0.now()
    }
}

impl Sleep for Oversleeps<'_> {
    fn sleep(&mut self, span: Duration) {
        self.0.advance(span.saturating_add(HOUR));
    }
}

#[test]
fn no_hook_runs_after_the_deadline() {
    let (clock, policy, hooks) = (MockClock::new(), each_second().build().unwrap(), Cell::new(0));
    let mut retry = policy
        .on(Oversleeps(&clock), NoRandom)
        .classify(|class: &ErrorClass| *class)
        .before_retry(|_, _: &Last<ErrorClass>| {
            hooks.set(hooks.get() + 1);
            ControlFlow::Continue(())
        });
    let ended = retry.session(SessionConfig::new().pause(Duration::ZERO)).run(|_, _| DOWN);
    assert_eq!(ended.unwrap_err().stop_reason(), Some(StopReason::DeadlineExceeded));
    assert_eq!(hooks.get(), 0);
}

#[test]
fn an_observer_is_notified_of_connects_and_of_a_healthy_connection_that_broke() {
    let (clock, policy, connects) = (MockClock::new(), doubling(), Connects::default());
    let mut recorder = Recorder::<16>::new();
    let mut retry = on(&policy, &clock).observer(&mut recorder);
    let ended = retry.session(SessionConfig::new()).run(|_, link| match connects.note(&clock) {
        1 => DOWN,
        2 => {
            link.up();
            clock.advance(HOUR);
            DOWN
        }
        _ => Ok(()),
    });
    assert_eq!(ended, Ok(()));
    drop(retry);
    let kinds = [EventKind::Retry, EventKind::Success, EventKind::Retry, EventKind::Success];
    assert_eq!(recorder.kinds(), kinds);
    assert_eq!(recorder.events()[2].class, Some(ErrorClass::Transient));
    assert_eq!(recorder.started(), 3);
}

#[test]
fn a_session_shows_its_state() {
    let (clock, policy, connects) = (MockClock::new(), doubling(), Connects::default());
    let states = RefCell::new(Vec::new());
    let mut retry = on(&policy, &clock);
    let session = retry.session(SessionConfig::new());
    let ended = session
        .on_state(|state| states.borrow_mut().push(state))
        .run(|_, _| if connects.note(&clock) == 1 { DOWN } else { Err(ErrorClass::Permanent) });
    assert!(ended.is_err());
    assert_eq!(
        *states.borrow(),
        [
            SessionState::Connecting(1),
            SessionState::Waiting(SECOND),
            SessionState::Connecting(2),
            SessionState::Over(StopReason::NonRetryableClass),
        ]
    );
}

/// What is done out of order is no reason to panic or to hang.
#[test]
fn steps_out_of_order_change_nothing_or_count_as_broken() {
    let (clock, policy) = (MockClock::new(), doubling());
    let mut retry = on(&policy, &clock);
    let mut steps = retry.session_steps(SessionConfig::new());
    steps.up();
    steps.broke(ErrorClass::Auth);
    assert_eq!((steps.check(), steps.state()), (None, SessionState::Waiting(Duration::ZERO)));
    assert!(matches!(steps.next(), Ok(SessionStep::Connect(_))));
    // Asked again without a word of how it went.
    assert_eq!(steps.next(), Ok(SessionStep::Wait(SECOND)));
    // A clock that is set back lengthens no wait.
    clock.advance(SECOND);
    clock.jump_to(redress::Instant::ZERO);
    assert_eq!(steps.next(), Ok(SessionStep::Wait(SECOND)));
    clock.advance(SECOND);
    assert!(matches!(steps.next(), Ok(SessionStep::Connect(attempt)) if attempt.number == 2));
    steps.up();
    steps.up();
    steps.close();
}
