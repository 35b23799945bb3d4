//! Promises 2, 4, 5, 6, 7 and 8: time, constants, capacity, no panic, the half-open
//! door, and windows that slide.

use std::collections::VecDeque;

use proptest::prelude::*;
use redress::breaker::{CallResult, FailureTimes, LastOutcomes, Permit, TimeSlices};
use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::event::CircuitState;
use redress::snapshot::Snapshot;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Instant, Policy, RatioBudget,
    RollingBudget,
};

use crate::{any_times, any_u64, cases};

const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn promise_2_no_wait_is_longer_than_its_limit_whatever_the_clock_does(
        times in any_times(2..12), recovery in any_u64(), window in any_u64(),
    ) {
        let (recovery, window) = (recovery.max(1), window.max(1));
        let config = BreakerConfig::failures(1, us(window)).recovery_timeout(us(recovery));
        let mut breaker = Breaker::<FailureTimes<1>, 1, _>::new(&config).unwrap();
        let rolling = RollingConfig::new(2, us(window));
        let mut budget = RollingBudget::<2, _>::new(&rolling).unwrap();
        for &now in &times {
            if let Some(wait) = breaker.check(at(now)).err().and_then(|open| open.retry_after) {
                prop_assert!(wait <= us(recovery) || breaker.state() == CircuitState::HalfOpen);
            }
            match breaker.admit(at(now)) {
                Ok(admitted) => { breaker.settle(admitted.permit, FAILURE, at(now)); }
                Err(rejected) => {
                    let wait = rejected.retry_after.unwrap_or(Duration::MAX);
                    prop_assert!(wait <= us(recovery));
                    // And it keeps its word.
                    let then = at(now).saturating_add(wait);
                    prop_assert!(breaker.clone().admit(then).is_ok());
                }
            }
            if !budget.consume(1, at(now)) {
                // A clock that was set back by less than a window looks like a caller that is
                // late, so it is two of them.
                let then = at(now).saturating_add(us(window)).saturating_add(us(window));
                prop_assert!(then == Instant::MAX || budget.clone().consume(2, then));
            }
        }
    }

    #[test]
    fn promise_4_settings_build_exactly_if_they_are_in_range(
        attempts in any::<u32>(), timeout in any_u64(), deadline in any_u64(),
        zero in any::<bool>(), strategy in any::<bool>(),
    ) {
        let attempts = if zero { 0 } else { attempts };
        let mut config = Policy::builder()
            .max_attempts(attempts)
            .attempt_timeout(us(timeout))
            .deadline(us(deadline));
        if strategy {
            config = config.backoff(Backoff::constant(us(deadline)));
        }
        let valid = attempts > 0 && timeout > 0 && strategy;
        prop_assert_eq!(config.build().is_ok(), valid);
        if let Err(error) = config.build() {
            let is_missing = attempts > 0 && timeout > 0;
            let what_to_do = if is_missing { "give one strategy" } else { "it must be" };
            prop_assert!(error.to_string().contains(what_to_do), "{error}");
        }
    }

    #[test]
    fn promise_5_a_breaker_counts_right_or_is_refused(
        threshold in 0_u8..9, own in 0_u8..6, window in 1_u64..1_000,
        steps in prop::collection::vec((0_u64..200, any::<bool>()), 1..40),
    ) {
        let config = BreakerConfig::failures(threshold, us(window))
            .class_threshold(ErrorClass::RateLimit, own);
        let needs = usize::from(threshold) + usize::from(own.saturating_sub(1));
        let breaker = Breaker::<FailureTimes<8>, 1, _>::new(&config);
        prop_assert_eq!(breaker.is_ok(), threshold > 0 && needs <= 8);
        let Ok(mut breaker) = breaker else { return Ok(()) };
        // The model: every failure with its time, of each kind by itself.
        let (mut common, mut apart) = (Vec::new(), Vec::new());
        let mut now = 0;
        for (step, limited) in steps {
            now += step;
            let limited = limited && own > 0;
            let class = if limited { ErrorClass::RateLimit } else { ErrorClass::Transient };
            let (seen, limit) =
                if limited { (&mut apart, own) } else { (&mut common, threshold) };
            seen.push(now);
            seen.retain(|&then| now - then < window);
            let opens = seen.len() >= usize::from(limit);
            let permit = breaker.admit_closed().unwrap();
            let changed = breaker.settle(permit, CallResult::Failure(class), at(now));
            prop_assert_eq!(changed.is_some(), opens);
            if opens {
                breaker.reset();
                common.clear();
                apart.clear();
            }
        }
    }

    #[test]
    fn promise_6_extremes_of_every_field_give_a_result(
        times in any_times(1..8), a in any_u64(), b in any_u64(), c in any_u64(),
        small in any::<(u8, u16, u16, u32)>(),
    ) {
        let (x, y, z, w) = small;
        let mut bytes = [0; 4096];
        let (a, b, c) = (a.max(1), b.max(1), c.max(1));
        let (size, rate) = (y % 128 + 1, z % 1000 + 1);
        let failures = BreakerConfig::failures(x.max(1), us(a)).recovery_timeout(us(b))
            .recovery_growth_to(us(b.max(c))).lease(us(c)).half_open_permits(x % 3 + 1)
            .successes_to_close(x % 15 + 1);
        let outcomes =
            BreakerConfig::outcomes(size, rate, 1).recovery_timeout(us(b)).lease(us(c));
        let slices = BreakerConfig::slices(us(a), rate, 1).slow_calls(us(b), rate).lease(us(c));
        let ratio = RatioConfig::new(y.max(1)).initial(w).floor_per_sec(w).limit(w % 100_000 + 1);
        let rolling = RollingConfig::new(y % 64, us(a));
        let mut machines = (
            Breaker::<FailureTimes<255>, 3, _>::new(&failures).unwrap(),
            Breaker::<LastOutcomes<4>, 1, _>::new(&outcomes).unwrap(),
            Breaker::<TimeSlices<3>, 1, _>::new(&slices).unwrap(),
            RatioBudget::<_>::new(&ratio).unwrap(),
            RollingBudget::<64, _>::new(&rolling).unwrap(),
        );
        for &now in &times {
            let now = at(now);
            macro_rules! drive {
                ($breaker:expr) => {
                    let breaker = &mut $breaker;
                    if let Ok(admitted) = breaker.admit(now) {
                        breaker.settle_timed(admitted.permit, FAILURE, us(c), 0, now);
                    }
                    let _ = breaker.check(now);
                    let written = breaker.snapshot(now, &mut bytes).unwrap();
                    breaker.restore(&bytes[..written], now, Some(us(a))).unwrap();
                };
            }
            drive!(machines.0);
            drive!(machines.1);
            drive!(machines.2);
            machines.3.deposit();
            let _ = (machines.3.consume(w, now), machines.3.remaining(now));
            let _ = (machines.4.consume(w % 70, now), machines.4.remaining(now));
        }
    }

    #[test]
    fn promise_7_half_open_never_has_more_probes_than_permits(
        permits in 1_u8..=4, needed in 1_u8..=15, lease in 1_u64..50,
        steps in prop::collection::vec((0_u64..30, 0_u8..6, any::<prop::sample::Index>()), 1..60),
    ) {
        let config = BreakerConfig::failures(1, us(1_000)).recovery_timeout(us(10))
            .half_open_permits(permits).successes_to_close(needed).lease(us(lease));
        let mut breaker = Breaker::<FailureTimes<1>, 4, _>::new(&config).unwrap();
        let mut now = 0;
        // The model: who is in flight in this period, and until when.
        let mut flying: Vec<(Permit, u64)> = Vec::new();
        let mut late: Vec<Permit> = Vec::new();
        for (step, action, which) in steps {
            now += step;
            let before = breaker.state();
            match action {
                0..=2 => {
                    let admitted = breaker.admit(at(now));
                    if let Ok(admitted) = admitted {
                        if admitted.half_opened {
                            late.extend(flying.drain(..).map(|(permit, _)| permit));
                        }
                        flying.push((admitted.permit, now + lease));
                    }
                    if breaker.state() == CircuitState::HalfOpen {
                        let (in_time, over): (Vec<_>, Vec<_>) =
                            flying.drain(..).partition(|(_, until)| *until > now);
                        late.extend(over.into_iter().map(|(permit, _)| permit));
                        flying = in_time;
                        prop_assert!(flying.len() <= usize::from(permits));
                        // Rejected exactly if every place is taken.
                        prop_assert!(admitted.is_ok() || flying.len() == usize::from(permits));
                    }
                }
                3 | 4 if !flying.is_empty() => {
                    let (permit, _) = flying.swap_remove(which.index(flying.len()));
                    let result = if action == 3 { CallResult::Success } else { FAILURE };
                    breaker.settle(permit, result, at(now));
                    late.push(permit);
                    if breaker.state() != before {
                        late.extend(flying.drain(..).map(|(permit, _)| permit));
                    }
                }
                _ if !late.is_empty() => {
                    // Results that are late, or come twice, change nothing.
                    let stale = late[which.index(late.len())];
                    // One that was handed back and, in the same microsecond, out again is
                    // in flight.
                    if stale.is_probe() && flying.iter().all(|(permit, _)| *permit != stale) {
                        let state = breaker.state();
                        prop_assert_eq!(breaker.settle(stale, FAILURE, at(now)), None);
                        prop_assert_eq!(breaker.state(), state);
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn promise_8_the_last_outcomes_slide_one_by_one(
        size in 1_u16..=96, rate in 1_u16..=1000, results in prop::collection::vec(any::<bool>(), 1..300),
    ) {
        let config = BreakerConfig::outcomes(size, rate, size.div_ceil(2));
        let mut breaker = Breaker::<LastOutcomes<3>, 1, _>::new(&config).unwrap();
        let mut model = VecDeque::new();
        for failed in results {
            model.push_back(failed);
            if model.len() > usize::from(size) {
                model.pop_front();
            }
            let failures = model.iter().filter(|failed| **failed).count();
            let opens = model.len() >= usize::from(size.div_ceil(2))
                && failures * 1000 >= model.len() * usize::from(rate);
            let permit = breaker.admit_closed().unwrap();
            let result = if failed { FAILURE } else { CallResult::Success };
            prop_assert_eq!(breaker.settle(permit, result, at(0)).is_some(), opens);
            if opens {
                breaker.reset();
                model.clear();
            }
        }
    }

    #[test]
    fn promise_8_time_slices_hold_what_happened_in_them(
        slice in 1_u64..100, rate in 1_u16..=1000, min in 1_u16..6,
        steps in prop::collection::vec((0_u64..400, any::<bool>()), 1..60),
    ) {
        let config = BreakerConfig::slices(us(slice), rate, min);
        let mut breaker = Breaker::<TimeSlices<4>, 1, _>::new(&config).unwrap();
        // The model: slices counted from the clock's origin, each result in its own.
        // After a silence of more than a window a new count begins with the result.
        let (mut results, mut origin, mut now) = (Vec::<(i64, bool)>::new(), 0, 1_u64);
        let mut last = -1;
        for (step, failed) in steps {
            now += step;
            let mut number = i64::try_from((now - origin) / slice).unwrap();
            if number > last + 4 {
                (results, origin, number) = (Vec::new(), now, 0);
            }
            last = number;
            results.push((number, failed));
            results.retain(|(then, _)| then + 4 > number);
            let failures = results.iter().filter(|(_, failed)| *failed).count();
            let opens = results.len() >= usize::from(min)
                && failures * 1000 >= results.len() * usize::from(rate);
            let permit = breaker.admit_closed().unwrap();
            let result = if failed { FAILURE } else { CallResult::Success };
            let changed = breaker.settle(permit, result, at(now));
            prop_assert_eq!(changed.is_some(), opens);
            if opens {
                breaker.reset();
                (results, origin, last) = (Vec::new(), 0, -1);
            }
        }
    }

    #[test]
    fn promise_8_a_rolling_budget_is_a_list_of_times(
        retries in 0_u16..12, window in 1_u64..500,
        steps in prop::collection::vec((0_u64..100, 0_u32..4), 1..60),
    ) {
        let config = RollingConfig::new(retries, us(window));
        let mut budget = RollingBudget::<12, _>::new(&config).unwrap();
        let (mut spent, mut now) = (Vec::new(), 0_u64);
        for (step, cost) in steps {
            now += step;
            spent.retain(|then| now - then < window);
            let left = u32::from(retries) - u32::try_from(spent.len()).unwrap();
            prop_assert_eq!(budget.remaining(at(now)), left);
            prop_assert_eq!(budget.consume(cost, at(now)), cost <= left);
            if cost <= left {
                spent.extend((0..cost).map(|_| now));
            }
        }
    }

    #[test]
    fn promise_8_a_ratio_budget_is_an_account(
        milli in any::<u16>(), floor in 0_u32..100, limit in 1_u32..100_000,
        steps in prop::collection::vec((any_u64(), 0_u32..5, any::<bool>()), 1..40),
    ) {
        prop_assume!(milli > 0 || floor > 0);
        let config = RatioConfig::new(milli).initial(floor).floor_per_sec(floor).limit(limit);
        let mut budget = RatioBudget::<_>::new(&config).unwrap();
        let most = u128::from(limit) * 1_000_000;
        let mut balance = (u128::from(floor) * 1_000_000).min(most);
        let (mut now, mut known) = (0_u64, None);
        for (step, cost, deposit) in steps {
            now = now.saturating_add(step >> 24);
            if deposit {
                budget.deposit();
                balance = (balance + u128::from(milli) * 1_000).min(most);
                continue;
            }
            let past = now - known.unwrap_or(now);
            known = Some(now);
            balance = (balance + u128::from(past) * u128::from(floor)).min(most);
            let price = u128::from(cost) * 1_000_000;
            prop_assert_eq!(budget.consume(cost, at(now)), price <= balance);
            if price <= balance {
                balance -= price;
            }
            prop_assert_eq!(u128::from(budget.remaining(at(now))), balance / 1_000_000);
        }
    }
}
