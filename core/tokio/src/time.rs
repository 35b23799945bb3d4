//! Tokio's clock and timer: [`TokioTime`], and [`OnTokio`], which binds a policy to them.

use std::sync::OnceLock;

use redress::random::SystemRandom;
use redress::time::Timer;
use redress::{Clock, Duration, Instant, Policy, Retry};
use tokio::time;

/// The clock and the timer of tokio.
///
/// A test that pauses tokio's clock (`#[tokio::test(start_paused = true)]`) moves this clock, too,
/// so that a call with an hour of delays takes no time.
///
/// A timer needs a runtime with its time driver, as `#[tokio::main]` makes it; without one tokio
/// panics at the first delay. An operation that is ready at its first poll makes no timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTime;

/// What the first reading gives, in microseconds: 35 years. A paused clock may be behind the first
/// reading, as each test pauses its own.
const FIRST: u64 = 1 << 50;

impl Clock for TokioTime {
    fn now(&self) -> Instant {
        static ORIGIN: OnceLock<time::Instant> = OnceLock::new();
        let now = time::Instant::now();
        let origin = *ORIGIN.get_or_init(|| now);
        Instant::from_micros(match now.checked_duration_since(origin) {
            Some(span) => FIRST.wrapping_add(micros(span)),
            None => FIRST.saturating_sub(micros(origin.duration_since(now))),
        })
    }
}

/// Without the range checks of [`Duration`]'s conversion: no clock runs for 584,000 years.
#[inline]
fn micros(span: std::time::Duration) -> u64 {
    span.as_secs().wrapping_mul(1_000_000).wrapping_add(span.subsec_micros().into())
}

impl Timer for TokioTime {
    #[inline]
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        time::sleep(span.into())
    }
}

/// A [`Retry`] with tokio's clock and timer and the system's randomness.
pub type TokioRetry<'a> = Retry<'a, (TokioTime, SystemRandom, (), (), (), (), &'a Policy)>;

/// Binds a policy to tokio.
pub trait OnTokio {
    /// Binds this policy to tokio's clock and timer, and to the system's randomness.
    ///
    /// ```
    /// use redress::{Backoff, Duration, Policy, policy};
    /// use redress_tokio::OnTokio;
    ///
    /// const UPSTREAM: Policy =
    ///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(5))) };
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let mut retry = UPSTREAM.on_tokio();
    /// let stream = retry.call_async(async |_| tokio::net::TcpStream::connect("127.0.0.1:1").await);
    /// assert!(stream.await.is_err());
    /// # }
    /// ```
    fn on_tokio(&self) -> TokioRetry<'_>;
}

impl OnTokio for Policy {
    #[inline]
    fn on_tokio(&self) -> TokioRetry<'_> {
        self.on(TokioTime, SystemRandom)
    }
}
