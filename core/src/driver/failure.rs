//! What a failed attempt left behind, and what the classifier makes of it.

use core::any::type_name;

use crate::class::ErrorClass;
use crate::classify::{ClassifyAttempt, Verdict};
use crate::event::Cause;
use crate::outcome::Last;

/// Takes what an operation returned and asks the classifier of values.
#[inline]
pub(crate) fn judge<V, E, K: ClassifyAttempt<V, E>>(
    classifier: &mut K,
    result: Result<V, E>,
) -> Result<V, Failed<E, K::Rejected>> {
    match result {
        Ok(value) => {
            classifier.value(value).map_err(|(value, verdict)| Failed::Value(value, verdict))
        }
        Err(error) => Err(Failed::Error(error)),
    }
}

/// What is known of a failed attempt.
pub(crate) struct Failure {
    pub(crate) verdict: Verdict,
    pub(crate) cause: Cause,
    /// The name of the error's type, where an observer is set.
    pub(crate) error: Option<&'static str>,
    /// The driver has ended the attempt at its timeout.
    pub(crate) is_cut: bool,
}

/// What an attempt left behind that did not succeed.
pub(crate) enum Failed<E, R> {
    /// An error that is not classified yet.
    Error(E),
    /// A value that the classifier takes for a failure.
    Value(R, Verdict),
    /// Nothing: it was dropped because its time was over.
    Timeout,
}

impl<E, R> Failed<E, R> {
    /// Says what is known of it, and asks the classifier of errors; with the name of the
    /// error's type if an observer is set.
    #[inline]
    pub(crate) fn classify<V>(
        &self,
        classifier: &mut impl ClassifyAttempt<V, E>,
        observes: bool,
    ) -> Failure {
        let (verdict, cause, error) = match self {
            Self::Error(error) => {
                let name = if observes { Some(short_name(type_name::<E>())) } else { None };
                (classifier.error(error), Cause::Exception, name)
            }
            Self::Value(_, verdict) => (*verdict, Cause::Result, None),
            Self::Timeout => {
                let name = if observes { Some("TimeoutError") } else { None };
                (ErrorClass::Transient.into(), Cause::Exception, name)
            }
        };
        Failure { verdict, cause, error, is_cut: matches!(self, Self::Timeout) }
    }

    #[inline]
    pub(crate) fn into_last(self) -> Last<E, R> {
        match self {
            Self::Error(error) => Last::Error(error),
            Self::Value(value, _) => Last::Value(value),
            Self::Timeout => Last::Timeout,
        }
    }
}

/// The name of a type without its path and parameters. By bytes, as searching in
/// text leaves panic paths in an image.
fn short_name(full: &'static str) -> &'static str {
    let (mut start, mut end) = (0, full.len());
    for (at, byte) in full.bytes().enumerate() {
        match byte {
            b'<' => {
                end = at;
                break;
            }
            b':' => start = at + 1,
            _ => {}
        }
    }
    full.get(start..end).unwrap_or(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_without_path_and_parameters() {
        for (full, short) in [
            ("std::io::error::Error", "Error"),
            ("u32", "u32"),
            ("core::option::Option<alloc::string::String>", "Option"),
            ("&str", "&str"),
        ] {
            assert_eq!(short_name(full), short);
        }
    }
}
