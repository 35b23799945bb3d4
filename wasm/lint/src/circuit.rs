//! The settings of a breaker.

use redress::classify::ClassSet;
use redress::lint::Lint;
use redress::{BreakerConfig, ErrorClass};
use serde_json::Value;

use crate::{number, span};

/// How many slices a window of time has in the package's engine.
const SLICES: f64 = 10.0;

/// Of the numbers that the package hands to its engine: kind (0 failures, 1 calls, 2
/// time), three numbers of the kind, classes that trip as bits, recovery time, its longest
/// growth, lease, probes at once, successes to close, thresholds by class (eight), after
/// how long a call is slow, the share of slow calls, classes of a failed probe that open
/// anew as bits, jitter of the recovery time, whether calls check before a retry, and the
/// longest hint that opens.
pub(crate) fn config(numbers: &Value) -> Box<dyn Lint> {
    let at = |index| number(numbers, index).unwrap_or(0.0);
    match at(0) as u32 {
        0 => {
            let mut config = BreakerConfig::failures(at(1) as u8, span(at(2)));
            for (index, class) in ErrorClass::ALL.into_iter().enumerate() {
                config = config.class_threshold(class, at(10 + index) as u8);
            }
            Box::new(common(config, numbers))
        }
        1 => {
            let config = BreakerConfig::outcomes(at(1) as u16, at(2) as u16, at(3) as u16);
            Box::new(common(config, numbers))
        }
        _ => {
            let slice = span(at(1) / SLICES);
            let mut config = BreakerConfig::slices(slice, at(2) as u16, at(3) as u16);
            if let Some(after) = number(numbers, 18) {
                config = config.slow_calls(span(after), at(19) as u16);
            }
            Box::new(common(config, numbers))
        }
    }
}

/// The settings that every kind has.
fn common<R: Copy>(config: BreakerConfig<R>, numbers: &Value) -> BreakerConfig<R> {
    let at = |index| number(numbers, index).unwrap_or(0.0);
    let classes = |bits: f64| {
        let set = |class: &ErrorClass| bits as u32 >> (*class as u32) & 1 != 0;
        ErrorClass::ALL.into_iter().filter(set).fold(ClassSet::EMPTY, ClassSet::with)
    };
    let config = config
        .trip_on(classes(at(4)))
        .half_open_on(classes(at(20)))
        .recovery_jitter(span(at(21)))
        .check_before_retry(at(22) != 0.0)
        .open_for_hint(span(at(23)))
        .recovery_timeout(span(at(5)))
        .lease(span(at(7)))
        .half_open_permits(at(8) as u8)
        .successes_to_close(at(9) as u8);
    match number(numbers, 6) {
        Some(longest) => config.recovery_growth_to(span(longest)),
        None => config,
    }
}
