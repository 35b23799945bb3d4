//! Callers of budgets, and of anything that limits by time.

use std::fmt::Debug;

use redress::budget::{Budget, Limit, LimiterConfig, NotBefore, RatioConfig, RollingConfig};
use redress::snapshot::Snapshot;
use redress::{RateLimiter, RatioBudget, RollingBudget};

use super::{Limits, World, ensure, explore, limits};
use crate::{at, us};

const MOST: usize = 2;
const WINDOW: u64 = 4;
/// No reading is as stale as a window: such a one would be of a clock that was set back.
const STALE: u64 = WINDOW - 1;
const START: u64 = 10;

#[derive(Clone, Copy, Debug)]
enum Step {
    Tick,
    SaveAndRestore,
    Read(usize),
    Ask(usize),
}

/// How often a caller still asks, and the clock that it has read for it.
#[derive(Clone, Copy, Debug)]
struct Caller {
    left: u32,
    read: Option<u64>,
}

/// What is in the middle, with the rules of its own.
trait Asked: Clone + Debug {
    fn ask(&mut self, now: u64) -> Result<(), String>;

    fn save_and_restore(&mut self, now: u64) -> Result<(), String>;
}

#[derive(Clone, Debug)]
struct Callers<A> {
    asked: A,
    callers: Vec<Caller>,
    now: u64,
    left: Limits,
}

impl<A> Callers<A> {
    fn new(asked: A, left: Limits) -> Self {
        let callers = vec![Caller { left: 2, read: None }; left.callers];
        Self { asked, callers, now: START, left }
    }
}

impl<A: Asked> World for Callers<A> {
    type Step = Step;

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let readings = self.callers.iter().filter_map(|caller| caller.read);
        let oldest = readings.min().unwrap_or(self.now);
        if self.left.ticks > 0 && self.now - oldest < STALE {
            steps.push(Step::Tick);
        }
        if self.left.snapshots > 0 {
            steps.push(Step::SaveAndRestore);
        }
        for (number, caller) in self.callers.iter().enumerate() {
            match caller.read {
                Some(_) => steps.push(Step::Ask(number)),
                None if caller.left > 0 => steps.push(Step::Read(number)),
                None => {}
            }
        }
        steps
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Tick => {
                self.now += 1;
                self.left.ticks -= 1;
            }
            Step::SaveAndRestore => {
                self.left.snapshots -= 1;
                self.asked.save_and_restore(self.now)?;
            }
            Step::Read(caller) => self.callers[caller].read = Some(self.now),
            Step::Ask(caller) => {
                self.callers[caller].left -= 1;
                let now = self.callers[caller].read.take().unwrap_or_default();
                self.asked.ask(now)?;
            }
        }
        Ok(())
    }
}

fn save_and_restore<S: Snapshot>(state: &mut S, now: u64) -> Result<(), String> {
    let mut bytes = vec![0; S::BYTES];
    state.snapshot(at(now), &mut bytes).unwrap();
    let restored = state.restore(&bytes, at(now), Some(us(0)));
    ensure(restored.is_ok(), "its own snapshot is refused")
}

/// At most `MOST` within any `WINDOW`, whatever it is. A stale instant counts as the latest one
/// that is known: it shortens nothing.
#[derive(Clone, Debug)]
struct Window<L> {
    limit: L,
    /// When each was spent: not before the first instant, not after the second.
    spent: Vec<(u64, u64)>,
    /// The latest instant that it knows from callers.
    known: u64,
    /// Whether it knows each instant that it was asked at, or only those of its grants.
    knows_all: bool,
    /// The latest snapshot. Its instant is known to some extent: what had left the window by
    /// then does not come back.
    saved: u64,
}

impl<L> Window<L> {
    fn new(limit: L, knows_all: bool) -> Self {
        Self { limit, spent: Vec::new(), known: 0, knows_all, saved: 0 }
    }

    /// How many of the instants are less than a window before this one.
    fn within(&self, now: u64, instant: impl Fn(&(u64, u64)) -> u64) -> usize {
        self.spent.iter().filter(|spent| now.saturating_sub(instant(spent)) < WINDOW).count()
    }
}

