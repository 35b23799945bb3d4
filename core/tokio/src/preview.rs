//! What a policy does before it ships: [`preview`] makes calls that fail on a clock of its own,
//! and shows the delays and where they stop.

use std::cell::Cell;
use std::fmt;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use redress::driver::Decision;
use redress::{Classification, Duration, ErrorClass, Policy, Retry, StopReason};

/// How many calls are made for each class. Each has a seed of its own, always the same.
const CALLS: u64 = 1_001;
/// At most so many delays of a call are kept.
const DELAYS: usize = 1_000;

/// What a policy does with calls that fail; [`preview`] makes it. Its `Display` form is a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// The policy's limits.
    pub max_attempts: u32,
    /// The deadline of a call; [`Duration::MAX`] for none.
    pub deadline: Duration,
    /// The attempt timeout; [`Duration::MAX`] for none.
    pub attempt_timeout: Duration,
    /// The longest call that was found, where each attempt takes as long as it may; `None` if there
    /// is neither a deadline nor an attempt timeout.
    pub worst: Option<Duration>,
    /// What each class gets, in the order of [`ErrorClass::ALL`].
    pub classes: Vec<ClassPreview>,
}

/// What calls get whose attempts all fail with one class, at once and without a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassPreview {
    /// The class.
    pub class: ErrorClass,
    /// The delay after each failure that is retried in at least half of the calls.
    pub delays: Vec<Spread>,
    /// Why most of the calls stop.
    pub stops: StopReason,
}

/// The delays after the same failure of many calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spread {
    /// The shortest.
    pub min: Duration,
    /// The one in the middle.
    pub median: Duration,
    /// The longest.
    pub max: Duration,
}

/// Runs 1,001 calls of each class through the policy, on a clock that only their delays move, and
/// with randomness of fixed seeds: the same policy gives the same preview.
///
/// ```
/// use redress::{Backoff, Duration, Policy};
/// use redress_tokio::preview::preview;
///
/// let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(5));
/// let policy = Policy::builder().max_attempts(3).backoff(backoff).build()?;
/// assert_eq!(
///     preview(&policy).to_string().lines().last(),
///     Some("UNKNOWN      0.1s, 0.2s; then MAX_UNKNOWN_ATTEMPTS"),
/// );
/// # Ok::<(), redress::config::ConfigError>(())
/// ```
pub fn preview(policy: &Policy) -> Preview {
    let classes: Vec<_> = ErrorClass::ALL.map(|class| of_class(policy, class)).into();
    let (deadline, timeout) = (policy.deadline(), policy.attempt_timeout());
    let worst = if deadline < Duration::MAX {
        Some(worst(policy).min(deadline))
    } else if timeout < Duration::MAX {
        Some(worst(policy))
    } else {
        None
    };
    let max_attempts = policy.max_attempts();
    Preview { max_attempts, deadline, attempt_timeout: timeout, worst, classes }
}

/// The longest call found, if each attempt takes as long as it may.
fn worst(policy: &Policy) -> Duration {
    let longest = ErrorClass::ALL.into_iter().flat_map(|class| {
        (0..CALLS).map(move |seed| Failing::new(policy, class, seed).run(policy.attempt_timeout()))
    });
    longest.map(|call| call.took).max().unwrap_or_default()
}

fn of_class(policy: &Policy, class: ErrorClass) -> ClassPreview {
    let calls: Vec<_> =
        (0..CALLS).map(|seed| Failing::new(policy, class, seed).run(Duration::ZERO)).collect();
    let mut delays = Vec::new();
    for nth in 0..DELAYS {
        let mut nths: Vec<_> =
            calls.iter().filter_map(|call| call.delays.get(nth).copied()).collect();
        if nths.len() * 2 < calls.len() {
            break;
        }
        nths.sort_unstable();
        let (min, median, max) = (nths[0], nths[nths.len() / 2], nths[nths.len() - 1]);
        delays.push(Spread { min, median, max });
    }
    let most = |reason: &StopReason| calls.iter().filter(|call| call.stops == *reason).count();
    let stops = StopReason::ALL.into_iter().max_by_key(most).unwrap_or(StopReason::Aborted);
    ClassPreview { class, delays, stops }
}

