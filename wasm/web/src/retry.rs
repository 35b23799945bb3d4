//! [`OnWeb`], which binds a policy to the platform.

use redress::{Policy, Retry};

use crate::{WebRandom, WebTime};

/// A [`Retry`] with the platform's clock, timers and randomness.
pub type WebRetry<'a> = Retry<'a, (WebTime, WebRandom, (), (), (), (), &'a Policy)>;

/// Binds a policy to a page, a worker, Node, or an edge runtime.
pub trait OnWeb {
    /// Binds this policy to the platform's clock and timers ([`WebTime`]) and to its randomness
    /// ([`WebRandom`]).
    ///
    /// It reads neither clock nor randomness, so it may be called at the module scope of workerd.
    ///
    /// ```
    /// use redress::{Backoff, Duration, ErrorClass, Policy, policy};
    /// use redress_web::OnWeb;
    ///
    /// const UPSTREAM: Policy =
    ///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(5))) };
    ///
    /// async fn read(load: impl AsyncFn() -> Result<u32, u16>) -> Option<u32> {
    ///     let mut retry = UPSTREAM.on_web().classify(|_: &u16| ErrorClass::ServerError);
    ///     retry.call_async(async |_| load().await).await.ok()
    /// }
    /// ```
    fn on_web(&self) -> WebRetry<'_>;
}

impl OnWeb for Policy {
    #[inline]
    fn on_web(&self) -> WebRetry<'_> {
        self.on(WebTime, WebRandom)
    }
}
