//! The schema of the engine's vectors, as tests/vectors/README.md defines it.
//! Unknown fields are errors, so that nothing of a newer file is left unchecked.

#![allow(missing_docs, reason = "the fields are documented in tests/vectors/README.md")]

use std::collections::BTreeMap;

use redress::ErrorClass;
use serde::Deserialize;

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    #[serde(default)]
    pub quirks: Vec<String>,
    pub policy: PolicySpec,
    pub rng: Vec<u32>,
    pub calls: Vec<CallSpec>,
    pub expect: Vec<Expect>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    pub deadline_us: u64,
    pub max_attempts: u32,
    pub max_unknown_attempts: Option<u64>,
    #[serde(default)]
    pub per_class_max_attempts: BTreeMap<String, u64>,
    pub default_strategy: Option<StrategySpec>,
    #[serde(default)]
    pub strategies: BTreeMap<String, StrategySpec>,
    pub budget: Option<BudgetSpec>,
    pub breaker: Option<BreakerSpec>,
}

#[derive(Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum StrategySpec {
    Fixed {
        sleeps_us: Vec<i64>,
    },
    DecorrelatedJitter {
        base_us: u64,
        max_us: u64,
    },
    EqualJitter {
        base_us: u64,
        max_us: u64,
    },
    TokenBackoff {
        base_us: u64,
        max_us: u64,
    },
    RetryAfterOr {
        fallback: Box<StrategySpec>,
        jitter_us: u64,
    },
    Adaptive {
        fallback: Box<StrategySpec>,
        window_us: u64,
        target_success_milli: u32,
        min_multiplier_milli: u32,
        max_multiplier_milli: u32,
    },
}

impl StrategySpec {
    /// Whether its delay after a failure with or without a hint must be met
    /// exactly: it involves neither a draw nor a multiplier.
    pub fn is_exact(&self, hinted: bool) -> bool {
        match self {
            Self::Fixed { .. } => true,
            Self::RetryAfterOr { jitter_us, .. } if hinted => *jitter_us == 0,
            Self::RetryAfterOr { fallback, .. } => fallback.is_exact(hinted),
            _ => false,
        }
    }
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct BudgetSpec {
    pub max_retries: u16,
    pub window_us: u64,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct BreakerSpec {
    pub failure_threshold: u8,
    pub window_us: u64,
    pub recovery_timeout_us: u64,
    pub trip_on: Option<Vec<ErrorClass>>,
    #[serde(default)]
    pub class_thresholds: BTreeMap<String, u8>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct CallSpec {
    pub gap_us: u64,
    pub attempts: Vec<AttemptSpec>,
    pub abort_if: Option<AbortSpec>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct AbortSpec {
    pub attempt: u64,
    pub at: AbortPoint,
}

#[derive(Deserialize, Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum AbortPoint {
    Start,
    Failure,
    Sleep,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct AttemptSpec {
    pub takes_us: u64,
    pub outcome: OutcomeSpec,
    #[serde(default)]
    pub decision: DecisionSpec,
    #[serde(default)]
    pub oversleep_us: u64,
    #[serde(default)]
    pub during: Vec<CallSpec>,
}

#[derive(Deserialize, Debug, Clone, Copy, Default)]
#[serde(rename_all = "snake_case")]
pub enum DecisionSpec {
    #[default]
    Sleep,
    Defer,
    Abort,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct OutcomeSpec {
    #[serde(default)]
    pub ok: bool,
    #[serde(default)]
    pub abort: bool,
    pub class: Option<ErrorClass>,
    pub cause: Option<CauseSpec>,
    pub retry_after_us: Option<i64>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CauseSpec {
    Exception,
    Result,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub events: Vec<EventSpec>,
    pub outcome: ExpectOutcome,
    pub breaker_state: Option<String>,
    pub budget_remaining: Option<u32>,
    pub rng_used: usize,
    pub clock_us: u64,
    #[serde(default)]
    pub during: Vec<Expect>,
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    pub event: String,
    #[serde(default)]
    pub attempt: u32,
    pub sleep_us: Option<u64>,
    pub class: Option<String>,
    pub cause: Option<String>,
    pub stop_reason: Option<String>,
    pub state: Option<String>,
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub enum ExpectOutcome {
    Rejected(RejectedSpec),
    Ended(EndedSpec),
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct RejectedSpec {
    pub circuit_open: String,
}

#[derive(Deserialize, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct EndedSpec {
    pub ok: bool,
    pub stop_reason: Option<String>,
    pub attempts: u32,
    pub last_class: Option<String>,
    pub cause: Option<String>,
    pub elapsed_us: u64,
    pub next_sleep_us: Option<u64>,
}
