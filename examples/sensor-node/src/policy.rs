//! What each failure of this node deserves.

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex as Raw;
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RatioConfig;
use redress::session::SessionConfig;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Policy, RatioBudget, checked, policy,
};
use redress_embassy::Locked;

/// The bus answers at once or not at all, and only this node uses it.
pub const SENSOR: Policy = policy! {
    Policy::builder()
        .max_attempts(3)
        .deadline(Duration::from_secs(2))
        .backoff(Backoff::exponential(Duration::from_millis(50), Duration::from_millis(400)))
};

const NETWORK_BACKOFF: Backoff =
    Backoff::decorrelated_jitter(Duration::from_millis(100), Duration::from_millis(600));

/// An attempt gets a second; the service may say when to come back.
pub const NETWORK: Policy = policy! {
    Policy::builder()
        .max_attempts(4)
        .deadline(Duration::from_secs(20))
        .attempt_timeout(Duration::from_secs(1))
        .backoff(NETWORK_BACKOFF)
        .backoff_for(
            ErrorClass::RateLimit,
            Backoff::retry_after_or(&NETWORK_BACKOFF, Duration::from_millis(250)),
        )
};

/// A broker: eight connects that come to nothing, then half a minute of rest. Whatever it does, that is at
/// most twelve connects in a minute after the first.
pub const BROKER: Policy = policy! {
    Policy::builder()
        .max_attempts(8)
        .no_deadline()
        .attempt_timeout(Duration::from_secs(3))
        .backoff(Backoff::equal_jitter(Duration::from_millis(500), Duration::from_secs(30)))
};

/// The backoff begins anew after a connection of two seconds.
pub const SESSION: SessionConfig = SessionConfig::new()
    .healthy_after(Duration::from_secs(2))
    .spread(Duration::from_millis(200))
    .pause(Duration::from_secs(30));

/// Two readings failed within a minute: leave the bus alone for two seconds.
const SENSOR_RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(2, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(2));

/// Three posts failed within a minute: leave the service alone for two seconds.
const NETWORK_RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(3, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(2));

/// One retry for two calls of either kind, and five saved up at most: in an outage the
/// first calls are retried, later ones fail at once. A reset and the hours earn none.
const RETRIES: RatioConfig = RatioConfig::new(500).initial(0).floor_per_sec(0).limit(5);

/// A wait as long as this is worth a write to the EEPROM: the call goes on after a reset.
pub const LONG: Duration = Duration::from_millis(800);

/// Two such rows of connects within ten minutes: leave the broker alone for a minute.
const BROKER_RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(2, Duration::from_secs(600)).recovery_timeout(Duration::from_secs(60));

pub static BROKER_BREAKER: Locked<Raw, NodeBreaker> =
    Locked::new(checked!(NodeBreaker::new(&BROKER_RULE)));

pub type Budget = RatioBudget;
pub type NodeBreaker = Breaker<FailureTimes<3>>;

pub static SENSOR_BREAKER: Locked<Raw, NodeBreaker> =
    Locked::new(checked!(NodeBreaker::new(&SENSOR_RULE)));
pub static NETWORK_BREAKER: Locked<Raw, NodeBreaker> =
    Locked::new(checked!(NodeBreaker::new(&NETWORK_RULE)));
/// What both may spend on retries together.
pub static BUDGET: Locked<Raw, Budget> = Locked::new(checked!(Budget::new(&RETRIES)));
