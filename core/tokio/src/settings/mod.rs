//! Settings that are read at run time: [`UpstreamSettings`], in the names and ranges of the npm
//! package's JSON. One file serves both.
//!
//! ```toml
//! [retry]
//! maxAttempts = 4
//! deadlineMs = 10_000
//! attemptTimeoutMs = 2_000
//! strategy = { kind = "decorrelatedJitter", baseMs = 50, maxMs = 2_000 }
//! strategies.RATE_LIMIT = { kind = "retryAfterOr", fallback = "equalJitter", atLeastMs = 100 }
//! budget = { ratio = 0.1 }
//!
//! [circuitBreaker]
//! failureThreshold = 5
//! windowMs = 60_000
//! ```
//!
//! A setting that is left out has its default. What is wrong is refused by
//! [`Upstream::from_settings`](crate::Upstream::from_settings), with the path, the value and what would be right of
//! everything that is wrong ([`SettingsError`]): a value of another kind or out of its range, and an option that does not
//! exist, with the nearest one that does. A text that is no TOML or JSON is refused by the format's own deserializer.
//!
//! An object without `retry` and `circuitBreaker` is read as the options of `retry`; with `circuitBreaker` alone, a call
//! makes one attempt. What only a program in JavaScript uses is read over: `operation`, `captureTimeline`, `stackTrace`,
//! `abortErrors` and `unref`. A classifier is a type here
//! ([`Upstream::classifier`](crate::Upstream::classifier)): the name of one in a file is kept for the program
//! ([`UpstreamSettings::classifier`]) and does nothing by itself.

#![expect(
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a number is in its range, where the conversion is exact, before it is converted"
)]

mod breaker;
mod budget;
mod error;
mod number;
#[cfg(feature = "serde")]
mod read;
mod retry;
mod strategy;
#[cfg(feature = "serde")]
mod value;

pub use breaker::{BreakerSettings, SlowSettings, WindowSettings};
pub use budget::BudgetSettings;
pub use error::{Issue, Problem, SettingsError};
pub use number::Limit;
pub use retry::{LongDelaySetting, RetrySettings};
pub use strategy::{Plain, Spread, StrategySettings};

use std::collections::BTreeMap;

use redress::{ErrorClass, Policy};

use crate::upstream::{BreakerKind, BudgetKind};
use error::{Check, Found};
use number::Range;
use strategy::Making;
pub(crate) use strategy::Remembering;

/// The settings of an [`Upstream`](crate::Upstream).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct UpstreamSettings {
    /// What each class of failure deserves, and the budget.
    pub retry: RetrySettings,
    /// The breaker of each key; none by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub circuit_breaker: Option<BreakerSettings>,
    /// A budget for each key, in place of `retry.budget`; none by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub budget_by_key: Option<BudgetSettings>,
    /// How many keys have a breaker or a budget of their own at most, 1 to 100,000; 1,000 by
    /// default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub capacity: Option<f64>,
    /// The name of a classifier of errors, for the program; none by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub classifier: Option<String>,
    /// The name of a classifier of results, for the program; none by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub result_classifier: Option<String>,
    /// What was found while a file was read.
    #[cfg_attr(feature = "serde", serde(skip))]
    found: Found,
}

/// How many keys have a breaker of their own at most.
pub(crate) const KEYS: usize = 1_000;

/// Settings that have been checked.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) policy: Policy,
    pub(crate) breaker: Option<BreakerKind>,
    pub(crate) budget: Option<BudgetKind>,
    pub(crate) budget_by_key: Option<BudgetKind>,
    pub(crate) capacity: usize,
}

impl UpstreamSettings {
    /// Checks every setting.
    pub(crate) fn checked(&self, remembering: &Remembering) -> Result<Checked, SettingsError> {
        let check = &Check::new(&self.found);
        let policy = self.retry.build("retry", &Making { check, remembering });
        let build = |path: &str, budget: &BudgetSettings| budget.build(path, check);
        let budget = self.retry.budget.as_ref().map(|budget| build(&self.found.budget_at, budget));
        let breaker = self.circuit_breaker.as_ref();
        let breaker = breaker.map(|breaker| breaker.build("circuitBreaker", check));
        let budget_by_key = self.budget_by_key.as_ref().map(|budget| build("budgetByKey", budget));
        let capacity = Range::whole(1.0, 100_000.0);
        let capacity = capacity.or(check, "capacity", self.capacity, KEYS as f64) as usize;
        check.end()?;
        let policy = policy.build().map_err(|error| SettingsError::of_core("retry", &error))?;
        Ok(Checked { policy, breaker, budget, budget_by_key, capacity })
    }

    /// Checks every setting, and returns the policy. Each call makes strategies that adapt anew, and their memory is never
    /// given back: an [`Upstream`](crate::Upstream) makes them once.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] of everything that is wrong.
    pub fn policy(&self) -> Result<Policy, SettingsError> {
        self.checked(&Remembering::default()).map(|checked| checked.policy)
    }

    /// Checks every setting, and returns the breaker's, for a [`SharedBreaker`](crate::shared::SharedBreaker) for
    /// instance; `None` without one. Ask once, when the program begins: as with [`policy`](Self::policy), the memory of
    /// strategies that adapt is never given back.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] of everything that is wrong.
    pub fn breaker(&self) -> Result<Option<BreakerKind>, SettingsError> {
        self.checked(&Remembering::default()).map(|checked| checked.breaker)
    }

    /// Checks every setting, and returns those of the budget that all keys share; `None` without one. Ask once, as for
    /// [`breaker`](Self::breaker).
    ///
    /// # Errors
    ///
    /// [`SettingsError`] of everything that is wrong.
    pub fn budget(&self) -> Result<Option<BudgetKind>, SettingsError> {
        self.checked(&Remembering::default()).map(|checked| checked.budget)
    }
}

/// Values by the name of a class: `RATE_LIMIT`, `SERVER_ERROR` and so on.
pub type ByClass<T> = BTreeMap<String, T>;

/// The class of this name, if there is one.
fn class(check: &Check<'_>, path: &str, name: &str) -> Option<ErrorClass> {
    let found = ErrorClass::ALL.into_iter().find(|class| class.as_str() == name);
    if found.is_none() {
        check.add(no_class(path, &format!("{name:?}")));
    }
    found
}

fn no_class(path: &str, value: &str) -> Issue {
    let all = ErrorClass::ALL.map(ErrorClass::as_str).join(", ");
    Issue::new(path, value, Problem::NoClass, all)
}
