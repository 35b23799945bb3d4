//! The platform's clock and timers: [`WebTime`].

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::{Date, Function};
use redress::time::Timer;
use redress::{Clock, Duration, Instant};
use wasm_bindgen::prelude::{Closure, JsValue, wasm_bindgen};
use wasm_bindgen::{JsCast, UnwrapThrowExt};

#[wasm_bindgen]
extern "C" {
    type Performance;

    #[wasm_bindgen(thread_local_v2, js_name = performance)]
    static PERFORMANCE: Option<Performance>;

    #[wasm_bindgen(method)]
    fn now(this: &Performance) -> f64;

    /// A number, or an object in Node.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, delay_ms: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(handle: &JsValue);
}

/// The platform's clock, `performance.now()`, and its timers, `setTimeout`.
///
/// It needs no `window`: it is the same in a page, a worker, Node and workerd. Where there is no
/// `performance`, the clock is `Date.now()`. Platforms round their clocks, against attacks by
/// timing: from 5 microseconds to a millisecond, Firefox with `resistFingerprinting` to 100 ms.
///
/// In Cloudflare Workers the clock does not advance while the program computes, only when it waits
/// for I/O or for a timer (workerd on your own machine goes on). So an attempt without I/O takes
/// no time there, however long it computes, and no limit ends it.
///
/// A delay is rounded up to whole milliseconds, and lasts at least as long by this clock. Browsers
/// make timers late in pages that are not visible, by a second or up to a minute. A delay of more
/// than 2^31 - 1 ms (24.8 days), for which platforms have no timer, is waited for in parts.
///
/// If the future of a delay is dropped, its timer is cleared and its callback freed. At module
/// scope workerd forbids timers, and throws.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebTime;

impl Clock for WebTime {
    fn now(&self) -> Instant {
        let millis = PERFORMANCE.with(|performance| match performance {
            Some(performance) => performance.now(),
            None => Date::now(),
        });
        Instant::from_micros(micros(millis))
    }
}

impl Timer for WebTime {
    #[inline]
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        wait(span)
    }
}

/// Whole microseconds; 0 for what is negative or no number.
#[expect(clippy::cast_sign_loss, reason = "it saturates at zero")]
pub(crate) fn micros(millis: f64) -> u64 {
    (millis * 1_000.0) as u64
}

/// The longest delay of `setTimeout`: a longer one counts as 1 ms.
const LONGEST_MS: u32 = i32::MAX as u32;

const MILLISECOND: Duration = Duration::from_millis(1);

async fn wait(span: Duration) {
    let due = WebTime.now().saturating_add(span);
    let mut left_ms = span.as_micros().div_ceil(1_000);
    loop {
        let part_ms = u32::try_from(left_ms).unwrap_or(LONGEST_MS).min(LONGEST_MS);
        Timeout::start(part_ms).await;
        left_ms -= u64::from(part_ms);
        if left_ms == 0 {
            break;
        }
    }
    // Node counts from the start of its loop's turn, so that a timer may be a part of a
    // millisecond early. A clock that is further behind stands still: a test does not move it.
    let early = due.since(WebTime.now());
    if !early.is_zero() && early < MILLISECOND {
        Timeout::start(1).await;
    }
}

/// What the callback of a timer tells its future.
#[derive(Default)]
struct Signal {
    is_due: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// One timer of the platform.
struct Timeout {
    signal: Rc<Signal>,
    handle: JsValue,
    /// The platform has a reference to it until the timer is due or cleared.
    _callback: Closure<dyn FnMut()>,
}

impl Timeout {
    fn start(delay_ms: u32) -> Self {
        let signal = Rc::new(Signal::default());
        let to_set = Rc::clone(&signal);
        let callback = Closure::<dyn FnMut()>::new(move || {
            to_set.is_due.set(true);
            let waker = to_set.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        let function = callback.as_ref().dyn_ref::<Function>().unwrap_throw();
        let handle = set_timeout(function, delay_ms);
        Self { signal, handle, _callback: callback }
    }
}

impl Future for Timeout {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.signal.is_due.get() {
            return Poll::Ready(());
        }
        let mut waker = self.signal.waker.borrow_mut();
        match &mut *waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if !self.signal.is_due.get() {
            clear_timeout(&self.handle);
        }
    }
}
