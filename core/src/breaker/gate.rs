//! How a call asks its breaker: [`Gate`], for no breaker at all, a shared one, or
//! one out of many by key.

use crate::breaker::{ByHand, CallResult, Circuit, CircuitOpen, Permit, Stopwatch};
use crate::event::CircuitState;
use crate::shared::Shared;
use crate::time::{Duration, Instant};

/// What a call needs of its breaker: `()` for none, a reference to a [`Shared`]
/// [`Circuit`], or [`keyed`](crate::Keyed) by host or device.
///
/// The methods lock for their own length only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no breaker that calls can share",
    label = "not a shared breaker",
    note = "put the breaker behind a lock and hand over a reference: `&RefCell` on one thread, `&Mutex` \
            or `Arc<Mutex>` of the standard library (feature `std`), `&Locked` of redress-embassy; or \
            one of many with `by_key`. A lock that is awaited, as tokio's, will not do"
)]
pub trait Gate {
    /// What a call holds while it runs.
    type Pass: Copy;

    /// What the breaker wants to know of how long attempts took; see
    /// [`Window::Attempts`](crate::breaker::Window::Attempts).
    type Attempts: Stopwatch;

    /// What the breaker may [want](Permit) of a call, as bits: what no settings of it can want
    /// is not linked. `u8::MAX` where that is not known, 0 for nothing.
    const WANTS: u8;

    /// Admits a call without asking for the time, if the breaker is closed.
    fn admit_closed(&self) -> Option<Self::Pass>;

    /// Admits a call or rejects it; says, too, whether that made it half-open.
    ///
    /// # Errors
    ///
    /// The rejection, with the time until the next probe.
    fn admit(&self, now: Instant) -> Result<(Self::Pass, bool), CircuitOpen>;

    /// Whether a success has to be settled at all.
    fn counts_success(pass: &Self::Pass) -> bool;

    /// Takes the pass back with the result; the new state, if it changed. `random` is a
    /// random number if the permit [wants](Permit::wants_random) one.
    fn settle(
        &self,
        pass: Self::Pass,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState>;

    /// Takes the pass back of a call that was cancelled.
    fn cancel(&self, pass: Self::Pass);

    /// As [`Breaker::hold`](crate::Breaker::hold).
    fn hold(&self, pass: Self::Pass, hint: Duration, now: Instant) -> Option<CircuitState> {
        let _ = (pass, hint, now);
        None
    }

    /// Whether the call may go on, as [`Breaker::still_admits`](crate::Breaker::still_admits).
    fn still_admits(&self, pass: Self::Pass) -> bool {
        let _ = pass;
        true
    }

    /// Opens or closes the breaker by hand; the new state, if it changed.
    fn set(&self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        let _ = (by_hand, now);
        None
    }

    /// The permit in a pass, for a snapshot; `None` without a breaker.
    fn permit(pass: &Self::Pass) -> Option<Permit>;

    /// The pass of a permit out of a snapshot; `None` if they do not belong
    /// together.
    fn pass(permit: Option<Permit>) -> Option<Self::Pass>;
}

/// Without a breaker every call is admitted.
impl Gate for () {
    const WANTS: u8 = 0;

    type Pass = ();

    type Attempts = ();

    #[inline]
    fn admit_closed(&self) -> Option<()> {
        Some(())
    }

    #[inline]
    fn admit(&self, _: Instant) -> Result<((), bool), CircuitOpen> {
        Ok(((), false))
    }

    #[inline]
    fn counts_success((): &()) -> bool {
        false
    }

    #[inline]
    fn settle(
        &self,
        (): (),
        _: CallResult,
        _: Duration,
        _: u32,
        _: Instant,
    ) -> Option<CircuitState> {
        None
    }

    #[inline]
    fn cancel(&self, (): ()) {}

    fn permit((): &()) -> Option<Permit> {
        None
    }

