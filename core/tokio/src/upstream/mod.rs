//! What the calls of one upstream share, as a value for a field of a struct: [`Upstream`].

mod breaker;
mod budget;
mod keys;

pub(crate) use breaker::{Any as AnyBreaker, PERMITS, SLICES};
pub use breaker::{BreakerKind, Pass, SharedBreaker};
pub(crate) use budget::Any as AnyBudget;
pub use budget::BudgetKind;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use redress::budget::{Budget, Pool, Withdraw};
use redress::classify::{ByError, Classifier, Classify, Verdict};
use redress::config::{ConfigError, Settings};
use redress::event::{CallTarget, CircuitState, Observers};
use redress::random::SystemRandom;
use redress::{Attempt, Clock, Error, Instant, Policy, Retry};

use crate::classify::Auto;
use crate::deadline::WithinRequest;
use crate::settings::{Checked, KEYS, Remembering, SettingsError, UpstreamSettings};
use crate::time::TokioTime;
use budget::SharedBudget;
use keys::{KeyState, Keys};

/// A policy with what its calls share: a breaker for each key, a budget of all calls or of each
/// key, observers and a classifier.
///
/// It is a value for a field of a struct. A clone shares the breakers and the budget, and every
/// method takes `&self`, so that any number of tasks use one `Upstream`.
///
/// `O` are its observers and `K` its classifier; the defaults observe nothing and know the errors
/// of the clients whose features are on ([`Auto`]).
///
/// ```
/// use redress::budget::RatioConfig;
/// use redress::{Backoff, BreakerConfig, Duration, Policy};
/// use redress_tokio::Upstream;
///
/// struct Orders {
///     upstream: Upstream,
/// }
///
/// impl Orders {
///     fn new() -> Result<Self, redress::config::ConfigError> {
///         let policy = Policy::builder()
///             .max_attempts(4)
///             .backoff(Backoff::full_jitter(Duration::from_millis(50), Duration::from_secs(2)))
///             .build()?;
///         let upstream = Upstream::new(policy)
///             .breaker(BreakerConfig::failures(5, Duration::from_secs(60)))?
///             .budget(RatioConfig::new(100))?;
///         Ok(Self { upstream })
///     }
///
///     async fn greet(&self) -> Result<Vec<u8>, redress::Error<std::io::Error>> {
///         let mut call = self.upstream.at("shelf-1").operation("read the greeting");
///         call.call_future(|_| tokio::fs::read("greeting")).await
///     }
/// }
/// ```
pub struct Upstream<O = (), K = Auto> {
    shared: Arc<Shared>,
    name: Option<Arc<str>>,
    /// Whether each attempt of a request of HTTP says how long it is waited for.
    pub(crate) forwards_deadline: bool,
    observer: O,
    classifier: K,
}

/// What all clones have in common.
struct Shared {
    state: RwLock<Arc<State>>,
}

impl Shared {
    fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: RwLock::new(Arc::new(state)) })
    }

    #[inline]
    fn state(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }
}

/// What calls that begin now use; an update replaces it as a whole.
#[derive(Clone)]
pub(crate) struct State {
    policy: Policy,
    /// The same policy with one attempt, for what may not be sent twice.
    once: Policy,
    /// Breakers and budgets by key.
    by_key: Option<Arc<Keys>>,
    /// The budget of all calls.
    budget: Option<Arc<SharedBudget>>,
    /// How many keys there may be.
    capacity: usize,
    /// Strategies of settings that remember outcomes.
    remembering: Arc<Remembering>,
}

/// The policy of a call, which keeps it if the upstream is updated meanwhile.
#[derive(Clone)]
pub struct CallPolicy {
    state: Arc<State>,
    once: bool,
}

impl Settings<Policy> for CallPolicy {
    #[inline]
    fn settings(&self) -> &Policy {
        if self.once { &self.state.once } else { &self.state.policy }
    }
}

impl fmt::Debug for CallPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings().fmt(f)
    }
}

/// The budget of an upstream, if it has one.
#[derive(Clone)]
pub struct CallBudget(Option<Arc<SharedBudget>>);

impl Withdraw for CallBudget {
    #[inline]
    fn withdraw(&self, now: Instant) -> bool {
        self.0.as_ref().is_none_or(|shared| shared.lock().consume(1, now))
    }
}

