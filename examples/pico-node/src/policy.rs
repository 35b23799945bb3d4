//! What each failure of this node deserves. Settings are in types, for a small image.

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex as Raw;
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RatioConfig;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Policy, RatioBudget, policy, settings,
};
use redress_embassy::Locked;

settings! {
    /// The bus answers at once or not at all, and only this node waits on it.
    pub Sensor: Policy = policy! {
        Policy::builder()
            .max_attempts(3)
            .deadline(Duration::from_secs(2))
            .backoff(Backoff::exponential(Duration::from_millis(50), Duration::from_millis(400)))
    }
}

const NETWORK_BACKOFF: Backoff =
    Backoff::decorrelated_jitter(Duration::from_millis(250), Duration::from_secs(5));

settings! {
    /// An attempt gets five seconds; the service may say when to come back.
    pub Network: Policy = policy! {
        Policy::builder()
            .max_attempts(4)
            .deadline(Duration::from_secs(60))
            .attempt_timeout(Duration::from_secs(5))
            .backoff(NETWORK_BACKOFF)
            .backoff_for(
                ErrorClass::RateLimit,
                Backoff::retry_after_or(&NETWORK_BACKOFF, Duration::from_secs(1)),
            )
    }
}

settings! {
    /// Two readings failed within a minute: leave the bus alone for five minutes.
    pub SensorRule: BreakerConfig<FailureRule> =
        BreakerConfig::failures(2, Duration::from_secs(60))
            .recovery_timeout(Duration::from_secs(300))
}

settings! {
    /// Three posts failed within five minutes: leave the service alone for as long.
    pub NetworkRule: BreakerConfig<FailureRule> =
        BreakerConfig::failures(3, Duration::from_secs(300))
            .recovery_timeout(Duration::from_secs(300))
}

settings! {
    /// One retry for two calls of either kind, and five saved up at most: in an outage the
    /// first calls are retried, later ones fail at once. A reset and the hours earn none.
    pub Retries: RatioConfig = RatioConfig::new(500).initial(0).floor_per_sec(0).limit(5)
}

pub type SensorBreaker = Breaker<FailureTimes<2>, 1, SensorRule>;
pub type NetworkBreaker = Breaker<FailureTimes<3>, 1, NetworkRule>;
pub type Budget = RatioBudget<Retries>;

pub static SENSOR_BREAKER: Locked<Raw, SensorBreaker> =
    Locked::new(SensorBreaker::fixed(SensorRule));
pub static NETWORK_BREAKER: Locked<Raw, NetworkBreaker> =
    Locked::new(NetworkBreaker::fixed(NetworkRule));
/// What both may spend on retries together.
pub static BUDGET: Locked<Raw, Budget> = Locked::new(Budget::fixed(Retries));
