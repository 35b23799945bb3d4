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
//! A setting that is left out has its default. A setting that does not exist is refused by the
//! format's own deserializer, which knows the line; a value out of its range by
//! [`Upstream::from_settings`](crate::Upstream::from_settings), with its path
//! ([`SettingsError`]).

#![expect(
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a number is in its range, where the conversion is exact, before it is converted"
)]

mod breaker;
mod budget;
mod error;
mod number;
mod retry;
mod strategy;

pub use breaker::{BreakerSettings, SlowSettings, WindowSettings};
pub use budget::BudgetSettings;
pub use error::{Problem, SettingsError};
pub use number::Limit;
pub use retry::{LongDelaySetting, RetrySettings};
pub use strategy::{Plain, Spread, StrategySettings};

use std::collections::BTreeMap;

use redress::{ErrorClass, Policy};

use crate::upstream::{BreakerKind, BudgetKind};
use number::Range;

/// The settings of an [`Upstream`](crate::Upstream).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields))]
#[non_exhaustive]
pub struct UpstreamSettings {
    /// What each class of failure deserves, and the budget.
    pub retry: RetrySettings,
    /// The breaker of each key; none by default.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub circuit_breaker: Option<BreakerSettings>,
    /// A budget for each key, in place of `retry.budget`; none by default.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub budget_by_key: Option<BudgetSettings>,
    /// How many keys have a breaker or a budget of their own at most, 1 to 100,000; 1,000 by
    /// default.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub capacity: Option<f64>,
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
    pub(crate) fn checked(&self) -> Result<Checked, SettingsError> {
        let policy = self.retry.build("retry")?;
        let budget = match &self.retry.budget {
            Some(budget) => Some(budget.build("retry.budget")?),
            None => None,
        };
        let breaker = match &self.circuit_breaker {
            Some(breaker) => Some(breaker.build("circuitBreaker")?),
            None => None,
        };
        let budget_by_key = match &self.budget_by_key {
            Some(budget) => Some(budget.build("budgetByKey")?),
            None => None,
        };
        let capacity = Range::whole(1.0, 100_000.0).or("capacity", self.capacity, KEYS as f64)?;
        let capacity = capacity as usize;
        Ok(Checked { policy, breaker, budget, budget_by_key, capacity })
    }

    /// Checks every setting, and returns the policy.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for the first setting that is out of its range.
    pub fn policy(&self) -> Result<Policy, SettingsError> {
        self.checked().map(|checked| checked.policy)
    }
}

/// Values by the name of a class: `RATE_LIMIT`, `SERVER_ERROR` and so on.
pub type ByClass<T> = BTreeMap<String, T>;

/// The class of this name.
fn class(path: &str, name: &str) -> Result<ErrorClass, SettingsError> {
    let found = ErrorClass::ALL.into_iter().find(|class| class.as_str() == name);
    found.ok_or_else(|| {
        let all = ErrorClass::ALL.map(ErrorClass::as_str).join(", ");
        SettingsError::new(path, format!("{name:?}"), Problem::NoClass, all)
    })
}
