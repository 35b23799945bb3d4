//! What is left until a due time, when instants come out of order and clocks are set back:
//! [`Reach`].

use crate::time::{Duration, Instant};

/// How far ahead of `now` a due time may be.
///
/// A due time was set `limit` ahead of an instant. Callers read the clock before they take a
/// lock, so `now` may be a little earlier than that instant: it is stale, and the due time
/// stays. If it is a whole `limit` earlier, the clock was set back, and the due time is set
/// anew, or what it limits would last as long as the clock was set back.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    /// The longest that anything lasts from now on.
    pub(crate) limit: Duration,
    /// From here on the clock was set back.
    horizon: Duration,
}

impl Reach {
    /// Leaves the due time as it is for a stale `now`: nothing lasts longer than two limits.
    #[inline]
    pub(crate) const fn stale(limit: Duration) -> Self {
        Self { limit, horizon: limit.saturating_add(limit) }
    }

    /// Moves the due time for a stale `now`, too: nothing lasts longer than the limit.
    #[inline]
    pub(crate) const fn exact(limit: Duration) -> Self {
        Self { limit, horizon: limit }
    }

    /// What is left until `until`, which is set anew if the clock was set back.
    #[inline]
    pub(crate) fn wait(&self, until: &mut Instant, now: Instant) -> Duration {
        let wait = until.since(now);
        if wait < self.horizon {
            return wait;
        }
        *until = now.saturating_add(self.limit);
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_due_time_is_set_anew_only_if_the_clock_was_set_back() {
        let at = Instant::from_micros;
        let us = Duration::from_micros;
        for (now, left, after) in [(1_000, 10, 1_010), (991, 19, 1_010), (990, 10, 1_000)] {
            let mut until = at(1_010);
            assert_eq!(Reach::stale(us(10)).wait(&mut until, at(now)), us(left));
            assert_eq!(until, at(after), "{now}");
        }
        for (now, left, after) in [(1_001, 9, 1_010), (1_000, 10, 1_010), (999, 10, 1_009)] {
            let mut until = at(1_010);
            assert_eq!(Reach::exact(us(10)).wait(&mut until, at(now)), us(left));
            assert_eq!(until, at(after), "{now}");
        }
        let mut until = at(1_010);
        assert_eq!(Reach::stale(us(10)).wait(&mut until, at(2_000)), Duration::ZERO);
    }
}
