//! The system's monotonic clock, under the feature `std`.

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod system {
    use std::sync::OnceLock;
    use std::time;

    use super::MonotonicClock;
    use crate::time::{Clock, Duration, Instant, Sleep};

    impl Clock for MonotonicClock {
        fn now(&self) -> Instant {
            static ORIGIN: OnceLock<time::Instant> = OnceLock::new();
            let origin = *ORIGIN.get_or_init(time::Instant::now);
            Instant::ZERO.saturating_add(origin.elapsed().into())
        }
    }

    impl Sleep for MonotonicClock {
        fn sleep(&mut self, span: Duration) {
            std::thread::sleep(span.into());
        }
    }
}

/// The system's monotonic clock, counted from its first use in this process, and
/// the thread's sleep.
///
/// `wasm32-unknown-unknown` has no clock in the standard library, so using this clock there is a
/// compile error. Use [`FnClock`](crate::time::FnClock) over `performance.now()`.
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    deprecated = "wasm32-unknown-unknown has no system clock: use \
                  `FnClock(|| (performance.now() * 1000.0) as u64)`"
)]
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Clock as _, Duration, Sleep as _};

    #[test]
    fn the_clock_goes_on() {
        let earlier = MonotonicClock.now();
        MonotonicClock.sleep(Duration::from_micros(1));
        assert!(MonotonicClock.now() > earlier);
    }
}
