//! The asynchronous driver of a session.

use core::future::{Future, poll_fn};
use core::ops::ControlFlow;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Poll;

use crate::call::{Attempt, Call};
use crate::classify::{ClassifyAttempt, Hook};
use crate::config::Settings;
use crate::driver::Parts;
use crate::event::StopReason;
use crate::outcome::{Error, Last};
use crate::session::{Session, SessionState, SessionStep};
use crate::time::{Clock, Duration, Timer};

/// With it an operation says that its connection is up.
#[derive(Debug, Default)]
pub struct Link {
    is_up: AtomicBool,
}

impl Link {
    /// The connection is up: the attempt timeout and the deadline no longer count.
    pub fn up(&self) {
        self.is_up.store(true, Ordering::Relaxed);
    }

    fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }
}

/// How a stretch of an operation ended.
enum Stretch<T> {
    /// The operation returned.
    Returned(T),
    /// Its time is over.
    TimedOut,
    /// The connection is up.
    Up,
}

/// Polls an operation until it returns, for at most `left`, or until its connection is up. The
/// operation is polled first, and the timer is made when it is not ready.
async fn stretch<F: Future, T: Timer>(
    mut operation: Pin<&mut F>,
    link: Option<&Link>,
    time: &mut T,
    left: Duration,
) -> Stretch<F::Output> {
    let mut time = Some(time);
    let mut timer = pin!(None);
    poll_fn(move |context| {
        if let Poll::Ready(output) = operation.as_mut().poll(context) {
            return Poll::Ready(Stretch::Returned(output));
        }
        if link.is_some_and(Link::is_up) {
            return Poll::Ready(Stretch::Up);
        }
        if let Some(time) = time.take()
            && !left.is_endless()
        {
            timer.set(Some(time.sleep(left)));
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(context).map(|()| Stretch::TimedOut),
            None => Poll::Pending,
        }
    })
    .await
}

impl<X: Parts<Time: Timer>, K, S: FnMut(SessionState)> Session<'_, '_, X, K, S> {
    /// Runs `operation` whenever a connection is to be made. It connects, calls [`Link::up`], and
    /// runs until the connection breaks: then it returns the error, and the session decides when it
    /// is run again. `Ok` ends the session with that value.
    ///
    /// A connect that exceeds the attempt timeout is dropped and counts as TRANSIENT. Once the connection
    /// is up there is no limit. What the connection borrows may live in the operation, so
    /// a socket with buffers of its own needs no form of its own:
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use redress::random::NoRandom;
    /// use redress::session::{Link, SessionConfig};
    /// use redress::testing::MockClock;
    /// use redress::{Attempt, Backoff, Duration, ErrorClass, Policy, policy};
    /// # struct Socket<'b>(&'b mut [u8]);
    /// # impl<'b> Socket<'b> {
    /// #     fn new(buffer: &'b mut [u8]) -> Self { Self(buffer) }
    /// #     async fn connect(&mut self) -> Result<(), &'static str> { Ok(()) }
    /// #     async fn serve(&mut self) -> Result<u8, &'static str> { Ok(self.0[0]) }
    /// # }
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     match std::pin::pin!(future).poll(&mut context) {
    /// #         std::task::Poll::Ready(output) => output,
    /// #         std::task::Poll::Pending => unreachable!(),
    /// #     }
    /// # }
    /// const LINK: Policy =
    ///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_secs(5))) };
    /// let clock = MockClock::new();
    /// let mut retry = LINK.on(&clock, NoRandom).classify(|_: &&str| ErrorClass::Transient);
    /// let mut buffer = [7; 1_024];
    /// let session = retry.session(SessionConfig::new());
    /// let ended = session.run_async(async |_: Attempt, link: &Link| {
    ///     let mut socket = Socket::new(&mut buffer);
    ///     socket.connect().await?;
    ///     link.up();
    ///     socket.serve().await
    /// });
    /// assert_eq!(block_on(ended), Ok(7));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`] with the reason for which the session ended, and the last error;
    /// [`Error::CircuitOpen`] if the breaker is isolated and there is no
    /// [`pause`](crate::session::SessionConfig::pause).
    pub async fn run_async<V, E, F>(mut self, mut operation: F) -> Result<V, Error<E, K::Rejected>>
    where
        K: ClassifyAttempt<V, E>,
        F: AsyncFnMut(Attempt, &Link) -> Result<V, E>,
    {
        let mut last = None;
        loop {
            let attempt = match self.steps.next() {
                Ok(SessionStep::Connect(attempt)) => attempt,
                Ok(SessionStep::Wait(span)) => {
                    self.report();
                    self.steps.steps().engine.time.sleep(span).await;
                    if let Some(last) = &last
                        && K::Hook::RUNS
                        && self.steps.is_retry()
                        && let Err(reason) = self.hook::<V, E>(last).await
                    {
                        self.steps.end(reason);
                    }
                    continue;
                }
                Err(reason) => {
                    self.report();
                    return Err(self.error(reason, last));
                }
            };
            self.report();
            let link = Link::default();
            let mut operation = pin!(operation(attempt, &link));
            let time = &mut self.steps.steps().engine.time;
            let mut end = stretch(operation.as_mut(), Some(&link), time, attempt.timeout).await;
            if link.is_up() {
                self.steps.up();
                self.report();
            }
            while let Stretch::Up | Stretch::TimedOut = end
                && link.is_up()
            {
                // Nothing limits a connection that is up; the timer says when it is healthy.
                let left = self.steps.check().unwrap_or(Duration::MAX);
                if left.is_endless() {
                    self.report();
                }
                let time = &mut self.steps.steps().engine.time;
                end = stretch(operation.as_mut(), None, time, left).await;
            }
            let result = match end {
                Stretch::Returned(result) => Some(result),
                Stretch::Up | Stretch::TimedOut => None,
            };
            if let Some(value) = self.ended(result, &mut last) {
                self.report();
                return Ok(value);
            }
        }
    }

    /// Runs the hook before a retry; the deadline ends it.
    async fn hook<V, E>(&mut self, last: &Last<E, K::Rejected>) -> Result<(), StopReason>
    where
        K: ClassifyAttempt<V, E>,
    {
        let steps = self.steps.steps();
        steps.wake()?;
        let context = steps.retry_context();
        let hook = pin!(self.classifier.hook().before_retry_async(&context, last));
        let now = steps.engine.time.now();
        let left = Call::hook_left(&steps.call, steps.policy.settings(), now);
        match stretch(hook, None, &mut steps.engine.time, left).await {
            Stretch::Returned(ControlFlow::Continue(())) => Ok(()),
            Stretch::Returned(ControlFlow::Break(())) => Err(StopReason::Aborted),
            Stretch::TimedOut | Stretch::Up => Err(StopReason::DeadlineExceeded),
        }
    }
}
