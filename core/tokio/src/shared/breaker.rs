//! A breaker that processes share: [`SharedBreaker`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use redress::breaker::{CallResult, CircuitOpen, Gate, Permit};
use redress::budget::{Budget, RollingConfig};
use redress::event::CircuitState;
use redress::random::{Draw, SystemRandom};
use redress::snapshot::SnapshotError;
use redress::{Clock, Duration, Instant};

use super::state::{Core, SharedState};
use super::{Sharing, Store};
use crate::settings::{Problem, SettingsError};
use crate::time::TokioTime;
use crate::upstream::{AnyBreaker, AnyBudget, Pass, SharedBreaker as LocalBreaker};
use crate::{AsyncGate, BreakerKind};

/// A breaker whose state is in a store that processes share: for
/// [`Upstream::call_through`](crate::Upstream::call_through). It is one breaker: the key of a call
/// only names the call.
///
/// Its time is that of the store. Clones are one handle, whose calls at the same time share an
/// exchange with the store.
pub struct SharedBreaker<S: Store> {
    state: Arc<SharedState<S, Shared>>,
    kind: BreakerKind,
    own: Option<Own>,
}

/// The permit of a call through a [`SharedBreaker`].
#[derive(Debug)]
pub struct SharedPermit {
    permit: Permit,
    /// Whether a closed breaker admitted the call.
    is_closed: bool,
    own: Option<OwnPass>,
}

/// What counts the failures of this process.
#[derive(Clone)]
struct Own {
    breaker: LocalBreaker,
    /// How many more of its failures the others may know of.
    share: Arc<Mutex<AnyBudget>>,
}

/// A pass of the breaker of this process, which goes back if its call is dropped.
#[derive(Debug)]
struct OwnPass {
    breaker: LocalBreaker,
    pass: Option<Pass>,
}

impl OwnPass {
    fn settle(mut self, result: CallResult) -> Option<CircuitState> {
        let (pass, now) = (self.pass.take()?, TokioTime.now());
        self.breaker.settle(pass, result, Duration::ZERO, random(), now)
    }
}

impl Drop for OwnPass {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.breaker.cancel(pass);
        }
    }
}

impl<S: Store> SharedBreaker<S> {
    /// A handle to the breaker of this key with these settings, a
    /// [`BreakerConfig`](redress::BreakerConfig) with any window. Processes whose settings are equal
    /// have one breaker; one with other settings has another under the same key.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for the first setting that is out of its range, for a key that is empty, and
    /// for [`check_before_retry`](redress::BreakerConfig::check_before_retry) and
    /// [`open_for_hint`](redress::BreakerConfig::open_for_hint), which need an answer of the store in
    /// the middle of a call.
    pub fn new(
        store: S,
        sharing: impl Into<Sharing>,
        settings: impl Into<BreakerKind>,
    ) -> Result<Self, SettingsError> {
        let (sharing, kind) = (sharing.into(), settings.into());
        sharing.check("sharedBreaker")?;
        let breaker = breaker_of(&kind)?;
        // Both need an answer of the store in the middle of a call.
        let wants = |wanted: fn(&Permit) -> bool| breaker.permit().as_ref().is_some_and(wanted);
        let unfit = if wants(Permit::wants_check) {
            Some(("checkBeforeRetry", "true"))
        } else if wants(Permit::wants_hints) {
            Some(("openForHintMs", "a limit"))
        } else {
            None
        };
        if let Some((name, value)) = unfit {
            let expected = "an option here: calls ask the store when they begin and end alone";
            let path = format!("sharedBreaker.{name}");
            return Err(SettingsError::new(path, value, Problem::IsNot, expected));
        }
        Ok(Self {
            state: Arc::new(SharedState::new(store, sharing, Shared(breaker))),
            kind,
            own: None,
        })
    }

    /// Bounds how many failures of this handle count for the other processes: at most `failures`
    /// within any window, so that one bad process does not open the breaker for all. A failure beyond
    /// that counts for this process alone, whose own calls are rejected when all its failures
    /// reach the threshold. The failure of a probe counts always. A process that starts anew, and
    /// another handle, have a share of their own. No bound by default.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] unless `failures` is 1 or more and less than each threshold, and for a breaker
    /// that counts a share of calls.
    pub fn max_own_failures(self, failures: u8) -> Result<Self, SettingsError> {
        let path = "sharedBreaker.maxOwnFailures";
        let BreakerKind::Failures(config) = self.kind else {
            let expected = "used with a window that counts a share";
            return Err(SettingsError::new(path, failures, Problem::IsNot, expected));
        };
        if failures == 0 || failures >= config.least_threshold() {
            let most = config.least_threshold().saturating_sub(1);
            let expected =
                format!("a whole number of at least 1, at most {most}: less than each threshold");
            return Err(SettingsError::new(path, failures, Problem::OutOfRange, expected));
        }
        let share = AnyBudget::new(&RollingConfig::new(failures.into(), config.window()).into());
        let share = share.map_err(|error| SettingsError::of_core(path, &error))?;
        let breaker = LocalBreaker::new(&self.kind);
        let breaker = breaker.map_err(|error| SettingsError::of_core(path, &error))?;
        let own = Own { breaker, share: Arc::new(Mutex::new(share)) };
        Ok(Self { own: Some(own), ..self })
    }

