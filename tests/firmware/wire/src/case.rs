//! A case on its way to the target.

use redress::ErrorClass;
use serde::{Deserialize, Serialize};

/// The most bytes that a case may have.
pub const CASE_BYTES: usize = 4096;

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub enum Case<'a> {
    #[serde(borrow)]
    Scenario(Scenario<'a>),
    #[serde(borrow)]
    Error(Described<'a>),
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Scenario<'a> {
    #[serde(borrow)]
    pub policy: Policy<'a>,
    /// Of `u32`.
    pub rng: &'a [u8],
    /// Of [`Call`].
    pub calls: &'a [u8],
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Policy<'a> {
    pub deadline_us: u64,
    pub max_attempts: u32,
    pub max_unknown_attempts: Option<u16>,
    /// Of `(ErrorClass, u16)`.
    pub per_class_max_attempts: &'a [u8],
    #[serde(borrow)]
    pub default_strategy: Option<Strategy<'a>>,
    /// Of `(ErrorClass, Strategy)`.
    pub strategies: &'a [u8],
    pub budget: Option<Budget>,
    #[serde(borrow)]
    pub breaker: Option<Breaker<'a>>,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub enum Strategy<'a> {
    /// Of `u64`.
    Fixed(&'a [u8]),
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
        /// One [`Strategy`].
        fallback: &'a [u8],
        jitter_us: u64,
    },
    Adaptive {
        /// One [`Strategy`].
        fallback: &'a [u8],
        window_us: u64,
        target_success_milli: u32,
        min_multiplier_milli: u32,
        max_multiplier_milli: u32,
    },
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Budget {
    pub max_retries: u16,
    pub window_us: u64,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Breaker<'a> {
    pub failure_threshold: u8,
    pub window_us: u64,
    pub recovery_timeout_us: u64,
    /// Of [`ErrorClass`].
    pub trip_on: Option<&'a [u8]>,
    /// Of `(ErrorClass, u8)`.
    pub class_thresholds: &'a [u8],
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Call<'a> {
    pub gap_us: u64,
    /// From which question on the abort predicate says yes; three for each attempt.
    pub abort_from: Option<u32>,
    /// Of [`Attempt`].
    pub attempts: &'a [u8],
    /// The delays of the `retry` events that are expected, which drive the clock.
    /// Of `u64`.
    pub delays: &'a [u8],
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub takes_us: u64,
    pub outcome: Outcome,
    pub decision: Decision,
    pub oversleep_us: u64,
    /// Of [`Call`].
    pub during: &'a [u8],
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub enum Outcome {
    Ok,
    Abort,
    Exception(ErrorClass, Option<u64>),
    Result(ErrorClass, Option<u64>),
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Sleep,
    Defer,
    Abort,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classifier {
    Default,
    Strict,
    Http,
    HttpRetryAfter,
    Sqlstate,
    Odbc,
    Grpc,
    Aws,
    Redis,
}

/// What is known of an error, and who is asked.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Described<'a> {
    pub classifier: Classifier,
    /// The place in [`MARKERS`].
    pub marker: Option<u8>,
    pub name: &'a str,
    pub status: Option<i64>,
    pub status_code: Option<i64>,
    pub code: Option<i64>,
    /// Of `i64`.
    pub args: &'a [u8],
    pub message: &'a str,
    pub sqlstate: &'a str,
    #[serde(borrow)]
    pub retry_after: Option<Hint<'a>>,
    pub retry_after_header: Option<&'a str>,
    pub limits: Limits,
    pub now_unix_secs: i64,
    /// The place in [`LIBRARIES`].
    pub library: u8,
    /// Of `&str`.
    pub ancestors: &'a [u8],
    pub grpc: Option<&'a str>,
    /// Code and status.
    pub aws: Option<(&'a str, Option<i64>)>,
}

/// What other headers say of when to come back.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Limits {
    pub retry_after_us: Option<u64>,
    pub exhausted: bool,
    pub reset_us: Option<u64>,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub enum Hint<'a> {
    Micros(u64),
    Text(&'a str),
}

pub const MARKERS: [redress::classify::Marker; 5] = {
    use redress::classify::Marker;
    [
        Marker::Timeout,
        Marker::Permanent,
        Marker::RateLimit,
        Marker::Concurrency,
        Marker::ServerError,
    ]
};

pub const LIBRARIES: [redress::classify::Library; 3] = {
    use redress::classify::Library;
    [Library::Other, Library::Aws, Library::Redis]
};