/// A call whose attempts all fail.
struct Failing<'p> {
    policy: &'p Policy,
    class: ErrorClass,
    seed: u64,
}

/// How it went.
struct Failed {
    delays: Vec<Duration>,
    stops: StopReason,
    took: Duration,
}

impl<'p> Failing<'p> {
    fn new(policy: &'p Policy, class: ErrorClass, seed: u64) -> Self {
        Self { policy, class, seed }
    }

    /// Runs the call; each attempt takes `span`, or what is left for it if that is less.
    fn run(self, span: Duration) -> Failed {
        let clock = Cell::new(0_u64);
        let pass = |span: Duration| clock.set(clock.get().saturating_add(span.as_micros()));
        let random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut retry = Retry::new(self.policy, &clock, random);
        let (mut delays, mut stops) = (Vec::new(), StopReason::MaxAttemptsGlobal);
        if let Ok(mut steps) = retry.begin() {
            loop {
                let attempt = match steps.start() {
                    Ok(attempt) => attempt,
                    Err(reason) => {
                        stops = reason;
                        break;
                    }
                };
                pass(span.min(attempt.timeout));
                match steps.fail(Classification::from(self.class)) {
                    Decision::Retry { after } => {
                        delays.push(after);
                        pass(after);
                    }
                    Decision::TooLong { .. } => {
                        stops = StopReason::DeadlineExceeded;
                        break;
                    }
                    Decision::Stop(reason) => {
                        stops = reason;
                        break;
                    }
                }
                if let Err(reason) = steps.on_wake() {
                    stops = reason;
                    break;
                }
                if delays.len() >= DELAYS {
                    break;
                }
            }
        }
        Failed { delays, stops, took: Duration::from_micros(clock.get()) }
    }
}

/// How many delays of a class are printed.
const SHOWN: usize = 8;

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.max_attempts == 1 { "" } else { "s" };
        write!(f, "at most {} attempt{plural}", self.max_attempts)?;
        if self.deadline < Duration::MAX {
            write!(f, " within {}", self.deadline)?;
        }
        if self.attempt_timeout < Duration::MAX {
            write!(f, ", each for {} at most", self.attempt_timeout)?;
        }
        match self.worst {
            Some(worst) => writeln!(f, "\nthe longest call takes {worst}")?,
            None => writeln!(f, "\na call may take for ever: no deadline, no attempt timeout")?,
        }
        writeln!(f, "\nclass        delays: the median (shortest to longest) of {CALLS} calls")?;
        for ClassPreview { class, delays, stops } in &self.classes {
            write!(f, "{:<12} ", class.as_str())?;
            for (nth, delay) in delays.iter().take(SHOWN).enumerate() {
                write!(f, "{}{delay}", if nth == 0 { "" } else { ", " })?;
            }
            if delays.len() > SHOWN {
                write!(f, ", and {} more", delays.len() - SHOWN)?;
            }
            let semicolon = if delays.is_empty() { "not retried" } else { "; then" };
            let reason = if delays.is_empty() { format!(": {stops}") } else { format!(" {stops}") };
            writeln!(f, "{semicolon}{reason}")?;
        }
        Ok(())
    }
}

/// `0.1s`, or `0.075s (0.05s to 0.1s)`; rounded to a millisecond from there on.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = |span: Duration| {
            let micros = span.as_micros();
            let step = if micros >= 1_000 { 1_000 } else { 1 };
            Duration::from_micros((micros + step / 2) / step * step)
        };
        let [min, median, max] = [self.min, self.median, self.max].map(rounded);
        if min == max { write!(f, "{median}") } else { write!(f, "{median} ({min} to {max})") }
    }
}
