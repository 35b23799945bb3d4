//! A call walked step by step.

use redress::testing::{MockClock, Recorder};
use redress::{Duration, EventKind, Policy};

use crate::{each_second, on};

const SECOND: Duration = Duration::from_secs(1);

/// Whether or not its policy needs the time.
#[test]
fn a_call_knows_how_long_it_took_up_to_its_latest_step() {
    for policy in [Policy::once(), each_second().build().unwrap()] {
        let clock = MockClock::new();
        let mut retry = on(&policy, &clock);
        let mut steps = retry.begin().unwrap();
        assert_eq!(steps.elapsed(), Duration::ZERO);
        steps.start().unwrap();
        clock.advance(SECOND);
        assert_eq!(steps.elapsed(), Duration::ZERO);
        steps.succeed();
        assert_eq!(steps.elapsed(), SECOND);
    }
}

/// A call that is dropped before anything was attempted is over, as any other.
#[test]
fn a_call_that_never_began_an_attempt_is_observed_as_aborted() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut recorder = Recorder::<4>::new();
    drop(on(&policy, &clock).observer(&mut recorder).begin().unwrap());
    assert_eq!(recorder.kinds(), [EventKind::Aborted]);
    assert_eq!((recorder.started(), recorder.attempts()), (0, &[][..]));
}
