//! A policy that remembers what it was asked: [`RecordingPolicy`].

use heapless::Vec;

use super::{exhausted, outcome};
use crate::call::Attempt;
use crate::class::ErrorClass;
use crate::driver::{Execute, ExecuteAsync};
use crate::event::StopReason;
use crate::outcome::{Error, Outcome};
use crate::time::Duration;

/// Runs each operation once, counts the calls, and keeps the first `N` arguments (of type `A`) of
/// the functions that it [wraps](Self::wrap).
///
/// An error ends a call as `MAX_ATTEMPTS_GLOBAL` after one attempt, of class UNKNOWN.
#[derive(Clone, Debug, Default)]
pub struct RecordingPolicy<A, const N: usize> {
    arguments: Vec<A, N>,
    calls: usize,
}

impl<A, const N: usize> RecordingPolicy<A, N> {
    /// Nothing was called yet.
    pub const fn new() -> Self {
        Self { arguments: Vec::new(), calls: 0 }
    }

    /// How often it was called.
    pub const fn calls(&self) -> usize {
        self.calls
    }

    /// The arguments of the first `N` calls of wrapped functions.
    pub fn arguments(&self) -> &[A] {
        &self.arguments
    }

    /// In place of [`Retry::wrap`](crate::Retry::wrap).
    pub fn wrap<V, E>(
        &mut self,
        mut function: impl FnMut(&A) -> Result<V, E>,
    ) -> impl FnMut(&A) -> Result<V, Error<E>>
    where
        A: Clone,
    {
        move |argument| {
            self.record(argument);
            ended(function(argument)).result
        }
    }

    /// In place of [`Retry::wrap_async`](crate::Retry::wrap_async).
    pub fn wrap_async<V, E>(
        &mut self,
        mut function: impl AsyncFnMut(&A) -> Result<V, E>,
    ) -> impl AsyncFnMut(&A) -> Result<V, Error<E>>
    where
        A: Clone,
    {
        async move |argument: &A| {
            self.record(argument);
            ended(function(argument).await).result
        }
    }

    fn record(&mut self, argument: &A)
    where
        A: Clone,
    {
        self.calls += 1;
        // Beyond the capacity calls are counted only.
        let _ = self.arguments.push(argument.clone());
    }
}

impl<V, E, A, const N: usize> Execute<V, E> for RecordingPolicy<A, N> {
    fn execute<F>(&mut self, mut operation: F) -> Outcome<V, E>
    where
        F: FnMut(Attempt) -> Result<V, E>,
    {
        self.calls += 1;
        ended(operation(ONLY))
    }
}

impl<V, E, A, const N: usize> ExecuteAsync<V, E> for RecordingPolicy<A, N> {
    async fn execute_async<F>(&mut self, mut operation: F) -> Outcome<V, E>
    where
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        self.calls += 1;
        ended(operation(ONLY).await)
    }
}

/// The one attempt, without a limit.
const ONLY: Attempt = Attempt { number: 1, remaining: Duration::MAX, timeout: Duration::MAX };

fn ended<V, E>(result: Result<V, E>) -> Outcome<V, E> {
    outcome(result.map_err(|error| {
        let reason = StopReason::MaxAttemptsGlobal;
        Error::Exhausted(exhausted(reason, ErrorClass::Unknown, error))
    }))
}
