//! The text of errors in events: [`ErrorText`].

use core::fmt;

/// Provides the text of an error for events; `()` provides none.
pub trait ErrorText<E> {
    /// The type of the text. Nothing is formatted until an observer prints it.
    type Text<'t>: fmt::Display + Copy
    where
        Self: 't,
        E: 't;

    /// The text of this error.
    fn text<'t>(&'t self, error: &'t E) -> Option<Self::Text<'t>>;
}

/// The type of the text if there is none. It takes no memory, and links no formatting code.
#[derive(Clone, Copy, Debug)]
pub enum NoText {}

impl fmt::Display for NoText {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl<E> ErrorText<E> for () {
    type Text<'t>
        = NoText
    where
        E: 't;

    #[inline]
    fn text<'t>(&'t self, _: &'t E) -> Option<NoText> {
        None
    }
}

/// Text that a function writes; see [`Retry::error_text`](crate::Retry::error_text).
#[derive(Clone, Copy, Debug)]
pub struct WrittenBy<F>(pub(crate) F);

/// An error and the function that writes its text.
#[derive(Debug)]
pub struct Written<'t, F, E>(&'t F, &'t E);

impl<F, E> Clone for Written<'_, F, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, E> Copy for Written<'_, F, E> {}

impl<E, F: Fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Written<'_, F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(self.1, f)
    }
}

impl<E, F: Fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result> ErrorText<E> for WrittenBy<F> {
    type Text<'t>
        = Written<'t, F, E>
    where
        F: 't,
        E: 't;

    #[inline]
    fn text<'t>(&'t self, error: &'t E) -> Option<Written<'t, F, E>> {
        Some(Written(&self.0, error))
    }
}

/// Text in the `Display` form of the error; see
/// [`Retry::show_errors`](crate::Retry::show_errors).
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shown;

impl<E: fmt::Display> ErrorText<E> for Shown {
    type Text<'t>
        = &'t E
    where
        E: 't;

    #[inline]
    fn text<'t>(&'t self, error: &'t E) -> Option<&'t E> {
        Some(error)
    }
}

/// Text in the `Debug` form of the error; see
/// [`Retry::debug_errors`](crate::Retry::debug_errors).
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Debugged;

/// An error that displays as its `Debug` form.
#[derive(Debug)]
pub struct ByDebug<'t, E>(&'t E);

impl<E> Clone for ByDebug<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ByDebug<'_, E> {}

impl<E: fmt::Debug> fmt::Display for ByDebug<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: fmt::Debug> ErrorText<E> for Debugged {
    type Text<'t>
        = ByDebug<'t, E>
    where
        E: 't;

    #[inline]
    fn text<'t>(&'t self, error: &'t E) -> Option<ByDebug<'t, E>> {
        Some(ByDebug(error))
    }
}
