//! The printed form of a policy ([`show`]).

use core::fmt;

use crate::class::ErrorClass;
use crate::policy::{LongDelay, NO_LIMIT, RetryConfig};
use crate::time::Duration;

/// The settings of a policy as text: times in seconds,
/// classes in alphabetical order.
pub fn show<'s>(config: &'s RetryConfig, source: &'s str) -> impl fmt::Display + 's {
    Printed { config, source }
}

struct Printed<'s> {
    config: &'s RetryConfig,
    source: &'s str,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = self.config;
        writeln!(f, "Config snapshot:")?;
        writeln!(f, "  source: {}", self.source)?;
        writeln!(f, "  deadline_s: {}", Seconds(config.deadline))?;
        writeln!(f, "  attempt_timeout_s: {}", Seconds(config.attempt_timeout))?;
        writeln!(f, "  max_attempts: {}", config.max_attempts)?;
        match config.max_unknown {
            NO_LIMIT => writeln!(f, "  max_unknown_attempts: None")?,
            limit => writeln!(f, "  max_unknown_attempts: {limit}")?,
        }
        match &config.default {
            Some(backoff) => writeln!(f, "  default_strategy: {backoff}")?,
            None => writeln!(f, "  default_strategy: None")?,
        }
        writeln!(f, "  class_strategies:")?;
        for class in BY_NAME.into_iter().filter(|&class| config.special.contains(class)) {
            writeln!(f, "    {class}: {}", config.specials[class as usize & 7])?;
        }
        if config.special.is_empty() {
            writeln!(f, "    (none)")?;
        }
        writeln!(f, "  per_class_max_attempts:")?;
        for class in BY_NAME.into_iter().filter(|&class| config.limited.contains(class)) {
            writeln!(f, "    {class}: {}", config.limits[class as usize & 7])?;
        }
        if config.limited.is_empty() {
            writeln!(f, "    (none)")?;
        }
        for class in BY_NAME.into_iter().filter(|&class| config.retriable.contains(class)) {
            writeln!(f, "  retriable: {class}")?;
        }
        if config.long_delay == LongDelay::Cut {
            writeln!(f, "  long_delay: cut")?;
        }
        Ok(())
    }
}

const BY_NAME: [ErrorClass; ErrorClass::COUNT] = [
    ErrorClass::Auth,
    ErrorClass::Concurrency,
    ErrorClass::Permanent,
    ErrorClass::Permission,
    ErrorClass::RateLimit,
    ErrorClass::ServerError,
    ErrorClass::Transient,
    ErrorClass::Unknown,
];

/// Seconds without a unit, or `None` for no limit.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Duration::MAX { f.write_str("None") } else { self.0.seconds(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::Backoff;
    use crate::policy::Policy;
    use std::string::ToString;

    #[test]
    fn the_printed_form_has_every_field() {
        const SECOND: Duration = Duration::from_secs(1);
        const SLOW: Backoff = Backoff::equal_jitter(Duration::from_millis(250), SECOND);
        let config = Policy::builder()
            .backoff(Backoff::constant(SECOND))
            .no_unknown_limit()
            .backoff_for(ErrorClass::RateLimit, Backoff::retry_after_or(&SLOW, SECOND))
            .max_attempts_for(ErrorClass::Concurrency, 3);
        assert_eq!(
            show(&config, "UPSTREAM").to_string(),
            "Config snapshot:\n  source: UPSTREAM\n  deadline_s: 60\n  attempt_timeout_s: None\n  \
             max_attempts: 6\n  max_unknown_attempts: None\n  default_strategy: constant(1s)\n  \
             class_strategies:\n    RATE_LIMIT: retry_after_or(equal_jitter(0.25s, 1s), 1s)\n  \
             per_class_max_attempts:\n    CONCURRENCY: 3\n"
        );
    }
}
