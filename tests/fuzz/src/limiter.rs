//! Rate limiters with any settings, used in any way, beside a list of what was spent.

use redress::budget::{Limit, LimiterConfig, NotBefore};
use redress::{Duration, RateLimiter};

use crate::breakers::checked;
use crate::{Input, STEPS, Times, at};

/// How many times of spending a limiter remembers.
pub const REMEMBERED: usize = 4;

pub type Limiter<'c> = RateLimiter<REMEMBERED, &'c LimiterConfig>;

/// A window, from so long after the start on.
#[derive(Clone, Copy, Debug)]
struct Window {
    limit: u32,
    per: u64,
    from: u64,
}

/// A phase of the time since the start.
#[derive(Clone, Copy, Debug)]
struct Phase {
    limit: u32,
    begins: u64,
    ends: u64,
}

#[derive(Clone, Debug)]
pub struct Settings {
    windows: Vec<Window>,
    phases: Vec<Phase>,
    pub config: LimiterConfig,
    /// The shortest window or phase.
    pub shortest: Duration,
}

impl Settings {
    pub fn any(input: &mut Input<'_>) -> Self {
        let mut settings = Self {
            windows: Vec::new(),
            phases: Vec::new(),
            config: LimiterConfig::new(),
            shortest: Duration::MAX,
        };
        let mut phased = 0_u64;
        let most = if input.one_in(8) { 10 } else { 4 };
        for _ in 0..input.below(most) {
            let limit = if input.one_in(8) { input.any() } else { input.below(12) as u32 };
            let span = input.span();
            settings.shortest = settings.shortest.min(span);
            if input.one_in(3) {
                let begins = phased;
                phased = phased.saturating_add(span.as_micros());
                settings.phases.push(Phase { limit, begins, ends: phased });
                settings.config = settings.config.phase(limit, span);
            } else {
                let per = span.as_micros();
                settings.windows.push(Window { limit, per, from: phased });
                settings.config = settings.config.window(limit, span);
            }
        }
        settings
    }

    pub fn limiter<'c>(&self, config: &'c LimiterConfig) -> Option<Limiter<'c>> {
        let count = self.windows.len() + self.phases.len();
        let are_right = self.windows.len() <= 4
            && self.phases.len() <= 4
            && count > 0
            && !self.shortest.is_zero()
            && self.windows.iter().all(|window| window.limit > 0);
        checked(Limiter::new(config), are_right)
    }

    /// The longest that anything is refused that fits at all.
    fn longest_wait(&self) -> Duration {
        let longest = self.windows.iter().map(|window| window.per).max().unwrap_or(0);
        let phased = self.phases.last().map_or(0, |phase| phase.ends);
        let longest = Duration::from_micros(longest).saturating_add(Duration::from_micros(phased));
        longest.saturating_add(self.shortest)
    }

    /// Whether so much fits beside what was spent, at so long after the start.
    fn fits(&self, spent: &[(u64, u32)], cost: u32, now: u64) -> bool {
        let sum = |counts: &dyn Fn(u64) -> bool| -> u64 {
            let counted = spent.iter().filter(|(time, _)| counts(*time));
            counted.map(|(_, cost)| u64::from(*cost)).sum()
        };
        let window = |window: &Window| {
            let held = sum(&|time| time >= window.from && now - time < window.per);
            now < window.from || held + u64::from(cost) <= window.limit.into()
        };
        let phase = |phase: &Phase| {
            let is_now = |time| (phase.begins..phase.ends).contains(&time);
            !is_now(now) || sum(&is_now) + u64::from(cost) <= phase.limit.into()
        };
        self.windows.iter().all(window) && self.phases.iter().all(phase)
    }
}

/// No window and no phase ever holds more than its limit, what is refused fits exactly when the
/// answer says so, and nothing waits for longer than the windows and phases together.
pub fn limit(
    limiter: &mut Limiter<'_>,
    settings: &Settings,
    is_fresh: bool,
    input: &mut Input<'_>,
    times: &mut Times,
) {
    // When the first caller asked, the latest instant, and what was spent since the start.
    let (mut start, mut known) = (None, 0_u64);
    let mut spent: Vec<(u64, u32)> = Vec::new();
    for _ in 0..STEPS {
        if input.is_over() {
            break;
        }
        let now = times.next(input);
        let cost = if input.one_in(16) { input.any() } else { input.below(5) as u32 };
        let available = limiter.available(at(now));
        let answer = limiter.acquire(cost, at(now));
        assert_eq!(answer.is_ok(), cost == 0 || cost <= available, "{available}: {limiter:?}");
        if let Err(NotBefore { wait: Some(wait) }) = answer {
            assert!(!wait.is_zero() && wait <= settings.longest_wait(), "{wait}: {limiter:?}");
            let later = at(now).saturating_add(wait);
            if later.as_micros() < 1 << 62 {
                let fits = limiter.clone().acquire(cost, later);
                assert_eq!(fits, Ok(()), "it was to fit after {wait}: {limiter:?}");
            }
        }
        if !times.is_orderly() {
            continue;
        }
        let begins = *start.get_or_insert(now);
        known = known.max(now);
        let since = known - begins;
        let fits = settings.fits(&spent, cost, since);
        if is_fresh {
            assert!(answer.is_err() || fits || cost == 0, "more than the limit: {limiter:?}");
            // As long as it remembers each time.
            let remembers = spent.len() < REMEMBERED;
            assert!(answer.is_ok() || !fits || !remembers, "refused though it fits: {limiter:?}");
        } else {
            // What was spent before is not known; what was since then is.
            let all_times = Settings {
                windows: settings.windows.iter().copied().filter(|one| one.from == 0).collect(),
                phases: Vec::new(),
                ..settings.clone()
            };
            let fits = all_times.fits(&spent, cost, since);
            assert!(answer.is_err() || fits || cost == 0, "more than the limit: {limiter:?}");
        }
        if answer.is_ok() && cost > 0 {
            spent.push((since, cost));
        }
    }
}
