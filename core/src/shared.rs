//! State that several callers use: [`Shared`], one method over any kind of lock.

use core::cell::RefCell;

/// A value behind a lock, lent for the length of a closure.
///
/// Implemented for [`RefCell`] (one thread), under the feature `std` for `std::sync::Mutex` and
/// for an `Arc` or `Rc` of a lock, and by adapters for their own locks. The engine never runs a
/// caller's code inside `with` and never holds it across an await.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not behind a lock that callers share",
    label = "this is not shared",
    note = "put it behind a lock and hand over a reference: `&RefCell` on one thread, `&Mutex` or \
            `Arc<Mutex>` of the standard library (feature `std`), `&Locked` of redress-embassy"
)]
pub trait Shared {
    /// The type of the shared value.
    type Item;

    /// Runs `f` on the value and returns its result. Returns `None` if the value is lent already:
    /// an `f` that calls `with` on the same lock again gets `None`. A poisoned lock is used as it
    /// is.
    fn with<R>(&self, f: impl FnOnce(&mut Self::Item) -> R) -> Option<R>;
}

impl<T> Shared for RefCell<T> {
    type Item = T;

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.try_borrow_mut().ok().map(|mut value| f(&mut value))
    }
}

#[cfg(feature = "std")]
impl<T> Shared for std::sync::Mutex<T> {
    type Item = T;

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut value = self.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(f(&mut value))
    }
}

#[cfg(feature = "std")]
impl<S: Shared + ?Sized> Shared for std::sync::Arc<S> {
    type Item = S::Item;

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut S::Item) -> R) -> Option<R> {
        (**self).with(f)
    }
}

#[cfg(feature = "std")]
impl<S: Shared + ?Sized> Shared for std::rc::Rc<S> {
    type Item = S::Item;

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut S::Item) -> R) -> Option<R> {
        (**self).with(f)
    }
}

impl<S: Shared + ?Sized> Shared for &S {
    type Item = S::Item;

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut S::Item) -> R) -> Option<R> {
        (**self).with(f)
    }
}
