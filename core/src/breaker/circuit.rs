//! A breaker behind a lock, or what stands in for one in a test: [`Circuit`].

use crate::breaker::{
    Admitted, Breaker, BreakerConfig, CallResult, CircuitOpen, Permit, Stopwatch, Window,
};
use crate::config::Settings;
use crate::event::CircuitState;
use crate::time::{Duration, Instant};

/// A breaker, or what stands in for one in a test.
pub trait Circuit {
    /// Whether a success changes a closed breaker, as it does with a window of rates.
    const COUNTS_SUCCESS: bool;

    /// The optional services that the breaker may need, as
    /// [`Gate::WANTS`](crate::breaker::Gate::WANTS).
    const WANTS: u8 = u8::MAX;

    /// The most probes in flight, which have the slots 0 to `PERMITS - 1`. A snapshot of a call
    /// with a higher probe slot is rejected.
    const PERMITS: usize = usize::MAX;

    /// How a call measures its attempts for the breaker; see
    /// [`Window::Attempts`](crate::breaker::Window::Attempts).
    type Attempts: Stopwatch;

    /// As [`Breaker::admit_closed`].
    fn admit_closed(&mut self) -> Option<Permit>;

    /// As [`Breaker::admit`].
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`], the rejection, with the time until the next probe.
    fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen>;

    /// As [`Breaker::settle_timed`].
    fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState>;

    /// As [`Breaker::cancel`].
    fn cancel(&mut self, permit: Permit);

    /// As [`Breaker::hold`]. Does nothing unless it is implemented.
    fn hold(&mut self, permit: Permit, hint: Duration, now: Instant) -> Option<CircuitState> {
        let _ = (permit, hint, now);
        None
    }

    /// As [`Breaker::still_admits`]. Always true unless it is implemented.
    fn still_admits(&mut self, permit: Permit) -> bool {
        let _ = permit;
        true
    }

    /// Opens or closes the breaker by hand and returns the new state if it changed. Does nothing
    /// unless it is implemented.
    fn set(&mut self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        let _ = (by_hand, now);
        None
    }
}

/// How a breaker is opened or closed by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ByHand {
    /// As [`Breaker::trip`].
    Trip,
    /// As [`Breaker::isolate`].
    Isolate,
    /// As [`Breaker::reset`].
    Reset,
}

impl<W, const PERMITS: usize, C> Circuit for Breaker<W, PERMITS, C>
where
    W: Window,
    C: Settings<BreakerConfig<W::Rule>>,
{
    type Attempts = W::Attempts;

    const COUNTS_SUCCESS: bool = W::COUNTS_SUCCESS;

    const WANTS: u8 = match C::KNOWN {
        Some(config) => config.wants,
        None => u8::MAX,
    };

    const PERMITS: usize = PERMITS;

    #[inline]
    fn admit_closed(&mut self) -> Option<Permit> {
        Breaker::admit_closed(self)
    }

    #[inline]
    fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen> {
        Breaker::admit(self, now)
    }

    fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        self.settle_timed(permit, result, longest, random, now)
    }

    fn cancel(&mut self, permit: Permit) {
        Breaker::cancel(self, permit);
    }

    fn hold(&mut self, permit: Permit, hint: Duration, now: Instant) -> Option<CircuitState> {
        Breaker::hold(self, permit, hint, now)
    }

    fn still_admits(&mut self, permit: Permit) -> bool {
        Breaker::still_admits(self, permit)
    }

    fn set(&mut self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        match by_hand {
            ByHand::Trip => self.trip(now),
            ByHand::Isolate => self.isolate(),
            ByHand::Reset => self.reset(),
        }
    }
}