    fn pass(permit: Option<Permit>) -> Option<()> {
        permit.is_none().then_some(())
    }
}

/// A breaker that a configuration may leave out.
impl<G: Gate> Gate for Option<G> {
    const WANTS: u8 = G::WANTS;

    type Pass = Option<G::Pass>;

    type Attempts = G::Attempts;

    #[inline]
    fn admit_closed(&self) -> Option<Self::Pass> {
        match self {
            Some(gate) => gate.admit_closed().map(Some),
            None => Some(None),
        }
    }

    fn admit(&self, now: Instant) -> Result<(Self::Pass, bool), CircuitOpen> {
        let Some(gate) = self else { return Ok((None, false)) };
        gate.admit(now).map(|(pass, half_opened)| (Some(pass), half_opened))
    }

    #[inline]
    fn counts_success(pass: &Self::Pass) -> bool {
        pass.as_ref().is_some_and(G::counts_success)
    }

    fn settle(
        &self,
        pass: Self::Pass,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        self.as_ref()?.settle(pass?, result, longest, random, now)
    }

    fn cancel(&self, pass: Self::Pass) {
        if let (Some(gate), Some(pass)) = (self, pass) {
            gate.cancel(pass);
        }
    }

    fn hold(&self, pass: Self::Pass, hint: Duration, now: Instant) -> Option<CircuitState> {
        self.as_ref()?.hold(pass?, hint, now)
    }

    fn still_admits(&self, pass: Self::Pass) -> bool {
        match (self, pass) {
            (Some(gate), Some(pass)) => gate.still_admits(pass),
            _ => true,
        }
    }

    fn set(&self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        self.as_ref()?.set(by_hand, now)
    }

    fn permit(pass: &Self::Pass) -> Option<Permit> {
        pass.as_ref().and_then(G::permit)
    }

    fn pass(permit: Option<Permit>) -> Option<Self::Pass> {
        match permit {
            Some(permit) => G::pass(Some(permit)).map(Some),
            None => Some(None),
        }
    }
}

/// The rejection by a breaker whose lock is lent already; see [`Shared::with`].
pub(crate) const BUSY: CircuitOpen = CircuitOpen::until(CircuitState::Open, Duration::ZERO);

impl<S: Shared<Item: Circuit>> Gate for S {
    const WANTS: u8 = <S::Item as Circuit>::WANTS;

    type Pass = Permit;

    type Attempts = <S::Item as Circuit>::Attempts;

    #[inline]
    fn admit_closed(&self) -> Option<Permit> {
        self.with(Circuit::admit_closed).flatten()
    }

    #[inline]
    fn admit(&self, now: Instant) -> Result<(Permit, bool), CircuitOpen> {
        match self.with(|breaker| breaker.admit(now)) {
            Some(Ok(admitted)) => Ok((admitted.permit, admitted.half_opened)),
            Some(Err(rejection)) => Err(rejection),
            None => Err(BUSY),
        }
    }

    #[inline]
    fn counts_success(pass: &Permit) -> bool {
        <S::Item as Circuit>::COUNTS_SUCCESS || pass.is_probe()
    }

    fn settle(
        &self,
        pass: Permit,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        self.with(|breaker| breaker.settle(pass, result, longest, random, now)).flatten()
    }

    fn cancel(&self, pass: Permit) {
        self.with(|breaker| breaker.cancel(pass));
    }

    fn hold(&self, pass: Permit, hint: Duration, now: Instant) -> Option<CircuitState> {
        self.with(|breaker| breaker.hold(pass, hint, now)).flatten()
    }

    fn still_admits(&self, pass: Permit) -> bool {
        self.with(|breaker| breaker.still_admits(pass)).unwrap_or(true)
    }

    fn set(&self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        self.with(|breaker| breaker.set(by_hand, now)).flatten()
    }

    fn permit(pass: &Permit) -> Option<Permit> {
        Some(*pass)
    }

    fn pass(permit: Option<Permit>) -> Option<Permit> {
        permit.filter(|permit| permit.has_place_in(S::Item::PERMITS))
    }
}