    /// The key of its state in the store.
    pub fn key(&self) -> &str {
        self.state.key()
    }

    /// Whether nothing changes in a closed breaker by this result.
    fn changes_nothing(&self, result: CallResult) -> bool {
        match result {
            CallResult::Cancelled => true,
            CallResult::Success => matches!(self.kind, BreakerKind::Failures(_)),
            CallResult::Failure(_) => false,
        }
    }
}

fn breaker_of(kind: &BreakerKind) -> Result<AnyBreaker, SettingsError> {
    AnyBreaker::new(kind).map_err(|error| SettingsError::of_core("sharedBreaker", &error))
}

fn random() -> u32 {
    SystemRandom.draw().unwrap_or_default()
}

impl<S: Store> Clone for SharedBreaker<S> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), kind: self.kind, own: self.own.clone() }
    }
}

impl<S: Store> fmt::Debug for SharedBreaker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBreaker")
            .field("key", &self.key())
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl<S: Store> AsyncGate for SharedBreaker<S> {
    type Permit = SharedPermit;

    async fn admit(&self, _: &str) -> Result<(SharedPermit, bool), CircuitOpen> {
        let mut own = None;
        let mut own_half_opened = false;
        if let Some(Own { breaker, .. }) = &self.own {
            let (pass, half_opened) = breaker.admit(TokioTime.now())?;
            own = Some(OwnPass { breaker: breaker.clone(), pass: Some(pass) });
            own_half_opened = half_opened;
        }
        let Answer::Admission(admission) = self.state.ask(Question::Admit).await else {
            return Err(UNREACHABLE);
        };
        let Admission { permit, is_closed, half_opened } = admission?;
        Ok((SharedPermit { permit, is_closed, own }, half_opened || own_half_opened))
    }

    async fn settle(&self, permit: SharedPermit, result: CallResult) -> Option<CircuitState> {
        let SharedPermit { permit, is_closed, own } = permit;
        let own_state = own.and_then(|own| own.settle(result));
        if is_closed && self.changes_nothing(result) {
            return own_state;
        }
        let share = self.own.as_ref().filter(|_| is_closed).map(|own| own.share.clone());
        let question = Question::Settle { permit, result, share, has_share: None };
        match self.state.ask(question).await {
            Answer::Change(state) => state.or(own_state),
            Answer::Admission(_) => own_state,
        }
    }
}

/// The state in the store.
struct Shared(AnyBreaker);

enum Question {
    Admit,
    Settle {
        permit: Permit,
        result: CallResult,
        /// What bounds the failures of this process that count.
        share: Option<Arc<Mutex<AnyBudget>>>,
        /// Whether this one counts, if it was decided before.
        has_share: Option<bool>,
    },
}

struct Admission {
    permit: Permit,
    is_closed: bool,
    half_opened: bool,
}

enum Answer {
    Admission(Result<Admission, CircuitOpen>),
    Change(Option<CircuitState>),
}

/// The rejection if the store cannot be reached.
const UNREACHABLE: CircuitOpen =
    CircuitOpen { state: CircuitState::Open, retry_after: Some(Duration::ZERO) };

impl Core for Shared {
    type Question = Question;
    type Answer = Answer;

    fn save(&self, now: Instant) -> Vec<u8> {
        self.0.save(now)
    }

    fn restore(&mut self, bytes: &[u8], now: Instant) -> Result<(), SnapshotError> {
        self.0.restore(bytes, now)
    }

    fn decide(&mut self, question: &mut Question, now: Instant) -> Answer {
        match question {
            Question::Admit => Answer::Admission(self.0.admit(now).map(|(admitted, is_closed)| {
                let (permit, half_opened) = (admitted.permit, admitted.half_opened);
                Admission { permit, is_closed, half_opened }
            })),
            Question::Settle { permit, result, share: None, .. } => {
                Answer::Change(self.0.settle(*permit, *result, random(), now))
            }
            Question::Settle { permit, result, share: Some(share), has_share } => {
                let before = self.0.save(now);
                let change = self.0.settle(*permit, *result, random(), now);
                if self.0.save(now) == before {
                    return Answer::Change(change);
                }
                // Once, however often the state is read anew.
                let counts = *has_share.get_or_insert_with(|| {
                    share.lock().unwrap_or_else(PoisonError::into_inner).consume(1, now)
                });
                if counts {
                    return Answer::Change(change);
                }
                let _ = self.0.restore(&before, now);
                Answer::Change(None)
            }
        }
    }

    fn otherwise(question: &Question) -> Answer {
        match question {
            Question::Admit => Answer::Admission(Err(UNREACHABLE)),
            Question::Settle { .. } => Answer::Change(None),
        }
    }

    fn take_back(answer: Answer) -> Option<Question> {
        match answer {
            Answer::Admission(Ok(Admission { permit, is_closed: false, .. })) => {
                let result = CallResult::Cancelled;
                Some(Question::Settle { permit, result, share: None, has_share: None })
            }
            _ => None,
        }
    }
}