impl Pool for CallBudget {
    #[inline]
    fn deposit(&self) {
        if let Some(shared) = &self.0 {
            shared.lock().deposit();
        }
    }
}

impl fmt::Debug for CallBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallBudget").field(&self.0.as_ref().map(|shared| shared.kind)).finish()
    }
}

/// The parts of the [`Retry`] of an upstream.
pub type UpstreamParts<O> = (
    TokioTime,
    SystemRandom,
    Option<SharedBreaker>,
    CallBudget,
    ((), O),
    WithinRequest,
    CallPolicy,
);

/// A [`Retry`] of an upstream.
pub type UpstreamRetry<'a, O = (), K = Auto> = Retry<'a, UpstreamParts<O>, Classifier<K>>;

impl Upstream {
    /// An upstream with this policy, and without a breaker, a budget and observers.
    pub fn new(policy: Policy) -> Self {
        Self::of(State {
            once: once(&policy),
            policy,
            by_key: None,
            budget: None,
            capacity: KEYS,
            remembering: Arc::default(),
        })
    }

    /// An upstream of settings that were read at run time.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] of everything that is wrong, each with its path.
    pub fn from_settings(settings: &UpstreamSettings) -> Result<Self, SettingsError> {
        let remembering = Arc::<Remembering>::default();
        let checked = settings.checked(&remembering)?;
        Ok(Self::of(State::of_checked(&checked, remembering, None)?))
    }

    fn of(state: State) -> Self {
        Self {
            shared: Shared::new(state),
            name: None,
            forwards_deadline: false,
            observer: (),
            classifier: Auto,
        }
    }
}

impl State {
    /// The state of these settings. A breaker and a budget whose settings have not changed are
    /// those of `before`.
    fn of_checked(
        checked: &Checked,
        remembering: Arc<Remembering>,
        before: Option<&Self>,
    ) -> Result<Self, SettingsError> {
        let &Checked { policy, breaker, budget, budget_by_key, capacity } = checked;
        let kept = before.and_then(|before| before.by_key.clone());
        let is_same = |kept: &Arc<Keys>| {
            (kept.breaker, kept.budget, kept.capacity) == (breaker, budget_by_key, capacity)
        };
        let by_key = match kept.filter(is_same) {
            Some(kept) => Some(kept),
            None if breaker.is_none() && budget_by_key.is_none() => None,
            None => {
                let keys = Keys::new(breaker, budget_by_key, capacity);
                Some(Arc::new(keys.map_err(|e| SettingsError::of_core("circuitBreaker", &e))?))
            }
        };
        let kept = before.and_then(|before| before.budget.clone());
        let budget = match (budget, kept) {
            (None, _) => None,
            (Some(kind), Some(kept)) if kept.kind == kind => Some(kept),
            (Some(kind), _) => {
                let budget = SharedBudget::new(kind);
                Some(Arc::new(budget.map_err(|e| SettingsError::of_core("retry.budget", &e))?))
            }
        };
        Ok(Self { once: once(&policy), policy, by_key, budget, capacity, remembering })
    }

    /// What calls of this key use, the budget of all if the key has none of its own.
    fn of_key(&self, key: &str) -> KeyState {
        let own = self.by_key.as_ref().map(|keys| keys.state(key, || TokioTime.now()));
        let KeyState { breaker, budget } = own.unwrap_or_default();
        KeyState { breaker, budget: budget.or_else(|| self.budget.clone()) }
    }
}

/// Settings that [`Upstream::prepare`] has checked.
#[must_use = "nothing changes before `apply`"]
pub struct Prepared {
    shared: Arc<Shared>,
    state: State,
}

impl Prepared {
    /// Replaces the settings of the upstream and of all its clones.
    pub fn apply(self) {
        self.shared.replace(self.state);
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("policy", &self.state.policy).finish_non_exhaustive()
    }
}

/// The same policy with one attempt.
fn once(policy: &Policy) -> Policy {
    policy.config().max_attempts(1).build().unwrap_or(*policy)
}

impl<O, K> Upstream<O, K> {
    fn change(
        self,
        change: impl FnOnce(&mut State) -> Result<(), ConfigError>,
    ) -> Result<Self, ConfigError> {
        let mut state = State::clone(&self.shared.state());
        change(&mut state)?;
        Ok(Self { shared: Shared::new(state), ..self })
    }

