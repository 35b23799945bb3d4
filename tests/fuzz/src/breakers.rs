//! Breakers with any settings, used in any way.

use std::fmt::Debug;

use redress::breaker::{CallResult, Permit, Window};
use redress::classify::ClassSet;
use redress::config::ConfigError;
use redress::event::CircuitState;
use redress::{Breaker, BreakerConfig, Duration};

use crate::{Input, STEPS, Times, at};

/// How many probes a breaker has room for.
pub const PERMITS: usize = 3;

/// The settings that all breakers share.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    trip_on: ClassSet,
    half_open_on: ClassSet,
    recovery: Duration,
    growth: Option<Duration>,
    jitter: Duration,
    hint: Duration,
    pub lease: Duration,
    permits: u8,
    successes: u8,
    checks: bool,
}

impl Settings {
    pub fn any(input: &mut Input<'_>) -> Self {
        Self {
            trip_on: if input.one_in(4) { input.classes() } else { ClassSet::ALL },
            half_open_on: if input.one_in(4) { input.classes() } else { ClassSet::ALL },
            recovery: input.span(),
            growth: input.one_in(3).then(|| input.span()),
            jitter: if input.one_in(3) { input.span() } else { Duration::ZERO },
            hint: if input.one_in(3) { input.span() } else { Duration::ZERO },
            lease: input.span(),
            permits: input.below(PERMITS as u64 + 2) as u8,
            successes: input.below(17) as u8,
            checks: input.any(),
        }
    }

    pub fn of<R: Copy>(&self, config: BreakerConfig<R>) -> BreakerConfig<R> {
        let config = match self.growth {
            Some(longest) => config.recovery_growth_to(longest),
            None => config,
        };
        config
            .trip_on(self.trip_on)
            .half_open_on(self.half_open_on)
            .recovery_timeout(self.recovery)
            .recovery_jitter(self.jitter)
            .open_for_hint(self.hint)
            .lease(self.lease)
            .half_open_permits(self.permits)
            .successes_to_close(self.successes)
            .check_before_retry(self.checks)
    }

    pub fn are_right(&self) -> bool {
        let grows = self.growth.unwrap_or_default();
        !self.recovery.is_zero()
            && (grows.is_zero() || grows >= self.recovery)
            && !self.lease.is_zero()
            && (1..=PERMITS).contains(&self.permits.into())
            && (1..=15).contains(&self.successes)
    }

    /// The longest that nothing is let through, unless a probe is in flight.
    fn longest_open(&self) -> Duration {
        let grown = self.growth.unwrap_or_default().max(self.recovery);
        grown.saturating_add(self.jitter).max(self.hint)
    }
}

/// Refuses exactly the settings that are wrong, by their names.
pub fn checked<B>(made: Result<B, ConfigError>, are_right: bool) -> Option<B> {
    match made {
        Ok(breaker) => {
            assert!(are_right, "wrong settings were accepted");
            Some(breaker)
        }
        Err(error) => {
            assert!(!are_right, "right settings were refused: {error}");
            assert!(!error.field().is_empty() && !error.right().is_empty());
            None
        }
    }
}

pub type Of<'c, W> = Breaker<W, PERMITS, &'c BreakerConfig<<W as Window>::Rule>>;

/// A permit of a call that has not ended.
struct Held {
    permit: Permit,
    /// When its lease ends.
    ends: u64,
    period: u32,
}

