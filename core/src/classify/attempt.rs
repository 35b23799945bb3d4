//! How a driver handles the result of an attempt: [`Classifier`], which the setters of a
//! [`Retry`](crate::Retry) build.

use crate::classify::classifier::ClassifyValue;
use crate::classify::{ByDescription, Classify, ErrorText, Hook, Verdict};

/// The classifier `K` of errors, the classifier `V` of values, the hook `H` before each retry,
/// and the text `S` of errors in events. Each has its own setter, so the order of the setters
/// does not matter.
#[derive(Clone, Copy, Debug)]
pub struct Classifier<K = ByDescription, V = (), H = (), S = ()> {
    pub(crate) errors: K,
    pub(crate) values: V,
    pub(crate) hook: H,
    pub(crate) text: S,
}

impl Classifier {
    /// Errors describe themselves, every value is a success, there is no hook, and events have
    /// no text of an error.
    pub(crate) const DEFAULT: Self = Self { errors: ByDescription, values: (), hook: (), text: () };
}

/// How a driver handles the result of an attempt. Only [`Classifier`] implements it.
#[diagnostic::on_unimplemented(
    message = "nothing says what class of failure a `{E}` is",
    label = "this call does not know what to make of `{E}`",
    note = "classify it: `.classify(|error: &{E}| match error {{ .. => ErrorClass::Transient, .. }})`, \
            with a table of `redress::classify`, or implement `redress::classify::Describe` for \
            `{E}`"
)]
pub trait ClassifyAttempt<T, E> {
    /// As [`Classify::Rejected`].
    type Rejected;

    /// The hook before each retry.
    type Hook: Hook<E, Self::Rejected>;

    /// The text of errors in events.
    type Text: ErrorText<E>;

    /// As [`Classify::error`].
    fn error(&mut self, error: &E) -> Verdict;

    /// As [`Classify::value`].
    ///
    /// # Errors
    ///
    /// The value with its [`Verdict`], if it counts as a failure.
    fn value(&mut self, value: T) -> Result<T, (Self::Rejected, Verdict)>;

    /// The hook before a retry.
    fn hook(&mut self) -> &mut Self::Hook;

    /// The text of errors in events.
    fn text(&self) -> &Self::Text;
}

impl<T, E, K, V, H, S> ClassifyAttempt<T, E> for Classifier<K, V, H, S>
where
    K: Classify<T, E>,
    V: ClassifyValue<T, E, K>,
    H: Hook<E, V::Rejected>,
    S: ErrorText<E>,
{
    type Rejected = V::Rejected;

    type Hook = H;

    type Text = S;

    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        self.errors.error(error)
    }

    #[inline]
    fn value(&mut self, value: T) -> Result<T, (V::Rejected, Verdict)> {
        self.values.value(&mut self.errors, value)
    }

    #[inline]
    fn hook(&mut self) -> &mut H {
        &mut self.hook
    }

    #[inline]
    fn text(&self) -> &S {
        &self.text
    }
}