    /// Gives each key a breaker with these settings: a
    /// [`BreakerConfig`](redress::BreakerConfig) with any window. Calls that name no key share
    /// one more. Set it before the upstream is cloned: what was cloned before keeps its own.
    ///
    /// A breaker counts calls and not attempts, and by default only calls that ended in TRANSIENT or
    /// `SERVER_ERROR` ([`trip_on`](redress::BreakerConfig::trip_on)). A threshold is 1 to 255, a window of
    /// the last calls up to 1,024 of them, and there are up to 4 probes at once.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range.
    pub fn breaker(self, settings: impl Into<BreakerKind>) -> Result<Self, ConfigError> {
        self.change(|state| {
            let budget = state.by_key.as_ref().and_then(|keys| keys.budget);
            state.by_key =
                Some(Arc::new(Keys::new(Some(settings.into()), budget, state.capacity)?));
            Ok(())
        })
    }

    /// All calls take their retries from a budget with these settings: a
    /// [`RatioConfig`](redress::budget::RatioConfig) or a
    /// [`RollingConfig`](redress::budget::RollingConfig). Set it before the upstream is cloned.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range.
    pub fn budget(self, settings: impl Into<BudgetKind>) -> Result<Self, ConfigError> {
        self.change(|state| {
            state.budget = Some(Arc::new(SharedBudget::new(settings.into())?));
            Ok(())
        })
    }

    /// As [`budget`](Self::budget), with a budget for each key in place of the one of all calls. What a
    /// ratio leaves out has the defaults of a key: it begins with 1 retry and earns none by time.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range.
    pub fn budget_by_key(self, settings: impl Into<BudgetKind>) -> Result<Self, ConfigError> {
        self.change(|state| {
            let breaker = state.by_key.as_ref().and_then(|keys| keys.breaker);
            state.by_key =
                Some(Arc::new(Keys::new(breaker, Some(settings.into()), state.capacity)?));
            Ok(())
        })
    }

    /// Notifies this observer of every call, in place of the one before: an
    /// [`Observer`](redress::Observer), or a pair of them, `(Tracing::new(), Metrics::new())`; a closure is
    /// one as [`OnEvent(closure)`](redress::event::OnEvent). Each call gets a clone of it, so what is to outlive a call
    /// belongs in an `Arc`.
    pub fn observer<N: Observers + Clone>(self, observer: N) -> Upstream<N, K> {
        let Self { shared, name, forwards_deadline, classifier, .. } = self;
        Upstream { shared, name, forwards_deadline, observer, classifier }
    }

    /// Names the upstream in spans, logs and metrics: `orders`, `postgres`. By default it has no
    /// name.
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sends with each attempt of a request of HTTP how long it is waited for, so that the other side
    /// stops working in time: `x-request-deadline` in milliseconds, and `grpc-timeout` for gRPC. It is
    /// what is left of the deadline, or the attempt timeout if that is shorter, and replaces such a
    /// header of the request. Off by default: then the request is sent as it is. Holds for
    /// [`send_with`](crate::reqwest::SendWith) and [`layer`](Self::layer).
    #[cfg(feature = "http")]
    pub fn forward_deadline(self) -> Self {
        Self { forwards_deadline: true, ..self }
    }

    /// Classifies errors with this classifier in place of [`Auto`], for instance
    /// [`Boxed`](crate::classify::Boxed) or a type of your own.
    pub fn classifier<N: Clone>(self, classifier: N) -> Upstream<O, N> {
        let Self { shared, name, forwards_deadline, observer, .. } = self;
        Upstream { shared, name, forwards_deadline, observer, classifier }
    }

