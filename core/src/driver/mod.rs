//! Runs a policy: [`Retry`], the [`Steps`] that every driver takes, and the hooks that a caller
//! can set.

mod asynchronous;
mod blocking;
mod by_hand;
pub(crate) mod control;
mod deferred;
mod execute;
pub(crate) mod failure;
#[cfg(any(feature = "embedded-hal", feature = "embedded-hal-async"))]
mod hal;
mod parts;
pub(crate) mod retry;
pub(crate) mod steps;
pub(crate) mod suspend;
#[cfg(feature = "std")]
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    expect(deprecated, reason = "the names exist, and say what to use")
)]
mod system;
#[cfg(all(feature = "std", target_family = "wasm", target_os = "unknown"))]
#[expect(deprecated, reason = "the names exist, and say what to use")]
mod system_missing;

pub use asynchronous::RetryAsyncExt;
pub use blocking::RetryExt;
pub use control::{AbortIf, BeforeSleep, Control, SleepDecision, SleepHandler, Within};
pub use deferred::Deferred;
pub use execute::{Execute, ExecuteAsync};
#[cfg(any(feature = "embedded-hal", feature = "embedded-hal-async"))]
pub use hal::WithDelay;
pub use parts::{Parts, Slots};
pub use retry::Retry;
pub use steps::Steps;
#[cfg(feature = "std")]
pub use system::SystemRetry;

pub use crate::call::{Call, Decision};
#[cfg(feature = "std")]
pub use crate::outcome::BoxError;
