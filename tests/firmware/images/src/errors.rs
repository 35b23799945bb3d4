//! Classifies described errors.

use heapless::Vec;
use redress::classify::{self, AwsError, Facts, Limits, Marker, RetryAfter};
use redress::{Classification, Duration};
use redress_wire::Items;
use redress_wire::case::{Classifier, Described, Hint, LIBRARIES, MARKERS};

/// What the classifier says; `None` if the description is none, or has more than eight
/// numbers or sixteen ancestors.
pub fn classify(error: &Described<'_>) -> Option<Classification> {
    let mut args = Vec::<i64, 8>::new();
    for number in Items::new(error.args) {
        args.push(number).ok()?;
    }
    let mut ancestors = Vec::<&str, 16>::new();
    for name in Items::new(error.ancestors) {
        ancestors.push(name).ok()?;
    }
    let marker: Option<Marker> = match error.marker {
        Some(place) => Some(*MARKERS.get(usize::from(place))?),
        None => None,
    };
    let facts = Facts {
        marker,
        name: error.name,
        status: error.status,
        status_code: error.status_code,
        code: error.code,
        args: &args,
        message: error.message,
        sqlstate: error.sqlstate,
        retry_after: error.retry_after.map(|hint| match hint {
            Hint::Micros(micros) => RetryAfter::Span(Duration::from_micros(micros)),
            Hint::Text(text) => RetryAfter::Text(text),
        }),
        retry_after_header: error.retry_after_header,
        limits: Limits {
            retry_after: error.limits.retry_after_us.map(Duration::from_micros),
            exhausted: error.limits.exhausted,
            reset: error.limits.reset_us.map(Duration::from_micros),
        },
        now_unix_secs: error.now_unix_secs,
        library: *LIBRARIES.get(usize::from(error.library))?,
        ancestors: &ancestors,
        grpc: error.grpc,
        aws: error.aws.map(|(code, status)| AwsError { code, status }),
        ..Facts::NONE
    };
    Some(match error.classifier {
        Classifier::Default => classify::default(&facts),
        Classifier::Strict => classify::strict(&facts),
        Classifier::Http => classify::http(&facts),
        Classifier::HttpRetryAfter => classify::http_retry_after(&facts),
        Classifier::Sqlstate => classify::sqlstate(&facts),
        Classifier::Odbc => classify::odbc(&facts),
        Classifier::Grpc => classify::grpc(&facts),
        Classifier::Aws => classify::aws(&facts),
        Classifier::Redis => classify::redis(&facts),
    })
}
