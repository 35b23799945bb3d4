//! A breaker that obeys: [`FakeBreaker`].

use heapless::Vec;

use crate::breaker::{Admitted, CallResult, Circuit, CircuitOpen, Permit};
use crate::event::CircuitState;
use crate::time::{Duration, Instant};

/// A breaker that admits and rejects as a script says, and remembers the results.
///
/// After the end of the script it admits.
#[derive(Clone, Debug)]
pub struct FakeBreaker<'s> {
    decisions: &'s [Result<(), CircuitOpen>],
    asked: usize,
    results: Vec<CallResult, 16>,
}

impl<'s> FakeBreaker<'s> {
    /// Answers with these decisions, in order.
    pub const fn new(decisions: &'s [Result<(), CircuitOpen>]) -> Self {
        Self { decisions, asked: 0, results: Vec::new() }
    }

    /// A rejection, to put into a script.
    ///
    /// # Errors
    ///
    /// Always: it is one.
    pub const fn rejection(retry_after: Duration) -> Result<(), CircuitOpen> {
        Err(CircuitOpen::until(CircuitState::Open, retry_after))
    }

    /// How often it was asked.
    pub const fn asked(&self) -> usize {
        self.asked
    }

    /// The first 16 results that it was given.
    pub fn results(&self) -> &[CallResult] {
        &self.results
    }
}

impl Circuit for FakeBreaker<'_> {
    type Attempts = ();

    const COUNTS_SUCCESS: bool = true;

    fn admit_closed(&mut self) -> Option<Permit> {
        None
    }

    fn admit(&mut self, _: Instant) -> Result<Admitted, CircuitOpen> {
        let decision = self.decisions.get(self.asked).copied().unwrap_or(Ok(()));
        self.asked += 1;
        let permit = Permit::closed(0, 0);
        decision.map(|()| Admitted { permit, half_opened: false })
    }

    fn settle(
        &mut self,
        _: Permit,
        result: CallResult,
        _: Duration,
        _: u32,
        _: Instant,
    ) -> Option<CircuitState> {
        let _ = self.results.push(result);
        None
    }

    fn cancel(&mut self, _: Permit) {
        let _ = self.results.push(CallResult::Cancelled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ErrorClass;
    use crate::policy::Policy;
    use crate::testing::{MockClock, ScriptedRandom};
    use core::cell::RefCell;

    #[test]
    fn a_fake_breaker_follows_its_script_and_remembers() {
        const ONCE: Policy = Policy::once();
        let script = [Ok(()), FakeBreaker::rejection(Duration::from_secs(7))];
        let breaker = RefCell::new(FakeBreaker::new(&script));
        let clock = MockClock::new();
        let mut retry = ONCE
            .on(&clock, ScriptedRandom::new(&[]))
            .classify(|(): &()| ErrorClass::Permanent)
            .breaker(&breaker);
        assert_eq!(retry.call(|_| Ok(1)), Ok(1));
        let rejected = retry.execute(|_| Ok::<_, ()>(2)).rejection().unwrap();
        assert_eq!(rejected.retry_after, Some(Duration::from_secs(7)));
        assert!(retry.call(|_| Err::<(), ()>(())).is_err());
        let failure = CallResult::Failure(ErrorClass::Permanent);
        assert_eq!(breaker.borrow().results(), [CallResult::Success, failure]);
        assert_eq!(breaker.borrow().asked(), 3);
    }
}
