//! A policy that runs nothing: [`FakePolicy`].

use core::convert::Infallible;

use super::outcome;
use crate::call::Attempt;
use crate::driver::{Execute, ExecuteAsync};
use crate::outcome::{Error, Outcome};

/// Answers calls with preset outcomes and runs no operation.
///
/// The n-th call ends with the n-th outcome, each further call with the last. A rejection by a
/// breaker is `Err(FakeBreaker::rejection(..).unwrap_err().into())`.
///
/// ```
/// use redress::driver::Execute;
/// use redress::testing::{FakeBreaker, FakePolicy};
/// use redress::{Duration, Error};
///
/// /// The code under test.
/// fn greet(policy: &mut impl Execute<u32, &'static str>) -> String {
///     match policy.call(|_| Err("offline")) {
///         Ok(user) => format!("hello {user}"),
///         Err(Error::CircuitOpen(_)) => "come back later".into(),
///         Err(error) => error.to_string(),
///     }
/// }
/// let rejected = FakeBreaker::rejection(Duration::from_secs(7)).unwrap_err();
/// let mut policy = FakePolicy::new([Ok(7), Err(rejected.into())]);
/// assert_eq!(greet(&mut policy), "hello 7");
/// assert_eq!(greet(&mut policy), "come back later");
/// ```
#[derive(Clone, Debug)]
pub struct FakePolicy<V, E, const N: usize, R = Infallible> {
    outcomes: [Outcome<V, E, R>; N],
    calls: usize,
}

impl<V, E, const N: usize, R> FakePolicy<V, E, N, R> {
    /// Calls end with these results; see [`exhausted`](super::exhausted) for errors.
    pub fn new(results: [Result<V, Error<E, R>>; N]) -> Self {
        Self::with_outcomes(results.map(outcome))
    }

    /// Calls end with these outcomes.
    pub const fn with_outcomes(outcomes: [Outcome<V, E, R>; N]) -> Self {
        const { assert!(N > 0, "a fake policy has one outcome or more") };
        Self { outcomes, calls: 0 }
    }

    /// How often it was called.
    pub const fn calls(&self) -> usize {
        self.calls
    }
}

impl<V: Clone, E: Clone, const N: usize, R: Clone> FakePolicy<V, E, N, R> {
    /// In place of [`Retry::wrap`](crate::Retry::wrap): a function that answers.
    pub fn wrap<A>(&mut self) -> impl FnMut(&A) -> Result<V, Error<E, R>> {
        |_| self.next().result
    }

    /// In place of [`Retry::wrap_async`](crate::Retry::wrap_async): a function that answers.
    pub fn wrap_async<A>(&mut self) -> impl AsyncFnMut(&A) -> Result<V, Error<E, R>> {
        async |_: &A| self.next().result
    }

    fn next(&mut self) -> Outcome<V, E, R> {
        let nth = self.calls.min(N - 1);
        self.calls += 1;
        self.outcomes[nth].clone()
    }
}

impl<V: Clone, E: Clone, const N: usize, R: Clone> Execute<V, E, R> for FakePolicy<V, E, N, R> {
    fn execute<F>(&mut self, _: F) -> Outcome<V, E, R>
    where
        F: FnMut(Attempt) -> Result<V, E>,
    {
        self.next()
    }
}

impl<V: Clone, E: Clone, const N: usize, R: Clone> ExecuteAsync<V, E, R>
    for FakePolicy<V, E, N, R>
{
    async fn execute_async<F>(&mut self, _: F) -> Outcome<V, E, R>
    where
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        self.next()
    }
}
