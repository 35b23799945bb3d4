//! The one hook that events go through: [`Observer`].

#[cfg(feature = "std")]
use std::{boxed::Box, rc::Rc, sync::Arc};

use crate::event::{AttemptContext, Event};
use crate::shared::Shared;

/// Gets every event of a call, and the start and end of each attempt.
///
/// [`OnEvent`] makes an observer from a closure; `()` observes nothing and costs nothing. An
/// observer that several calls share is behind a lock (`&Mutex<O>`, `&RefCell<O>`), or implements
/// this trait for `&O` and is passed as `&O` or, under the feature `std`, as `Arc<O>` or `Rc<O>`.
/// A `Box<dyn Observer>` is an observer, too. Observers run outside of every lock but their own.
/// They return nothing, so they cannot change the call.
///
/// A change of a shared breaker is an event of the call that caused it; see
/// [`Retry::observer`](crate::Retry::observer).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no observer",
    label = "not an observer",
    note = "implement `Observer`, or hand a closure to `on_event(|event: &Event<'_>| ..)`"
)]
pub trait Observer {
    /// Called with each event when it happens.
    fn event(&mut self, event: &Event<'_>);

    /// Called before an attempt starts.
    fn attempt_start(&mut self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Called after an attempt has ended and its follow-up is decided.
    fn attempt_end(&mut self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Called before a call whose upstream has a name or whose breaker has a key, by drivers that
    /// know them: the `Upstream` of redress-tokio. All that follows belongs to this call.
    fn call_target(&mut self, target: &CallTarget<'_>) {
        let _ = target;
    }
}

/// What a call goes to; see [`Observer::call_target`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct CallTarget<'a> {
    /// The name of the upstream; empty if it has none.
    pub upstream: &'a str,
    /// The key of the breaker: a host, a device, a tenant. Empty if the call names none.
    pub key: &'a str,
}

impl<'a> CallTarget<'a> {
    /// The target with this upstream and this key.
    pub const fn new(upstream: &'a str, key: &'a str) -> Self {
        Self { upstream, key }
    }
}

/// An observer made from a closure; see [`Retry::on_event`](crate::Retry::on_event).
#[derive(Clone, Copy, Debug)]
pub struct OnEvent<F>(pub F);

impl<F: FnMut(&Event<'_>)> Observer for OnEvent<F> {
    #[inline]
    fn event(&mut self, event: &Event<'_>) {
        (self.0)(event);
    }
}

/// Forwards to what `$target` makes of `self`.
macro_rules! forward {
    ($this:ident => $target:expr) => {
        fn event(&mut self, event: &Event<'_>) {
            let $this = self;
            $target.event(event);
        }

        fn attempt_start(&mut self, attempt: &AttemptContext<'_>) {
            let $this = self;
            $target.attempt_start(attempt);
        }

        fn attempt_end(&mut self, attempt: &AttemptContext<'_>) {
            let $this = self;
            $target.attempt_end(attempt);
        }

        fn call_target(&mut self, target: &CallTarget<'_>) {
            let $this = self;
            $target.call_target(target);
        }
    };
}

impl<O: Observer + ?Sized> Observer for &mut O {
    forward!(this => (**this));
}

#[cfg(feature = "std")]
impl<O: Observer + ?Sized> Observer for Box<O> {
    forward!(this => (**this));
}

#[cfg(feature = "std")]
impl<O: ?Sized> Observer for Arc<O>
where
    for<'o> &'o O: Observer,
{
    forward!(this => (&mut &**this));
}

#[cfg(feature = "std")]
impl<O: ?Sized> Observer for Rc<O>
where
    for<'o> &'o O: Observer,
{
    forward!(this => (&mut &**this));
}

/// An observer behind a lock, which is held while it observes.
impl<S: Shared<Item: Observer>> Observer for &S {
    fn event(&mut self, event: &Event<'_>) {
        self.with(|observer| observer.event(event));
    }

    fn attempt_start(&mut self, attempt: &AttemptContext<'_>) {
        self.with(|observer| observer.attempt_start(attempt));
    }

    fn attempt_end(&mut self, attempt: &AttemptContext<'_>) {
        self.with(|observer| observer.attempt_end(attempt));
    }

    fn call_target(&mut self, target: &CallTarget<'_>) {
        self.with(|observer| observer.call_target(target));
    }
}

/// The observers of a [`Retry`](crate::Retry): none (`()`), an [`Observer`], or a pair of these.
/// The first of a pair is notified first.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no observer",
    label = "not an observer",
    note = "implement `redress::Observer`, or hand a closure to `on_event(|event: &Event<'_>| ..)`"
)]
pub trait Observers {
    /// Whether there is an observer. Without one the engine reads no clock for events and builds
    /// none.
    const OBSERVES: bool = true;

    /// As [`Observer::event`].
    fn on_event(&mut self, event: &Event<'_>);

    /// As [`Observer::attempt_start`].
    fn on_attempt_start(&mut self, attempt: &AttemptContext<'_>);

    /// As [`Observer::attempt_end`].
    fn on_attempt_end(&mut self, attempt: &AttemptContext<'_>);

    /// As [`Observer::call_target`].
    fn on_call_target(&mut self, target: &CallTarget<'_>) {
        let _ = target;
    }
}

impl Observers for () {
    const OBSERVES: bool = false;

    #[inline]
    fn on_event(&mut self, _: &Event<'_>) {}

    #[inline]
    fn on_attempt_start(&mut self, _: &AttemptContext<'_>) {}

    #[inline]
    fn on_attempt_end(&mut self, _: &AttemptContext<'_>) {}
}

impl<O: Observer> Observers for O {
    #[inline]
    fn on_event(&mut self, event: &Event<'_>) {
        Observer::event(self, event);
    }

    #[inline]
    fn on_attempt_start(&mut self, attempt: &AttemptContext<'_>) {
        Observer::attempt_start(self, attempt);
    }

    #[inline]
    fn on_attempt_end(&mut self, attempt: &AttemptContext<'_>) {
        Observer::attempt_end(self, attempt);
    }

    #[inline]
    fn on_call_target(&mut self, target: &CallTarget<'_>) {
        Observer::call_target(self, target);
    }
}

impl<A: Observers, B: Observers> Observers for (A, B) {
    const OBSERVES: bool = A::OBSERVES || B::OBSERVES;

    fn on_event(&mut self, event: &Event<'_>) {
        self.0.on_event(event);
        self.1.on_event(event);
    }

    fn on_attempt_start(&mut self, attempt: &AttemptContext<'_>) {
        self.0.on_attempt_start(attempt);
        self.1.on_attempt_start(attempt);
    }

    fn on_attempt_end(&mut self, attempt: &AttemptContext<'_>) {
        self.0.on_attempt_end(attempt);
        self.1.on_attempt_end(attempt);
    }

    fn on_call_target(&mut self, target: &CallTarget<'_>) {
        self.0.on_call_target(target);
        self.1.on_call_target(target);
    }
}
