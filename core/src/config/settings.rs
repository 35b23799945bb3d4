//! Where a policy, a breaker or a budget has its settings: [`Settings`].

#[cfg(feature = "std")]
use std::{rc::Rc, sync::Arc};

use crate::breaker::BreakerConfig;
use crate::budget::{LimiterConfig, RatioConfig, RollingConfig};
use crate::policy::Policy;

/// The settings `T` of a policy, a breaker or a budget, wherever they are: behind a reference
/// that many share, [`Fixed`] in a type, owned, or in an `Arc` or `Rc` (feature `std`). Those
/// of a program that reads them while it runs are owned or in an `Arc`.
pub trait Settings<T: 'static>: Clone {
    /// The settings, where the compiler knows them.
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

/// Settings that are a constant of a type, as [`settings!`](crate::settings) declares it.
///
/// The compiler knows them wherever they are used: what they do not switch on is not in the
/// image, they take no room themselves, and a breaker that nothing has happened to is
/// all zeros, which costs no flash.
pub trait Fixed: Settings<Self::Of> {
    /// Of what they are the settings.
    type Of: 'static;

    /// The settings.
    const SETTINGS: &'static Self::Of;
}

/// Declares a type whose constant the settings of a breaker or a budget are: a
/// [`Fixed`](crate::config::Fixed) one, for the smallest image.
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
/// What is wrong does not compile:
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
    ($(#[$meta:meta])* $visible:vis $name:ident: $of:ty = $value:expr $(;)?) => {
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
    };
}