    /// Classifies errors with a function, in place of [`Auto`]: it returns an
    /// [`ErrorClass`](redress::ErrorClass), a [`Classification`](redress::Classification) or a
    /// [`Verdict`]. For a field, the type is written with a function pointer:
    ///
    /// ```
    /// use redress::classify::ByError;
    /// use redress::{ErrorClass, Policy};
    /// use redress_tokio::Upstream;
    ///
    /// enum DbError {
    ///     Busy,
    ///     NoTable,
    /// }
    ///
    /// fn class(error: &DbError) -> ErrorClass {
    ///     match error {
    ///         DbError::Busy => ErrorClass::Transient,
    ///         DbError::NoTable => ErrorClass::Permanent,
    ///     }
    /// }
    ///
    /// struct Database {
    ///     upstream: Upstream<(), ByError<fn(&DbError) -> ErrorClass>>,
    /// }
    ///
    /// fn database(policy: Policy) -> Database {
    ///     Database { upstream: Upstream::new(policy).classify(class as fn(&DbError) -> ErrorClass) }
    /// }
    /// # let _ = (database, DbError::Busy, DbError::NoTable);
    /// ```
    pub fn classify<E, C, F>(self, classify: F) -> Upstream<O, ByError<F>>
    where
        C: Into<Verdict>,
        F: FnMut(&E) -> C + Clone,
    {
        self.classifier(ByError(classify))
    }

    /// Replaces all settings of this upstream and of all its clones. What `settings` leaves out has
    /// its default afterwards: without `circuit_breaker` there is no breaker, also if one was set in
    /// code. Calls that have begun keep the settings that they began with. A breaker or a budget whose
    /// settings have not changed keeps its state; one whose settings have changed starts anew.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] of everything that is wrong; then nothing changes.
    ///
    /// Several upstreams whose settings are in one file are updated all or none by
    /// [`prepare`](Self::prepare).
    pub fn update(&self, settings: &UpstreamSettings) -> Result<(), SettingsError> {
        self.prepare(settings)?.apply();
        Ok(())
    }

    /// Checks settings as [`update`](Self::update) does, and changes nothing before
    /// [`Prepared::apply`], which cannot fail.
    ///
    /// ```
    /// use redress_tokio::{SettingsError, Upstream, UpstreamSettings};
    ///
    /// /// All of them, or none.
    /// fn update(all: &[(&Upstream, UpstreamSettings)]) -> Result<(), SettingsError> {
    ///     let prepared: Result<Vec<_>, _> =
    ///         all.iter().map(|(upstream, settings)| upstream.prepare(settings)).collect();
    ///     prepared?.into_iter().for_each(|prepared| prepared.apply());
    ///     Ok(())
    /// }
    /// # update(&[]).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SettingsError`] of everything that is wrong.
    pub fn prepare(&self, settings: &UpstreamSettings) -> Result<Prepared, SettingsError> {
        let before = self.shared.state();
        let remembering = before.remembering.clone();
        let checked = settings.checked(&remembering)?;
        let state = State::of_checked(&checked, remembering, Some(&before))?;
        Ok(Prepared { shared: self.shared.clone(), state })
    }

    /// The policy of calls that begin now.
    pub fn policy(&self) -> Policy {
        self.shared.state().policy
    }

    /// The breaker of `key`, if there is room for it; `None` without a breaker. With an empty
    /// key the breaker of calls that name none.
    pub fn breaker_of(&self, key: &str) -> Option<SharedBreaker> {
        self.shared.state().of_key(key).breaker
    }

    /// The keys that have a breaker, with it, in no order. The breaker of calls that name no key is
    /// not among them: [`breaker_of("")`](Self::breaker_of) returns it.
    pub fn breakers(&self) -> Vec<(Arc<str>, SharedBreaker)> {
        let state = self.shared.state();
        state.by_key.as_ref().map(|keys| keys.breakers()).unwrap_or_default()
    }

    /// How often a key found no room, so that its call ran without a breaker.
    pub fn refused_keys(&self) -> u64 {
        self.shared.state().by_key.as_ref().map_or(0, |keys| keys.refused())
    }

    /// How many retries the budget of `key` has left; of the one of all calls if it has none of its
    /// own, `None` without a budget.
    pub fn retries_left(&self, key: &str) -> Option<u32> {
        let budget = self.shared.state().of_key(key).budget?;
        Some(budget.lock().remaining(TokioTime.now()))
    }
}

