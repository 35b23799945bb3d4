//! What becomes of the error of a call in programs that pass it on, and its text in events.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use redress::config::RetryConfig;
use redress::driver::BoxError;
use redress::random::NoRandom;
use redress::snapshot::Progress;
use redress::testing::{MockClock, Script};
use redress::{Backoff, Duration, Error, ErrorClass, EventKind, Last, Policy, RetryExhausted};

use crate::block_on;

const TRANSIENT: ErrorClass = ErrorClass::Transient;

type Boxed = Box<dyn StdError + Send + Sync>;

#[derive(Clone, Debug, PartialEq)]
struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the link is down")
    }
}

impl StdError for Down {}

/// A value that has no `Debug`, no `Display`, and may not cross threads.
struct Opaque(#[expect(dead_code, reason = "it makes the type what it is")] *const u8);

fn twice() -> RetryConfig {
    Policy::builder().max_attempts(2).backoff(Backoff::constant(Duration::ZERO))
}

/// A call that fails with `error`, and for whose value nothing is known but its type.
fn fails<E: Clone>(error: E) -> Result<Opaque, Error<E>> {
    let (policy, clock) = (twice().build().unwrap(), MockClock::new());
    let mut retry = policy.on(&clock, NoRandom).classify(|_: &E| TRANSIENT);
    retry.call(|_| Err(error.clone()))
}

/// `anyhow::Error`, `Box<dyn Error>` and `io::Error` take it by `?`, whatever the value is.
#[test]
fn the_error_of_a_call_passes_through_a_question_mark() {
    fn anyhow() -> Result<Opaque, anyhow::Error> {
        Ok(fails(fmt::Error)?)
    }
    fn boxed() -> Result<Opaque, Boxed> {
        Ok(fails(fmt::Error)?)
    }
    fn io() -> io::Result<Opaque> {
        Ok(fails(fmt::Error)?)
    }
    let error = anyhow().err().unwrap();
    let stopped = error.downcast_ref::<Error<fmt::Error>>().unwrap();
    assert_eq!(stopped.error(), Some(&fmt::Error));
    assert!(boxed().err().unwrap().source().unwrap().is::<fmt::Error>());
    assert_eq!(io().err().unwrap().kind(), io::ErrorKind::Other);
}

/// What prints a chain prints the operation's error once.
#[test]
fn a_chain_has_the_error_of_the_operation_once() {
    let (policy, clock) = (twice().build().unwrap(), MockClock::new());
    let mut retry = policy.on(&clock, NoRandom).classify(|_: &Down| TRANSIENT);
    let error = anyhow::Error::from(retry.call(|_| Err::<(), _>(Down)).unwrap_err());
    let chain = "MAX_ATTEMPTS_GLOBAL after 2 attempts, last TRANSIENT: the link is down";
    assert_eq!(format!("{error:#}"), chain);
    assert_eq!(error.chain().count(), 2);
    // The stop alone is an error, too, and prints the same.
    let Err(Error::Exhausted(stopped)) = retry.call(|_| Err::<(), _>(Down)) else { panic!() };
    assert_eq!(format!("{stopped:#}"), chain);
    assert!(stopped.source().unwrap().is::<Down>());
}

/// Whoever handles the error of a call may ask what the operation failed with.
#[test]
fn the_type_of_the_operations_error_is_found_in_the_chain() {
    let (policy, clock) = (twice().build().unwrap(), MockClock::new());
    let by_box = || -> Result<(), anyhow::Error> {
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &Boxed| TRANSIENT);
        retry.call(|_| Err(Down.into())).map_err(Error::boxed)?;
        Ok(())
    };
    assert_eq!(by_box().unwrap_err().chain().find_map(|e| e.downcast_ref()), Some(&Down));
    let by_anyhow = || -> Result<(), anyhow::Error> {
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &anyhow::Error| TRANSIENT);
        retry.call(|_| Err(Down.into())).map_err(|stopped| {
            let why = stopped.to_string();
            match stopped.into_error() {
                Some(error) => error.context(why),
                None => anyhow::Error::msg(why),
            }
        })
    };
    let error = by_anyhow().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Down));
    assert_eq!(error.to_string(), "MAX_ATTEMPTS_GLOBAL after 2 attempts, last TRANSIENT");
}

/// A boxed error is no `Error` itself: `boxed` makes one of it.
#[test]
fn boxed_errors_pass_through_a_question_mark_once_they_are_wrapped() {
    let (policy, clock) = (twice().build().unwrap(), MockClock::new());
    let by_anyhow = |text: &'static str| -> Result<(), anyhow::Error> {
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &anyhow::Error| TRANSIENT);
        retry.call(|_| Err(anyhow::anyhow!(text))).map_err(Error::boxed)?;
        Ok(())
    };
    let by_box = |text: &'static str| -> Result<(), Boxed> {
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &Boxed| TRANSIENT);
        retry.call(|_| Err(text.into())).map_err(Error::boxed)?;
        Ok(())
    };
    let text = "MAX_ATTEMPTS_GLOBAL after 2 attempts, last TRANSIENT";
    assert_eq!(format!("{:#}", by_anyhow("down").unwrap_err()), format!("{text}: down"));
    let error = by_box("down").unwrap_err();
    assert_eq!(
        (error.to_string(), error.source().unwrap().to_string()),
        (text.into(), "down".into())
    );
    let stopped = error.downcast::<Error<BoxError>>().unwrap();
    assert!(matches!(*stopped, Error::Exhausted(RetryExhausted { attempts: 2, .. })));
}

