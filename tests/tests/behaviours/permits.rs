//! What a permit says, and which of them a breaker listens to.

use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::event::CircuitState;
use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn at_secs(at: u64) -> Instant {
    Instant::from_micros(at * 1_000_000)
}

const US: Duration = Duration::from_micros(1);
const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);
/// Opens at the first failure, for thirty seconds; a probe has a minute.
const ONE: BreakerConfig<FailureRule> = BreakerConfig::failures(1, secs(60));
/// The same, and for as long as the other side asks, up to an hour.
const HINTED: BreakerConfig<FailureRule> = ONE.open_for_hint(secs(3600));
type Single<'c> = Breaker<FailureTimes<1>, 1, &'c BreakerConfig<FailureRule>>;

/// One that is open from the start on.
fn opened(config: &BreakerConfig<FailureRule>) -> Single<'_> {
    let mut breaker = Single::new(config).unwrap();
    let permit = breaker.admit_closed().unwrap();
    assert_eq!(breaker.settle(permit, FAILURE, Instant::ZERO), Some(CircuitState::Open));
    breaker
}

fn left(breaker: &Single<'_>, now: Instant) -> Option<Duration> {
    breaker.check(now).err().and_then(|rejected| rejected.retry_after)
}

/// So that no call takes the lock for what its breaker does not want.
#[test]
fn a_permit_says_what_its_breaker_wants_of_the_call() {
    for (config, random, check, hints) in [
        (ONE, false, false, false),
        (ONE.recovery_jitter(US), true, false, false),
        (ONE.check_before_retry(true), false, true, false),
        (HINTED, false, false, true),
        (HINTED.recovery_jitter(US).check_before_retry(true), true, true, true),
    ] {
        let mut breaker = Single::new(&config).unwrap();
        let admitted = breaker.admit(at_secs(0)).unwrap();
        let permit = admitted.permit;
        assert!(!admitted.half_opened && !permit.is_probe());
        let wants = (permit.wants_random(), permit.wants_check(), permit.wants_hints());
        assert_eq!(wants, (random, check, hints));
        breaker.settle(permit, FAILURE, at_secs(0));
        let admitted = breaker.admit(at_secs(40)).unwrap();
        let probe = admitted.permit;
        assert!(admitted.half_opened && probe.is_probe());
        // A probe decides over the breaker, and asks it nothing.
        let wants = (probe.wants_random(), probe.wants_check(), probe.wants_hints());
        assert_eq!(wants, (random, false, hints));
        assert!(breaker.still_admits(probe) && !breaker.still_admits(permit));
    }
}

/// What began before a restart, or before the breaker changed, says nothing of what is now.
#[test]
fn a_permit_of_another_period_changes_nothing() {
    let earlier = Single::new(&ONE).unwrap();
    let mut later = opened(&ONE);
    later.reset();
    // Its breaker is restored as it was before.
    let permit = later.admit_closed().unwrap();
    let mut restored = earlier.clone();
    assert_eq!(restored.settle(permit, FAILURE, at_secs(1)), None);
    assert_eq!(restored.state(), CircuitState::Closed);

    // Two probes of two periods have the same place for the same time.
    let mut breaker = opened(&ONE);
    let first = breaker.admit(at_secs(60)).unwrap().permit;
    breaker.reset();
    breaker.trip(at_secs(30));
    let second = breaker.admit(at_secs(60)).unwrap().permit;
    breaker.cancel(first);
    assert!(breaker.admit(at_secs(60)).is_err(), "the place of the second is taken");
    breaker.cancel(second);
    assert!(breaker.admit(at_secs(60)).is_ok());
}

/// A call that hangs for as long as it likes belongs to no later period.
#[test]
fn a_permit_fits_none_of_the_sixty_thousand_periods_after_its_own() {
    let mut breaker = Single::new(&ONE).unwrap();
    let permit = breaker.admit_closed().unwrap();
    for period in 1..=if cfg!(miri) { 300 } else { u16::MAX } {
        if period % 2 == 1 {
            breaker.trip(at_secs(0));
        } else {
            breaker.reset();
            assert_eq!(breaker.settle(permit, FAILURE, at_secs(0)), None, "{period}");
        }
    }
}

