//! How a policy, a breaker or a budget stores its settings: [`Settings`].

#[cfg(feature = "std")]
use std::{rc::Rc, sync::Arc};

use crate::breaker::BreakerConfig;
use crate::budget::{LimiterConfig, RatioConfig, RollingConfig};
use crate::policy::Policy;

/// The settings `T` of a policy, a breaker or a budget, in any form: borrowed, [`Fixed`] in a
/// type, owned, or in an `Arc` or `Rc` (feature `std`). A program that reads its settings at run
/// time owns them or puts them in an `Arc`.
pub trait Settings<T: 'static>: Clone {
    /// The settings, if they are known at compile time.
    const KNOWN: Option<&'static T> = None;

    /// The settings.
    fn settings(&self) -> &T;
}

impl<T: 'static> Settings<T> for &T {
    #[inline]
    fn settings(&self) -> &T {
        self
    }
}

macro_rules! owned {
    ($($of:ident),+) => {
        $(
            impl Settings<Self> for $of {
                #[inline]
                fn settings(&self) -> &Self {
                    self
                }
            }
        )+
    };
}

owned!(Policy, RollingConfig, RatioConfig, LimiterConfig);

impl<R: Copy + 'static> Settings<Self> for BreakerConfig<R> {
    #[inline]
    fn settings(&self) -> &Self {
        self
    }
}

#[cfg(feature = "std")]
impl<T: 'static> Settings<T> for Arc<T> {
    #[inline]
    fn settings(&self) -> &T {
        self
    }
}

#[cfg(feature = "std")]
impl<T: 'static> Settings<T> for Rc<T> {
    #[inline]
    fn settings(&self) -> &T {
        self
    }
}

/// A type that carries its settings as an associated constant. [`settings!`](crate::settings)
/// declares such a type.
///
/// The settings are known at compile time wherever they are used, so code for options that they
/// do not use is not linked. They take no memory themselves. A new breaker in a `static` is then
/// all zeros, which costs no flash.
pub trait Fixed: Settings<Self::Of> {
    /// The type of the settings, for instance [`Policy`](crate::Policy).
    type Of: 'static;

    /// The settings.
    const SETTINGS: &'static Self::Of;
}

/// Declares types, with semicolons between them, that carry the settings of a policy, a breaker, a
/// budget or a rate limiter as an associated constant ([`Fixed`](crate::config::Fixed)). This gives the smallest binary:
/// only the code that the settings need is linked.
///
/// ```
/// use std::sync::Mutex;
/// use redress::breaker::{FailureRule, FailureTimes};
/// use redress::{settings, Breaker, BreakerConfig, Duration};
///
/// settings! {
///     /// Five failures within a minute.
///     pub Upstream: BreakerConfig<FailureRule> =
///         BreakerConfig::failures(5, Duration::from_secs(60))
/// }
/// static BREAKER: Mutex<Breaker<FailureTimes<5>, 1, Upstream>> =
///     Mutex::new(Breaker::<FailureTimes<5>, 1, Upstream>::fixed(Upstream));
/// # let _ = &BREAKER;
/// ```
///
/// Settings that are out of range are a compile error where they are used:
///
/// ```compile_fail
/// use redress::budget::RollingConfig;
/// use redress::{settings, Duration, RollingBudget};
/// settings! { Retries: RollingConfig = RollingConfig::new(17, Duration::from_secs(60)) }
/// static BUDGET: RollingBudget<16, Retries> = RollingBudget::<16, Retries>::fixed(Retries);
/// # let _ = &BUDGET;
/// ```
#[macro_export]
macro_rules! settings {
    ($($(#[$meta:meta])* $visible:vis $name:ident: $of:ty = $value:expr);+ $(;)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $visible struct $name;

        impl $crate::config::Fixed for $name {
            type Of = $of;
            const SETTINGS: &'static $of = &$value;
        }

        impl $crate::config::Settings<$of> for $name {
            const KNOWN: Option<&'static $of> = Some(<Self as $crate::config::Fixed>::SETTINGS);

            #[inline]
            fn settings(&self) -> &$of {
                <Self as $crate::config::Fixed>::SETTINGS
            }
        }
    )+};
}
