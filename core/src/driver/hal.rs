//! Delays of embedded-hal: [`WithDelay`].

use crate::time::{Clock, Duration, Instant};

/// A clock and a delay of embedded-hal: together the time part of a [`Retry`](crate::Retry).
///
/// With the feature `embedded-hal` and a blocking `DelayNs` it can
/// [`Sleep`](crate::time::Sleep), with `embedded-hal-async` and an asynchronous one it is
/// a [`Timer`](crate::time::Timer).
#[derive(Clone, Debug)]
pub struct WithDelay<C, D> {
    /// The clock.
    pub clock: C,
    /// The delay, which waits.
    pub delay: D,
}

impl<C: Clock, D> Clock for WithDelay<C, D> {
    #[inline]
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

/// A long span in parts that fit the 32 bits of a delay.
fn parts(span: Duration) -> impl Iterator<Item = u32> {
    let mut left = span.as_micros();
    core::iter::from_fn(move || {
        let part = u32::try_from(left).unwrap_or(u32::MAX);
        left = left.saturating_sub(u64::from(part));
        (part > 0).then_some(part)
    })
}

#[cfg(feature = "embedded-hal")]
impl<C: Clock, D: embedded_hal::delay::DelayNs> crate::time::Sleep for WithDelay<C, D> {
    fn sleep(&mut self, span: Duration) {
        for part in parts(span) {
            self.delay.delay_us(part);
        }
    }
}

#[cfg(feature = "embedded-hal-async")]
impl<C: Clock, D: embedded_hal_async::delay::DelayNs> crate::time::Timer for WithDelay<C, D> {
    async fn sleep(&mut self, span: Duration) {
        for part in parts(span) {
            self.delay.delay_us(part).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_spans_are_waited_in_full() {
        let span = Duration::from_micros(2 * u64::from(u32::MAX) + 7);
        let all: std::vec::Vec<_> = parts(span).collect();
        assert_eq!(all, [u32::MAX, u32::MAX, 7]);
        assert_eq!(parts(Duration::ZERO).next(), None);
    }
}