/// As long as it says, up to the maximum that is set; not without one, and not for no time.
#[test]
fn a_hint_opens_a_closed_breaker_for_as_long_as_it_says() {
    let hour = secs(3600);
    for (config, hint, open) in [
        (&ONE, secs(5), None),
        (&HINTED, Duration::ZERO, None),
        (&HINTED, US, Some(US)),
        (&HINTED, hour, Some(hour)),
        (&HINTED, secs(3601), Some(hour)),
    ] {
        let mut breaker = Single::new(config).unwrap();
        let permit = breaker.admit_closed().unwrap();
        let changed = breaker.hold(permit, hint, at_secs(9));
        assert_eq!(changed, open.map(|_| CircuitState::Open), "{hint}");
        assert_eq!(left(&breaker, at_secs(9)), open);
    }
}

#[test]
fn a_hint_to_a_call_of_another_period_opens_nothing() {
    let mut breaker = Single::new(&HINTED).unwrap();
    let late = breaker.admit_closed().unwrap();
    breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(0));
    let probe = breaker.admit(at_secs(30)).unwrap().permit;
    assert_eq!(breaker.hold(late, secs(100), at_secs(31)), None);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert_eq!(breaker.settle(probe, CallResult::Success, at_secs(32)), Some(CircuitState::Closed));
    assert_eq!(breaker.hold(late, secs(100), at_secs(33)), None);
    assert_eq!(breaker.state(), CircuitState::Closed);
    // Nor does it end what was opened by hand.
    breaker.isolate();
    assert_eq!(breaker.hold(late, secs(100), at_secs(34)), None);
    assert_eq!(breaker.admit(at_secs(99_999)).unwrap_err().retry_after, None);
}

/// A probe has a say as long as it has its place.
#[test]
fn a_hint_to_a_probe_opens_anew_unless_its_lease_is_over() {
    for (micros_before, cancelled, opens) in [
        (60_000_000, false, true),
        (1, false, true),
        (0, false, false),
        (-1, false, false),
        (60_000_000, true, false),
    ] {
        let mut breaker = opened(&HINTED);
        let probe = breaker.admit(at_secs(30)).unwrap().permit;
        if cancelled {
            breaker.cancel(probe);
        }
        let now = Instant::from_micros(90_000_000_u64.checked_add_signed(-micros_before).unwrap());
        let changed = breaker.hold(probe, secs(100), now);
        assert_eq!(changed.is_some(), opens, "{micros_before} {cancelled}");
        let state = if opens { CircuitState::Open } else { CircuitState::HalfOpen };
        assert_eq!(breaker.state(), state);
        if opens {
            assert_eq!(left(&breaker, now), Some(secs(100)));
            // Its place is gone, and it has no further say.
            assert_eq!(breaker.settle(probe, CallResult::Success, now), None);
        }
    }
}

/// A probe that was told to come back has failed, however short the hint is.
#[test]
fn a_hint_to_a_probe_lets_the_recovery_time_grow() {
    let grows = HINTED.recovery_growth_to(secs(1000));
    let mut breaker = opened(&grows);
    let mut now = Instant::ZERO;
    for (wait, next) in [(30, 60), (60, 120), (120, 240)] {
        now = now.saturating_add(secs(wait));
        let probe = breaker.admit(now).unwrap().permit;
        assert_eq!(breaker.hold(probe, US, now), Some(CircuitState::Open));
        assert_eq!(left(&breaker, now), Some(secs(next)));
    }
}

/// Where a sum would begin anew it stays at the end.
#[test]
fn nothing_that_opens_at_the_end_of_time_is_over_at_once() {
    let late = Instant::MAX.saturating_sub(secs(1));
    let mut open = opened(&HINTED);
    assert_eq!(left(&open, late), None);
    assert_eq!(
        open.hold(Single::new(&HINTED).unwrap().admit_closed().unwrap(), secs(9), late),
        None
    );
    assert_eq!(left(&open, late), Some(secs(1)));
    let mut closed = Single::new(&HINTED).unwrap();
    let permit = closed.admit_closed().unwrap();
    assert_eq!(closed.hold(permit, secs(9), late), Some(CircuitState::Open));
    assert_eq!(left(&closed, late), Some(secs(1)));
    let endless = ONE.recovery_timeout(Duration::MAX).recovery_jitter(secs(9));
    let mut breaker = Single::new(&endless).unwrap();
    let permit = breaker.admit_closed().unwrap();
    breaker.settle_timed(permit, FAILURE, Duration::ZERO, u32::MAX, Instant::ZERO);
    assert_eq!(left(&breaker, Instant::ZERO), Some(Duration::MAX));
}

/// Where no random number is handed over there is no jitter.
#[test]
fn a_result_without_a_random_number_has_no_jitter() {
    let jittered = ONE.recovery_jitter(secs(86_400));
    assert_eq!(left(&opened(&jittered), Instant::ZERO), Some(secs(30)));
}