impl<L: Limit + Snapshot + Clone + Debug> Asked for Window<L> {
    fn ask(&mut self, now: u64) -> Result<(), String> {
        let known = self.known.max(now);
        let latest = known.max(self.saved);
        let surely = self.within(latest, |(earliest, _)| *earliest);
        let perhaps = self.within(known, |(_, latest)| *latest);
        let granted = self.limit.acquire(1, at(now)).is_ok();
        ensure(!granted || surely < MOST, "more than the limit within a window")?;
        ensure(granted || perhaps >= MOST, "refused although there is room in the window")?;
        if granted {
            self.spent.push((known, latest));
        }
        if granted || self.knows_all {
            self.known = known;
        }
        Ok(())
    }

    fn save_and_restore(&mut self, now: u64) -> Result<(), String> {
        self.saved = now;
        save_and_restore(&mut self.limit, now)
    }
}

/// A rolling budget as a limit.
#[derive(Clone, Debug)]
struct Rolling(RollingBudget<MOST>);

impl Limit for Rolling {
    fn acquire(&mut self, cost: u32, now: redress::Instant) -> Result<(), NotBefore> {
        if self.0.consume(cost, now) { Ok(()) } else { Err(NotBefore { wait: None }) }
    }
}

impl Snapshot for Rolling {
    const BYTES: usize = RollingBudget::<MOST>::BYTES;

    fn snapshot(
        &self,
        now: redress::Instant,
        out: &mut [u8],
    ) -> Result<usize, redress::snapshot::SnapshotError> {
        self.0.snapshot(now, out)
    }

    fn restore(
        &mut self,
        bytes: &[u8],
        now: redress::Instant,
        off: Option<redress::Duration>,
    ) -> Result<redress::snapshot::Restored, redress::snapshot::SnapshotError> {
        self.0.restore(bytes, now, off)
    }
}

#[test]
fn a_rolling_budget_in_every_order() {
    const CONFIG: RollingConfig = RollingConfig::new(MOST as u16, us(WINDOW));
    for left in [limits(2, 6, 0), limits(3, 3, 0), limits(2, 4, 1)] {
        let limit = Rolling(RollingBudget::new(&CONFIG).unwrap());
        let states = explore(Callers::new(Window::new(limit, false), left));
        assert!(states > 500, "{left:?}: {states}");
    }
}

#[test]
fn a_rate_limiter_in_every_order() {
    const CONFIG: LimiterConfig = LimiterConfig::new().window(MOST as u32, us(WINDOW));
    for left in [limits(2, 6, 0), limits(3, 3, 0), limits(2, 4, 1)] {
        let limit = RateLimiter::<MOST>::new(&CONFIG).unwrap();
        let states = explore(Callers::new(Window::new(limit, true), left));
        assert!(states > 500, "{left:?}: {states}");
    }
}

/// A quarter of a retry for each microsecond, and two from the start.
#[derive(Clone, Debug)]
struct Ratio {
    budget: RatioBudget,
    granted: u64,
    latest: u64,
}

const SAVED_UP: u64 = 2;

impl Asked for Ratio {
    fn ask(&mut self, now: u64) -> Result<(), String> {
        self.latest = self.latest.max(now);
        self.granted += u64::from(self.budget.consume(1, at(now)));
        let earned = SAVED_UP * 4 + (self.latest - START);
        ensure(self.granted * 4 <= earned, "a moment has earned its floor twice")
    }

    fn save_and_restore(&mut self, now: u64) -> Result<(), String> {
        self.latest = self.latest.max(now);
        save_and_restore(&mut self.budget, now)
    }
}

#[test]
fn the_floor_of_a_ratio_budget_in_every_order() {
    const CONFIG: RatioConfig = RatioConfig::new(0).floor_per_sec(250_000).limit(SAVED_UP as u32);
    for left in [limits(2, 8, 0), limits(3, 4, 0), limits(2, 5, 1)] {
        let budget = RatioBudget::new(&CONFIG).unwrap();
        let asked = Ratio { budget, granted: 0, latest: START };
        let states = explore(Callers::new(asked, left));
        assert!(states > 500, "{left:?}: {states}");
    }
}
