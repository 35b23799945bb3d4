//! Budgets with any settings, used in any way, beside lists of what was granted.

use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::{Duration, RatioBudget, RollingBudget};

use crate::breakers::checked;
use crate::{Input, STEPS, Times, at};

/// How many tokens a rolling budget has room for.
pub const TOKENS: usize = 6;

pub type Rolling<'c> = RollingBudget<TOKENS, &'c RollingConfig>;

#[derive(Clone, Copy, Debug)]
pub struct RollingSettings {
    most: u16,
    pub window: Duration,
}

impl RollingSettings {
    pub fn any(input: &mut Input<'_>) -> Self {
        Self { most: input.below(TOKENS as u64 + 2) as u16, window: input.span() }
    }

    pub fn config(&self) -> RollingConfig {
        RollingConfig::new(self.most, self.window)
    }

    pub fn budget<'c>(&self, config: &'c RollingConfig) -> Option<Rolling<'c>> {
        let are_right = !self.window.is_zero() && usize::from(self.most) <= TOKENS;
        checked(Rolling::new(config), are_right)
    }
}

/// A window never holds more than its limit, and by a clock that goes on is used up to it.
pub fn roll(
    budget: &mut Rolling<'_>,
    settings: &RollingSettings,
    is_fresh: bool,
    input: &mut Input<'_>,
    times: &mut Times,
) {
    let (most, window) = (usize::from(settings.most), settings.window.as_micros());
    let (mut granted, mut known) = (Vec::<u64>::new(), 0);
    let mut now = times.latest;
    for _ in 0..STEPS {
        if input.is_over() {
            break;
        }
        now = times.next(input);
        let cost = input.below(4) as u32;
        let remaining = budget.remaining(at(now));
        assert!(remaining as usize <= most, "{remaining} of {most} remain");
        let is_granted = budget.consume(cost, at(now));
        if !times.is_orderly() {
            continue;
        }
        assert_eq!(is_granted, cost <= remaining, "{cost} of {remaining} that remain");
        // It knows the instants of its grants alone.
        let asked = known.max(now);
        let within = granted.iter().filter(|time| asked - **time < window).count();
        let fits = within + cost as usize <= most;
        assert!(!is_granted || fits || cost == 0, "more than the limit: {budget:?}");
        assert!(is_granted || !fits || !is_fresh, "refused though it fits: {budget:?}");
        if is_granted && cost > 0 {
            granted.extend((0..cost).map(|_| asked));
            known = asked;
        }
    }
    budget.consume(1, at(now));
    let later = at(now).saturating_add(settings.window).saturating_add(settings.window);
    assert_eq!(budget.remaining(later) as usize, most, "for longer than two windows: {budget:?}");
}

#[derive(Clone, Copy, Debug)]
pub struct RatioSettings {
    milli: u16,
    initial: Option<u32>,
    floor: Option<u32>,
    limit: u32,
}

/// What one retry is counted as.
const RETRY: u64 = 1_000_000;
const SECOND: u64 = 1_000_000;

impl RatioSettings {
    pub fn any(input: &mut Input<'_>) -> Self {
        Self {
            milli: input.any::<u16>() >> input.below(16),
            initial: input.one_in(2).then(|| input.any::<u32>() >> input.below(32)),
            floor: input.one_in(2).then(|| input.any::<u32>() >> input.below(32)),
            limit: if input.one_in(8) { input.any() } else { input.below(30) as u32 },
        }
    }

    pub fn config(&self) -> RatioConfig {
        let mut config = RatioConfig::new(self.milli).limit(self.limit);
        if let Some(retries) = self.initial {
            config = config.initial(retries);
        }
        if let Some(retries) = self.floor {
            config = config.floor_per_sec(retries);
        }
        config
    }

    pub fn budget<'c>(&self, config: &'c RatioConfig) -> Option<RatioBudget<&'c RatioConfig>> {
        let earns = self.milli > 0 || self.has_floor();
        checked(RatioBudget::new(config), earns && (1..=100_000).contains(&self.limit))
    }

    pub fn has_floor(&self) -> bool {
        self.floor.is_some_and(|floor| floor > 0)
    }

    fn most(&self) -> u64 {
        u64::from(self.limit) * RETRY
    }
}

/// Never more than the limit, and by a clock that goes on exactly what was earned.
pub fn share(
    budget: &mut RatioBudget<&RatioConfig>,
    settings: &RatioSettings,
    is_fresh: bool,
    input: &mut Input<'_>,
    times: &mut Times,
) {
    let initial = u64::from(settings.initial.unwrap_or(10)) * RETRY;
    let mut balance = initial.min(settings.most());
    let mut earned = None;
    for _ in 0..STEPS {
        if input.is_over() {
            break;
        }
        let now = times.next(input);
        if input.any() {
            budget.deposit();
            balance = (balance + u64::from(settings.milli) * 1000).min(settings.most());
            continue;
        }
        let cost = input.below(4) as u32;
        let remaining = budget.remaining(at(now));
        assert!(remaining <= settings.limit, "{remaining} of {} remain", settings.limit);
        let is_granted = budget.consume(cost, at(now));
        assert_eq!(is_granted, cost <= remaining, "{cost} of {remaining} that remain");
        if !times.is_orderly() || !is_fresh {
            continue;
        }
        // Each second earns its floor once.
        let span = now.saturating_sub(earned.unwrap_or(now));
        let floor = u64::from(settings.floor.unwrap_or(1));
        balance = span.saturating_mul(floor).saturating_add(balance).min(settings.most());
        earned = earned.max(Some(now));
        let fits = u64::from(cost) * RETRY <= balance;
        assert_eq!(is_granted, fits, "{balance} were earned: {budget:?}");
        balance -= if fits { u64::from(cost) * RETRY } else { 0 };
    }
}

/// Readings that are stale by less than this earn no floor twice.
pub const STALE: u64 = SECOND;
