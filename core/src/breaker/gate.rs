//! How a call uses its breaker: [`Gate`], for no breaker, a shared breaker, or an entry of a
//! keyed map.

use crate::breaker::{ByHand, CallResult, Circuit, CircuitOpen, Permit, Stopwatch};
use crate::event::CircuitState;
use crate::shared::Shared;
use crate::time::{Duration, Instant};

/// The part of a breaker that a call uses. Implemented for `()` (no breaker), for a [`Circuit`]
/// behind a lock ([`Shared`]), for [`by_key`](crate::by_key), and for an [`Option`] of these.
///
/// Each method takes the lock and releases it before it returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no breaker that calls can share",
    label = "not a shared breaker",
    note = "put the breaker behind a lock and hand over a reference: `&RefCell` on one thread, `&Mutex` \
            or `Arc<Mutex>` of the standard library (feature `std`), `&Locked` of redress-embassy; or \
            one of many with `by_key`. A lock that is awaited, as tokio's, will not do"
)]
pub trait Gate {
    /// What a call holds while it runs: the permit, if there is a breaker.
    type Pass: Copy;

    /// How a call measures its attempts for the breaker; see
    /// [`Window::Attempts`](crate::breaker::Window::Attempts).
    type Attempts: Stopwatch;

    /// Bit mask of the optional services that the breaker may need from a call. Code for unset
    /// bits is not linked. Bit 0: a random number for the recovery time
    /// ([`Permit::wants_random`]). Bit 1: a check before each further attempt
    /// ([`Permit::wants_check`]). Bit 2: hints ([`Permit::wants_hints`]). `u8::MAX` if the needs
    /// are known only at run time, 0 for none.
    const WANTS: u8;

    /// Admits a call if the breaker is closed; `None` in any other state. Needs no clock.
    fn admit_closed(&self) -> Option<Self::Pass>;

    /// Admits a call or rejects it. The flag says whether the call made the breaker half-open.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`], the rejection, with the time until the next probe.
    fn admit(&self, now: Instant) -> Result<(Self::Pass, bool), CircuitOpen>;

    /// Whether a success must be settled: it can change the breaker.
    fn counts_success(pass: &Self::Pass) -> bool;

    /// Settles a call: takes back the pass with the result, and returns the new state if the
    /// breaker changed. `random` is a random number if [`Permit::wants_random`] is true.
    fn settle(
        &self,
        pass: Self::Pass,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState>;

    /// Takes back the pass of a call that was cancelled; nothing is counted.
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

    /// Opens or closes the breaker by hand, and returns the new state if it changed.
    fn set(&self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        let _ = (by_hand, now);
        None
    }

    /// The permit in a pass, for a snapshot; `None` without a breaker.
    fn permit(pass: &Self::Pass) -> Option<Permit>;

    /// The pass for a permit that was read from a snapshot; `None` if this breaker cannot have
    /// given such a permit.
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

/// An optional breaker: `None` admits every call.
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
