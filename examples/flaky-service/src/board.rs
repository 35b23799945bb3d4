//! What both ways of calling have done so far: the [`Board`] that every caller writes
//! on and the view reads.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redress::{ErrorClass, Event, EventKind, StopReason};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A success at the first attempt.
    AtOnce,
    /// A success at a later attempt.
    Retried,
    /// A failure that no retry can help: 401, 404.
    Refused,
    /// Any other failure.
    Failed,
    /// The breaker let nothing through.
    Rejected,
}

impl Ending {
    const COUNT: usize = 5;
}

/// What one way of calling has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Attempts that were started, each of them one request.
    pub requests: u32,
    /// Failed attempts by class, for calls that are classified.
    pub classes: [u32; ErrorClass::COUNT],
    /// The sleeps between attempts, of all callers together.
    pub waited: Duration,
    /// The longest time that a call took.
    pub slowest: Duration,
    endings: [u32; Ending::COUNT],
}

impl Tally {
    /// A call ended like this and took so long.
    pub fn end(&mut self, ending: Ending, took: Duration) {
        self.endings[ending as usize] += 1;
        self.slowest = self.slowest.max(took);
    }

    /// How many calls ended like this.
    pub const fn ended(&self, ending: Ending) -> u32 {
        self.endings[ending as usize]
    }

    /// How many calls have ended.
    pub fn calls(&self) -> u32 {
        self.endings.iter().sum()
    }

    /// How many calls have succeeded.
    pub const fn successes(&self) -> u32 {
        self.ended(Ending::AtOnce) + self.ended(Ending::Retried)
    }
}

/// An event of a guarded call, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When, since the load began.
    pub at: Duration,
    /// What happened.
    pub kind: EventKind,
    /// In which operation.
    pub operation: String,
    /// The attempt; 0 for events of the breaker.
    pub attempt: u32,
    /// The class of the failure, where there is one.
    pub class: Option<ErrorClass>,
    /// The delay before the next attempt.
    pub delay: Duration,
    /// What the service asked for.
    pub retry_after: Option<Duration>,
    /// Why retrying stopped.
    pub stop_reason: Option<StopReason>,
}

/// `  5.713s  GET /orders  #2  TRANSIENT  retry in 0.133s`
impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let class = self.class.map_or("", ErrorClass::as_str);
        write!(f, "{:7.3}s  {:<14}", self.at.as_secs_f32(), self.operation)?;
        if self.attempt == 0 {
            return write!(f, "      {class:<13} {}", self.kind);
        }
        write!(f, "  #{:<3}{class:<13} ", self.attempt)?;
        match (self.kind, self.stop_reason) {
            (EventKind::Retry, _) => {
                write!(f, "retry in {:.3}s", self.delay.as_secs_f32())?;
                match self.retry_after {
                    Some(hint) => write!(f, " (Retry-After: {})", hint.as_secs()),
                    None => Ok(()),
                }
            }
            (_, Some(reason)) => write!(f, "stop: {reason}"),
            (kind, None) => write!(f, "{kind}"),
        }
    }
}

/// The tallies of both ways of calling, and the notes that are still unread.
#[derive(Debug)]
pub struct Board {
    begun: Instant,
    guarded: Mutex<Tally>,
    naive: Mutex<Tally>,
    notes: Mutex<Vec<Note>>,
    last_failure: Mutex<Option<String>>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            guarded: Mutex::default(),
            naive: Mutex::default(),
            notes: Mutex::default(),
            last_failure: Mutex::default(),
        }
    }
}

impl Board {
    /// The time since the board was put up.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Reads or changes the tally of the guarded calls.
    pub fn guarded<R>(&self, write: impl FnOnce(&mut Tally) -> R) -> R {
        write(&mut lock(&self.guarded))
    }

    /// Reads or changes the tally of the naive calls.
    pub fn naive<R>(&self, write: impl FnOnce(&mut Tally) -> R) -> R {
        write(&mut lock(&self.naive))
    }

    /// Notes an event of a guarded call.
    pub fn note(&self, event: &Event<'_>) {
        let note = Note {
            at: self.elapsed(),
            kind: event.kind,
            operation: event.operation.to_owned(),
            attempt: event.attempt,
            class: event.class,
            delay: event.delay.into(),
            retry_after: event.retry_after.map(Into::into),
            stop_reason: event.stop_reason,
        };
        lock(&self.notes).push(note);
    }

    /// Takes the notes that have been written since the last time.
    pub fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut lock(&self.notes))
    }

    /// Keeps what the latest failed call came to, for people to read.
    pub fn fail(&self, failure: String) {
        *lock(&self.last_failure) = Some(failure);
    }

    /// What the latest failed call came to.
    pub fn last_failure(&self) -> Option<String> {
        lock(&self.last_failure).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