/// As an I/O error it has the kind of the one that ended the call.
#[test]
fn an_io_error_keeps_its_kind() {
    fn of(kind: io::ErrorKind) -> io::Result<()> {
        let (policy, clock) = (twice().build().unwrap(), MockClock::new());
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &io::Error| TRANSIENT);
        Ok(retry.call(|_| Err(io::Error::from(kind)))?)
    }
    fn cut() -> io::Result<()> {
        let policy = twice().attempt_timeout(Duration::from_millis(5)).build().unwrap();
        let clock = MockClock::new();
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &io::Error| TRANSIENT);
        Ok(block_on(retry.call_async(async |_| std::future::pending().await))?)
    }
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::PermissionDenied] {
        assert_eq!(of(kind).unwrap_err().kind(), kind);
    }
    assert_eq!(cut().unwrap_err().kind(), io::ErrorKind::TimedOut);
}

/// A rejected value is in the error where values are classified, and only there.
#[test]
fn the_error_has_the_value_that_counted_as_a_failure() {
    let (policy, clock) = (twice().build().unwrap(), MockClock::new());
    let server_error = |status: &u16| (*status >= 500).then_some(ErrorClass::ServerError);
    let mut retry = policy.on(&clock, NoRandom).classify(|(): &()| TRANSIENT);
    let plain: Result<u16, Error<()>> = retry.call(|_| Ok(503));
    assert_eq!(plain, Ok(503));
    let mut retry = retry.classify_value(server_error);
    let judged: Result<u16, Error<(), u16>> = retry.call(|_| Ok(503));
    let Err(Error::Exhausted(stopped)) = judged else { panic!() };
    assert_eq!(stopped.last, Some(Last::Value(503)));
    let progress = retry.call_or_suspend(Duration::from_secs(1), |_| Ok(503));
    assert!(matches!(progress, Progress::Over(outcome) if !outcome.is_ok()));
}

/// The classifiers of errors and of values, and the hook, are set in any order.
#[test]
fn the_order_of_the_setters_does_not_matter() {
    let (policy, clock) = (twice().build().unwrap(), MockClock::new());
    let value = |status: &u16| (*status >= 500).then_some(ErrorClass::ServerError);
    let error = |(): &()| ErrorClass::Permanent;
    let hook = |_: &redress::event::AttemptContext<'_>, _: &Last<(), u16>| {
        std::ops::ControlFlow::Continue(())
    };
    let retry = || policy.on(&clock, NoRandom);
    let both = |mut call: Box<
        dyn FnMut(Result<u16, ()>) -> redress::Outcome<u16, (), u16> + '_,
    >| { (call(Ok(503)).last_class(), call(Err(())).last_class()) };
    let mut first = retry().classify(error).classify_value(value).before_retry(hook);
    let mut second = retry().classify_value(value).classify(error).before_retry(hook);
    let mut third = retry().before_retry(hook).classify_value(value).classify(error);
    let classes = (Some(ErrorClass::ServerError), Some(ErrorClass::Permanent));
    assert_eq!(both(Box::new(move |result| first.execute(|_| result))), classes);
    assert_eq!(both(Box::new(move |result| second.execute(|_| result))), classes);
    assert_eq!(both(Box::new(move |result| third.execute(|_| result))), classes);
}

/// The text of an error is in the events of a failure, and in no other, in every driver.
#[test]
fn events_have_the_text_of_the_error_if_that_is_asked_for() {
    let policy = twice().max_attempts(3).build().unwrap();
    for driver in 0..3 {
        let (clock, mut texts) = (MockClock::new(), Vec::new());
        let mut operation = Script::new([Err(Down), Err(Down), Ok(())]);
        let mut retry =
            policy.on(&clock, NoRandom).classify(|_: &Down| TRANSIENT).show_errors().on_event(
                |event| texts.push((event.kind, event.text.map(|text| text.to_string()))),
            );
        let result = match driver {
            0 => retry.call(|_| operation.next()),
            1 => block_on(retry.call_async(async |_| operation.next())),
            _ => block_on(retry.call_future(|_| std::future::ready(operation.next()))),
        };
        result.unwrap();
        drop(retry);
        let text = Some("the link is down".to_owned());
        let expected = [
            (EventKind::Retry, text.clone()),
            (EventKind::Retry, text),
            (EventKind::Success, None),
        ];
        assert_eq!(texts, expected, "driver {driver}");
    }
}

/// It is written by the caller's function, or is the form for developers, and is also in the
/// event that ends the call.
#[test]
fn the_text_of_an_error_is_written_as_the_caller_says() {
    let once = Policy::once();
    let clock = MockClock::new();
    let mut texts = Vec::new();
    let mut keep =
        |event: &redress::Event<'_>| texts.extend(event.text.map(|text| text.to_string()));
    let on = || once.on(&clock, NoRandom).classify(|_: &Down| TRANSIENT);
    let fail = |_| Err::<(), _>(Down);
    let _ = on().debug_errors().on_event(&mut keep).call(fail);
    let _ = on().error_text(|error, f| write!(f, "error: {error}")).on_event(&mut keep).call(fail);
    let _ = on().on_event(&mut keep).call(fail);
    assert_eq!(texts, ["Down", "error: the link is down"]);
}
