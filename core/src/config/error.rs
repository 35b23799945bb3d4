//! What is wrong with a configuration: [`ConfigError`], and the macro that turns
//! it into a compile error.

use crate::time::Duration;

/// A setting that is out of its range: its field, its value, and the values that are allowed.
///
/// Printed as ``max_attempts is 0: it must be 1 or more``, or, for a span of time,
/// ``breaker.lease is 0 us: it must be 1 us or more``; for a missing setting, ``backoff is not
/// set: give one strategy or more``. Its `Debug` form is the same sentence, so that a `main` which
/// returns it prints that.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ConfigError {
    field: &'static str,
    value: u64,
    kind: Kind,
    right: &'static str,
}

/// What the value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Kind {
    Count,
    Span,
    Unset,
}

impl ConfigError {
    pub(crate) const fn new(field: &'static str, value: u64, right: &'static str) -> Self {
        Self { field, value, kind: Kind::Count, right }
    }

    /// Of a span of time.
    pub(crate) const fn of_span(field: &'static str, span: Duration, right: &'static str) -> Self {
        Self { field, value: span.as_micros(), kind: Kind::Span, right }
    }

    /// Of what is missing, and what to do about it.
    pub(crate) const fn unset(field: &'static str, help: &'static str) -> Self {
        Self { field, value: 0, kind: Kind::Unset, right: help }
    }

    /// The name of the field, with its part first: `"breaker.window"`.
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// The value it had; microseconds for a span of time, 0 if it is not set.
    pub const fn value(&self) -> u64 {
        self.value
    }

    /// Whether the value is a span of time.
    pub const fn is_span(&self) -> bool {
        matches!(self.kind, Kind::Span)
    }

    /// Whether the setting has a value; false for a missing setting.
    pub const fn is_set(&self) -> bool {
        !matches!(self.kind, Kind::Unset)
    }

    /// What is between the number and the rest.
    const fn middle(&self) -> &'static str {
        match self.kind {
            Kind::Count => ": it must be ",
            Kind::Span => " us: it must be ",
            Kind::Unset => "not set: ",
        }
    }

    /// The allowed values, to go on after "it must be": "1 or more". For a missing setting, what
    /// to do: "give one strategy or more".
    pub const fn right(&self) -> &'static str {
        self.right
    }

    /// Stops the compilation with the error as its message. For [`policy!`], which
    /// calls it in constants only.
    #[doc(hidden)]
    #[track_caller]
    pub const fn refuse(self) -> ! {
        let mut text = Text { bytes: [0; 192], len: 0 };
        text.push(self.field.as_bytes());
        text.push(b" is ");
        if self.is_set() {
            text.push_number(self.value);
        }
        text.push(self.middle().as_bytes());
        text.push(self.right.as_bytes());
        let (used, _) = text.bytes.split_at(text.len);
        match core::str::from_utf8(used) {
            Ok(message) => panic!("{}", message),
            Err(_) => panic!("a setting is out of its range"),
        }
    }
}

impl core::fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} is ", self.field)?;
        if self.is_set() {
            self.value.fmt(f)?;
        }
        write!(f, "{}{}", self.middle(), self.right)
    }
}

impl core::error::Error for ConfigError {}

/// What must hold of settings, as pairs of a condition and the error where it does not
/// hold: `check` stops at the first error, the linter's `errors` reports all.
macro_rules! demands {
    ($self:ident $(, $capacity:ident)?; $($fine:expr => $error:expr,)*) => {
        pub(crate) const fn check(&$self $(, $capacity: usize)?) -> Result<(), ConfigError> {
            $(if !$fine {
                return Err($error);
            })*
            Ok(())
        }

        pub(crate) fn errors(&$self $(, $capacity: usize)?, report: &mut dyn FnMut(ConfigError)) {
            $(if !$fine {
                report($error);
            })*
        }
    };
}
pub(crate) use demands;

/// A message put together at compile time, where nothing can be formatted.
struct Text {
    bytes: [u8; 192],
    len: usize,
}

impl Text {
    const fn push(&mut self, bytes: &[u8]) {
        let mut i = 0;
        while i < bytes.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
    }

    const fn push_number(&mut self, number: u64) {
        if number >= 10 {
            self.push_number(number / 10);
        }
        self.push(&[b'0' + (number % 10) as u8]);
    }
}

/// Builds settings at compile time. Settings that are out of range are a compile error: `policy!
/// { Policy::builder().max_attempts(0) }` stops with `max_attempts is 0: it must be 1 or more`.
///
/// Takes settings that have a `const fn build(self) -> Result<_, ConfigError>`: those of a policy
/// or of an adaptive strategy. For breakers and budgets see [`checked!`](crate::checked). For
/// values that are known only at run time call `build()` yourself.
///
/// ```
/// use redress::{policy, Backoff, Duration, ErrorClass, Policy};
///
/// const SLOW: Backoff = Backoff::equal_jitter(Duration::from_secs(1), Duration::from_secs(30));
/// const UPSTREAM: Policy = policy! {
///     Policy::builder()
///         .max_attempts(6)
///         .deadline(Duration::from_secs(60))
///         .backoff(Backoff::decorrelated_jitter(Duration::from_millis(250), Duration::from_secs(5)))
///         .backoff_for(ErrorClass::RateLimit, Backoff::retry_after_or(&SLOW, Duration::from_millis(250)))
/// };
/// # let _ = UPSTREAM;
/// ```
///
/// ```compile_fail
/// use redress::{policy, Policy};
/// const NEVER: Policy = policy! { Policy::builder().max_attempts(0) };
/// # let _ = NEVER;
/// ```
#[macro_export]
macro_rules! policy {
    ($settings:expr $(,)?) => {
        $crate::checked!(($settings).build())
    };
}

/// Unwraps a `Result<_, ConfigError>` at compile time, for breakers, budgets and limiters.
/// Settings that are out of range are a compile error.
///
/// ```
/// use std::sync::Mutex;
/// use redress::breaker::{FailureRule, FailureTimes};
/// use redress::{checked, Breaker, BreakerConfig, Duration};
///
/// type Upstream = Breaker<FailureTimes<5>>;
/// static CONFIG: BreakerConfig<FailureRule> =
///     BreakerConfig::failures(5, Duration::from_secs(60));
/// static BREAKER: Mutex<Upstream> = Mutex::new(checked!(Upstream::new(&CONFIG)));
/// # let _ = &BREAKER;
/// ```
///
/// ```compile_fail
/// use redress::budget::RollingConfig;
/// use redress::{checked, Duration, RollingBudget};
/// static CONFIG: RollingConfig = RollingConfig::new(17, Duration::from_secs(60));
/// static BUDGET: RollingBudget<16> = checked!(RollingBudget::new(&CONFIG));
/// # let _ = &BUDGET;
/// ```
#[macro_export]
macro_rules! checked {
    ($result:expr $(,)?) => {
        const {
            match $result {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(error) => error.refuse(),
            }
        }
    };
}
