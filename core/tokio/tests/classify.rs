//! The classes of errors in chains, and of errors that no server here sends.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use redress::ErrorClass;
use redress_tokio::classify::error;

/// An error with this source; itself without one.
#[derive(Debug)]
struct Outer(Option<Arc<dyn Error + Send + Sync>>);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Some(inner) => Some(inner),
            None => Some(self),
        }
    }
}

#[test]
fn an_error_is_found_in_a_chain_in_an_arc_and_in_an_io_error() {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    let shared = |error| Outer(Some(Arc::new(error)));
    let transient = ErrorClass::Transient.into();
    assert_eq!(error(&reset()), transient);
    assert_eq!(error(&shared(reset())), transient);
    assert_eq!(error(&Outer(Some(Arc::new(shared(io::Error::other(reset())))))), transient);
    assert_eq!(error(&io::Error::other(shared(reset()))), transient);
    let missing = io::Error::from(io::ErrorKind::NotFound);
    assert_eq!(error(&shared(missing)), ErrorClass::Permanent.into());
}

#[test]
fn what_is_not_known_is_unknown_and_a_chain_that_ends_nowhere_ends_here() {
    let unknown = ErrorClass::Unknown.into();
    assert_eq!(error(&fmt::Error), unknown);
    assert_eq!(error(&Outer(None)), unknown);
    assert_eq!(error(&io::Error::other(Outer(None))), unknown);
}

#[tokio::test(start_paused = true)]
async fn the_time_out_of_tokio_is_transient() {
    let limit = std::time::Duration::from_secs(1);
    let late = tokio::time::timeout(limit, std::future::pending::<()>()).await;
    assert_eq!(error(&late.unwrap_err()), ErrorClass::Transient.into());
}

/// Errors of databases, by the form of their codes.
#[cfg(feature = "sqlx")]
mod databases {
    use std::borrow::Cow;
    use std::fmt;

    use redress::ErrorClass;
    use redress::classify::Verdict;
    use redress_tokio::classify;
    use sqlx::error::{DatabaseError, ErrorKind};

    /// An error of a driver: its code, and its text.
    #[derive(Debug)]
    struct Of(&'static str, &'static str);

    impl fmt::Display for Of {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.1)
        }
    }

    impl std::error::Error for Of {}

    impl DatabaseError for Of {
        fn message(&self) -> &str {
            self.1
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into()).filter(|code: &Cow<'_, str>| !code.is_empty())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn a_code_is_that_of_the_driver_whose_form_it_has() {
        let of = |class: ErrorClass| Verdict::from(class);
        for (code, text, verdict) in [
            ("40P01", "deadlock detected", of(ErrorClass::Concurrency)),
            ("23000", "1062 (23000): Duplicate entry", of(ErrorClass::Permanent)),
            (
                "42000",
                "1226 (42000): exceeded the 'max_questions' resource",
                of(ErrorClass::RateLimit),
            ),
            ("HY000", "1205 (HY000): Lock wait timeout exceeded", of(ErrorClass::Concurrency)),
            ("", "2013: Lost connection", of(ErrorClass::Transient)),
            // Only the number that is before its own SQLSTATE is that of `MySQL`.
            ("57014", "1205 (HY000): quoted", of(ErrorClass::Transient)),
            ("42601", "1205 is no number of an error", of(ErrorClass::Permanent)),
            ("5", "(code: 5) database is locked", of(ErrorClass::Concurrency)),
            ("2067", "(code: 2067) UNIQUE constraint failed", of(ErrorClass::Permanent)),
            ("9", "(code: 9) interrupted", Verdict::Abort),
            ("", "(code: 5) without a code", of(ErrorClass::Unknown)),
            ("-1", "", of(ErrorClass::Unknown)),
            ("99999999999", "", of(ErrorClass::Unknown)),
        ] {
            let error = sqlx::Error::Database(Box::new(Of(code, text)));
            assert_eq!(classify::sqlx(&error), verdict, "{code} {text}");
        }
    }
}
