//! Sessions on the clock of embassy: a connect that hangs, a connection that is up for long.

mod virtual_time;

use core::cell::{Cell, RefCell};
use core::future::pending;
use core::pin::pin;
use core::task::{Context, Waker};

use embassy_time::{MockDriver, Timer};
use redress::breaker::FailureTimes;
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::session::{Link, SessionConfig, SessionState};
use redress::{
    Attempt, Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Last, Policy,
    StopReason, checked, policy,
};
use redress_embassy::EmbassyTime;

const MS: fn(u64) -> Duration = Duration::from_millis;

const LINK: Policy = policy! {
    Policy::builder()
        .max_attempts(100)
        .attempt_timeout(Duration::from_millis(5))
        .backoff(Backoff::constant(Duration::from_millis(20)))
};

const CONFIG: SessionConfig = SessionConfig::new().healthy_after(Duration::from_millis(30));

/// Moves the time microsecond by microsecond until the future is done.
fn run<F: Future>(future: F) -> F::Output {
    virtual_time::run(embassy_time::Duration::from_micros(1), future)
}

fn millis() -> u64 {
    EmbassyTime.now().as_micros() / 1_000
}

#[test]
fn a_connect_that_hangs_is_ended_and_a_connection_that_is_up_is_not() {
    let _turn = virtual_time::turn();
    let (connects, buffer) = (RefCell::new(Vec::new()), &mut [0_u8; 4]);
    let states = RefCell::new(Vec::new());
    let mut retry = LINK.on(EmbassyTime, NoRandom).classify(|(): &()| ErrorClass::Transient);
    let session =
        retry.session(CONFIG).on_state(|state| states.borrow_mut().push((millis(), state)));
    let ended = run(session.run_async(async |attempt: Attempt, link: &Link| {
        // What a connection borrows lives as long as the connection.
        let socket: &mut [u8; 4] = buffer;
        socket[0] += 1;
        connects.borrow_mut().push((millis(), attempt.number));
        match socket[0] {
            1 => pending().await,
            2 => {
                Timer::after_millis(3).await;
                link.up();
                Timer::after_millis(100).await;
                Err(())
            }
            _ => Ok(socket[0]),
        }
    }));
    assert_eq!(ended, Ok(3));
    assert_eq!(*connects.borrow(), [(0, 1), (25, 2), (128, 1)]);
    assert_eq!(
        *states.borrow(),
        [
            (0, SessionState::Connecting(1)),
            (5, SessionState::Waiting(MS(20))),
            (25, SessionState::Connecting(2)),
            (28, SessionState::Up),
            (58, SessionState::Healthy),
            (128, SessionState::Connecting(1)),
            (128, SessionState::Closed),
        ]
    );
}

#[test]
fn a_breaker_closes_while_the_connection_is_up_and_a_dropped_session_frees_its_probe() {
    type Circuit = Breaker<FailureTimes<1>>;
    const RULE: BreakerConfig<redress::breaker::FailureRule> =
        BreakerConfig::failures(1, Duration::from_secs(60))
            .recovery_timeout(Duration::from_millis(50));

    let _turn = virtual_time::turn();
    let breaker = RefCell::new(checked!(Circuit::new(&RULE)));
    let state = || breaker.borrow().state();
    let mut retry =
        LINK.on(EmbassyTime, NoRandom).classify(|class: &ErrorClass| *class).breaker(&breaker);
    let ended = run(retry.session(CONFIG).run_async(async |_, link: &Link| {
        link.up();
        Err::<(), _>(ErrorClass::Permanent)
    }));
    assert_eq!(ended.unwrap_err().stop_reason(), Some(StopReason::NonRetryableClass));
    breaker.borrow_mut().trip(EmbassyTime.now());

    {
        // It waits for the breaker, connects, and is up for ever.
        let session = retry.session(CONFIG);
        let mut session = pin!(session.run_async(async |_, link: &Link| {
            assert_eq!(state(), CircuitState::HalfOpen);
            link.up();
            pending::<Result<(), ErrorClass>>().await
        }));
        let mut context = Context::from_waker(Waker::noop());
        let mut seen = Vec::new();
        for _ in 0..90 {
            assert!(session.as_mut().poll(&mut context).is_pending());
            seen.push(state());
            MockDriver::get().advance(embassy_time::Duration::from_millis(1));
        }
        assert_eq!(seen[49], CircuitState::Open);
        assert!(seen[50..80].iter().all(|state| *state == CircuitState::HalfOpen), "{seen:?}");
        assert_eq!(seen[80], CircuitState::Closed);
    }

    breaker.borrow_mut().trip(EmbassyTime.now());
    MockDriver::get().advance(embassy_time::Duration::from_millis(50));
    {
        let session = retry.session(CONFIG);
        let mut connecting = pin!(
            session.run_async(async |_, _: &Link| { pending::<Result<(), ErrorClass>>().await })
        );
        let mut context = Context::from_waker(Waker::noop());
        assert!(connecting.as_mut().poll(&mut context).is_pending());
        assert!(breaker.borrow().check(EmbassyTime.now()).is_err(), "its probe runs");
    }
    assert!(breaker.borrow().check(EmbassyTime.now()).is_ok(), "and is free again");
}

#[test]
fn a_bus_is_recovered_between_connects_and_the_deadline_ends_that() {
    let _turn = virtual_time::turn();
    let (hooks, connects) = (Cell::new(0), Cell::new(0));
    let mut retry = LINK
        .on(EmbassyTime, NoRandom)
        .deadline(MS(60))
        .classify(|(): &()| ErrorClass::Transient)
        .before_retry_async(async |_, _: &Last<()>| {
            hooks.set(hooks.get() + 1);
            if hooks.get() == 2 {
                pending::<()>().await;
            }
            core::ops::ControlFlow::Continue(())
        });
    let session = retry.session(CONFIG.pause(Duration::ZERO));
    let ended = run(session.run_async(async |_, _: &Link| {
        connects.set(connects.get() + 1);
        Err::<(), _>(())
    }));
    assert_eq!(ended.unwrap_err().stop_reason(), Some(StopReason::DeadlineExceeded));
    assert_eq!((hooks.get(), connects.get(), millis()), (2, 2, 60));
}