/// Calls that come, end, and are lost. Never are more probes in flight than permitted, no
/// rejection is longer than the settings say, and in the end nothing is wedged.
pub fn used<W: Window<Rule: 'static + Debug> + Clone + Debug>(
    breaker: &mut Of<'_, W>,
    settings: &Settings,
    input: &mut Input<'_>,
    times: &mut Times,
) {
    let (mut held, mut period) = (Vec::<Held>::new(), 0);
    let mut now = times.latest;
    for _ in 0..STEPS {
        if input.is_over() {
            break;
        }
        now = times.next(input);
        // A place whose lease is over may be another's from now on.
        held.iter_mut().filter(|held| held.ends <= now).for_each(|held| held.ends = 0);
        let before = breaker.state();
        let which = input.below(held.len().max(1) as u64) as usize;
        let changed = match input.below(10) {
            0..=3 => {
                let expected = breaker.check(at(now));
                let admitted = breaker.admit(at(now));
                assert_eq!(admitted.err(), expected.err(), "`check` says something else");
                assert!(before != CircuitState::Closed || admitted.is_ok());
                match admitted {
                    Ok(admitted) => {
                        period += u32::from(admitted.half_opened);
                        let ends = now.saturating_add(settings.lease.as_micros());
                        held.push(Held { permit: admitted.permit, ends, period });
                    }
                    Err(rejection) => {
                        let wait = rejection.retry_after.unwrap_or(settings.longest_open());
                        assert!(wait <= settings.longest_open(), "{rejection:?}");
                        assert!(!wait.is_zero());
                    }
                }
                if times.is_orderly() {
                    let is_live = |held: &&Held| {
                        held.permit.is_probe() && held.period == period && held.ends > 0
                    };
                    let live = held.iter().filter(is_live).count();
                    assert!(live <= settings.permits.into(), "{live} probes: {breaker:?}");
                }
                None
            }
            4..=6 if !held.is_empty() => {
                let permit = held.swap_remove(which).permit;
                let class = input.class();
                let result = input.of(&[
                    CallResult::Failure(class),
                    CallResult::Success,
                    CallResult::Cancelled,
                ]);
                let (longest, random) = (input.span(), input.any());
                breaker.settle_timed(permit, result, longest, random, at(now))
            }
            7 if !held.is_empty() => {
                let permit = held[which].permit;
                let hint = input.span();
                breaker.hold(permit, hint, at(now))
            }
            8 if !held.is_empty() => {
                let permit = held.swap_remove(which).permit;
                if input.any() {
                    breaker.cancel(permit);
                }
                None
            }
            _ => match input.below(8) {
                0 => breaker.trip(at(now)),
                1 => breaker.reset(),
                2 => breaker.isolate(),
                _ => None,
            },
        };
        period += u32::from(breaker.state() != before || changed.is_some());
        assert!(changed.is_none_or(|state| state == breaker.state()));
        assert_eq!(breaker.admit_closed().is_some(), breaker.state() == CircuitState::Closed);
    }
    // Whatever the clock has shown, the next caller need not wait for long.
    if let Err(rejection) = breaker.admit(at(now))
        && rejection.retry_after.is_some()
    {
        let lease = settings.lease;
        let later = at(now).saturating_add(settings.longest_open());
        let later = later.saturating_add(lease).saturating_add(lease);
        assert!(breaker.admit(later).is_ok(), "wedged at {later:?}: {breaker:?}");
    }
}

/// Two breakers of which one is restored from the snapshot of the other.
pub fn go_on_alike<W: Window<Rule: 'static + Debug> + Clone + Debug>(
    mut one: Of<'_, W>,
    mut other: Of<'_, W>,
    input: &mut Input<'_>,
    mut now: u64,
) {
    let mut held = Vec::new();
    for _ in 0..20 {
        now = now.saturating_add(input.below(1 << 20));
        if input.any() && !held.is_empty() {
            let permits: (Permit, Permit) = held.swap_remove(0);
            let result =
                if input.any() { CallResult::Failure(input.class()) } else { CallResult::Success };
            let changed = one.settle(permits.0, result, at(now));
            assert_eq!(changed, other.settle(permits.1, result, at(now)));
        } else {
            let admitted = (one.admit(at(now)), other.admit(at(now)));
            assert_eq!(admitted.0, admitted.1);
            held.extend(admitted.0.ok().map(|a| a.permit).zip(admitted.1.ok().map(|a| a.permit)));
        }
    }
}