impl<O: Observers + Clone, K: Clone> Upstream<O, K> {
    /// The call of a host, a device or a tenant: `key` has its own breaker. Run an operation with
    /// [`call_future`](Retry::call_future), after hooks and limits for this call alone.
    ///
    /// No allocation is made for a key that is known. Above the capacity of 1,000 keys a new key takes
    /// the place of one whose breaker is closed; if there is none, its calls run without a breaker
    /// ([`refused_keys`](Self::refused_keys)). A call that is made while a server handles a request ends
    /// with the request's deadline, if that is earlier than its own ([`deadline`](crate::deadline)).
    pub fn at<'a>(&self, key: &str) -> UpstreamRetry<'a, O, K> {
        self.retry(key, false)
    }

    /// As [`at`](Self::at), with one attempt, for what may not be sent twice. Its breaker counts
    /// it all the same.
    pub fn once_at<'a>(&self, key: &str) -> UpstreamRetry<'a, O, K> {
        self.retry(key, true)
    }

    /// A call that names no key, of this name in events.
    pub fn operation<'a>(&self, operation: &'a str) -> UpstreamRetry<'a, O, K> {
        self.retry("", false).operation(operation)
    }

    /// The observer of a call of this key.
    pub(crate) fn observer_of_call(&self, key: &str) -> O {
        let mut observer = self.observer.clone();
        let name = self.name.as_deref().unwrap_or_default();
        if O::OBSERVES && !(name.is_empty() && key.is_empty()) {
            observer.on_call_target(&CallTarget::new(name, key));
        }
        observer
    }

    fn retry<'a>(&self, key: &str, once: bool) -> UpstreamRetry<'a, O, K> {
        self.retry_to(key, key, once)
    }

    /// A call with the breaker and the budget of `key`, whose observers hear that it goes to `target`.
    #[inline]
    pub(crate) fn retry_to<'a>(
        &self,
        key: &str,
        target: &str,
        once: bool,
    ) -> UpstreamRetry<'a, O, K> {
        let state = self.shared.state();
        let KeyState { breaker, budget } = state.of_key(key);
        let within = WithinRequest::of(state.policy.deadline());
        let policy = CallPolicy { state, once };
        Retry::new(policy, TokioTime, SystemRandom)
            .breaker(breaker)
            .budget(CallBudget(budget))
            .observer(self.observer_of_call(target))
            .control(within)
            .classifier(self.classifier.clone())
    }

    /// Opens the breaker of `key` as failures do: it admits a probe after its recovery time. With an
    /// empty key it is the breaker of calls that name none. Returns the change of state, which
    /// observers are notified of; `None` without a breaker.
    pub fn trip(&self, key: &str) -> Option<CircuitState> {
        self.at(key).trip()
    }

    /// Opens the breaker of `key` until [`reset`](Self::reset), as [`trip`](Self::trip) otherwise: for
    /// an upstream that is taken out of service, and for tests.
    pub fn isolate(&self, key: &str) -> Option<CircuitState> {
        self.at(key).isolate()
    }

    /// Closes the breaker of `key` and empties its window, as [`trip`](Self::trip) otherwise.
    pub fn reset(&self, key: &str) -> Option<CircuitState> {
        self.at(key).reset()
    }

    /// Runs `operation` until it succeeds or the policy stops it: a call that names no key. The
    /// future may be spawned if those of `operation` may.
    ///
    /// # Errors
    ///
    /// As [`Retry::call`].
    pub fn call<V, E, F, A>(
        &self,
        operation: F,
    ) -> impl Future<Output = Result<V, Error<E, K::Rejected>>> + use<V, E, F, A, O, K>
    where
        K: Classify<V, E>,
        F: FnMut(Attempt) -> A,
        A: Future<Output = Result<V, E>>,
    {
        let mut retry = self.retry("", false);
        async move { retry.call_future(operation).await }
    }
}

impl<O: Clone, K: Clone> Clone for Upstream<O, K> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            name: self.name.clone(),
            forwards_deadline: self.forwards_deadline,
            observer: self.observer.clone(),
            classifier: self.classifier.clone(),
        }
    }
}

/// The policy, and how many breakers there are.
impl<O, K> fmt::Debug for Upstream<O, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state();
        f.debug_struct("Upstream")
            .field("name", &self.name)
            .field("policy", &state.policy)
            .field("breaker", &state.by_key.as_ref().and_then(|keys| keys.breaker))
            .field("budget", &state.budget.as_ref().map(|shared| shared.kind))
            .finish_non_exhaustive()
    }
}
