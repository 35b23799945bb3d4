//! Settings, as JavaScript writes them: each kind begins where the table of numbers does.
//!
//! Every field is a number of JavaScript, checked there: times are whole microseconds, classes
//! are bits, slots are addresses. Infinity is no limit. The places of the fields by their names
//! are in a section of the module, for JavaScript to be built with.

use core::mem::offset_of;

use redress::Duration;
use redress::classify::ClassSet;

use crate::table;

/// Declares a kind of settings.
macro_rules! settings {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $of:ty,)* }) => {
        $(#[$about])*
        #[repr(C)]
        #[allow(clippy::struct_field_names)]
        #[allow(dead_code, reason = "each module reads some of the kinds")]
        pub(crate) struct $name {
            $($(#[$doc])* pub(crate) $field: $of,)*
        }

        impl $name {
            /// Those in the table.
            #[allow(dead_code)]
            pub(crate) fn from_table() -> &'static Self {
                const { assert!(size_of::<Self>() <= size_of::<f64>() * table::LENGTH) };
                // SAFETY: the table is large enough, and numbers may have any bits. Nothing
                // writes there while settings are read.
                unsafe { &*table::numbers().cast() }
            }
        }

        // Without `#[used]`, which would put it among the data, too.
        $(#[allow(dead_code)]
        const _: () = {
            const NAME: &str = concat!(stringify!($name), ".", stringify!($field));
            #[unsafe(link_section = "redress.settings")]
            static PLACE: [u8; NAME.len() + 2] = place(NAME, offset_of!($name, $field));
        };)*
    };
}

/// The index of a field in the table, the length of its name, and the name.
#[allow(dead_code)]
const fn place<const N: usize>(name: &str, offset: usize) -> [u8; N] {
    let mut place = [0; N];
    place[0] = (offset / size_of::<f64>()) as u8;
    place[1] = name.len() as u8;
    let mut i = 0;
    while i < name.len() {
        place[i + 2] = name.as_bytes()[i];
        i += 1;
    }
    place
}

settings! {
    /// Of a policy.
    Policy {
        max_attempts: f64,
        deadline: f64,
        attempt_timeout: f64,
        /// 65,535 for no limit.
        max_unknown: f64,
        /// 1 if a delay that does not fit is cut.
        cuts: f64,
        /// Final classes that are retried.
        retriable: f64,
        /// Classes with a limit, and the limits.
        limited: f64,
        limits: [f64; 8],
        /// The default strategy, 0 for none, and NaN for no delay; those by class, 0 for none.
        strategy: f64,
        strategies: [f64; 8],
    }
}

settings! {
    /// Of a call that was deferred.
    Deferred {
        attempts: f64,
        /// Its times are milliseconds, as they go out, too.
        delay: f64,
        elapsed: f64,
        /// Infinity without a deadline.
        remaining: f64,
        failures: [f64; 8],
    }
}

settings! {
    /// Of a breaker, whatever it counts.
    Breaker {
        trip_on: f64,
        half_open_on: f64,
        recovery: f64,
        /// 0 for no growth.
        longest_recovery: f64,
        lease: f64,
        permits: f64,
        successes: f64,
        jitter: f64,
        /// 0 for never.
        longest_hint: f64,
        /// 1 if calls check before a retry.
        checks: f64,
    }
}

settings! {
    /// Of a breaker that counts failures.
    Failures {
        breaker: Breaker,
        threshold: f64,
        window: f64,
        /// By class, 0 for none.
        own: [f64; 8],
    }
}

settings! {
    /// Of a breaker that counts a share of calls.
    Rate {
        breaker: Breaker,
        /// The last so many calls, 0 for those of a time.
        size: f64,
        window: f64,
        rate_milli: f64,
        min_calls: f64,
        slow_after: f64,
        slow_rate_milli: f64,
    }
}

settings! {
    /// Of a budget of a number of retries in a window.
    Rolling {
        max_retries: f64,
        window: f64,
    }
}

settings! {
    /// Of a budget in proportion to calls.
    Ratio {
        ratio_milli: f64,
        floor_per_sec: f64,
        limit: f64,
        initial: f64,
    }
}

settings! {
    /// Of a strategy.
    Strategy {
        first: f64,
        second: f64,
        /// The growth in thousandths, or the longest hint.
        third: f64,
        /// The slot of the fallback, or of the delays of a sequence, which it takes over.
        link: f64,
        /// What is added at random to one that has no jitter of its own.
        jitter: f64,
    }
}

settings! {
    /// Of a strategy that adapts.
    Adaptive {
        window: f64,
        target_milli: f64,
        least_milli: f64,
        most_milli: f64,
        fallback: f64,
    }
}

/// A time in whole microseconds.
pub(crate) fn span(micros: f64) -> Duration {
    Duration::from_micros(micros as u64)
}

/// A whole number, which is then cut to its type: code that saturates there takes more bytes.
pub(crate) fn whole(number: f64) -> u32 {
    number as u32
}

/// Classes as bits.
#[allow(dead_code)]
pub(crate) fn classes(bits: f64) -> ClassSet {
    ClassSet::from_bits(whole(bits) as u8)
}
