//! tonic: the status of a call.

use std::time::Duration as StdDuration;

use redress::classify::{Classification, Verdict, grpc_code, grpc_pushback};
use redress::{Duration, ErrorClass};
use tonic_types::StatusExt;

use super::sources;

/// The class of a status, by its code and message ([`grpc_code`]).
///
/// A status without a code of its own, which tonic makes of an error of the transport (UNKNOWN, or
/// CANCELLED for a connection that was lost), has the class of the first of its sources that has
/// one; UNKNOWN if none has.
///
/// The hint is that of `grpc-retry-pushback-ms`, otherwise the `retry_delay` of
/// `google.rpc.RetryInfo`, unless the class is final. A pushback by which the server forbids a
/// retry, such as `-1`, makes the status PERMANENT ([`grpc_pushback`]).
pub fn tonic(status: &::tonic::Status) -> Verdict {
    let of_transport = match status.code() {
        ::tonic::Code::Unknown | ::tonic::Code::Cancelled => sources(status),
        _ => None,
    };
    if let Some(verdict) = of_transport {
        return verdict;
    }
    let class = grpc_code(status.code().into(), status.message());
    let class = class.unwrap_or(ErrorClass::Unknown);
    if class.is_final() {
        return class.into();
    }
    let hint = match status.metadata().get("grpc-retry-pushback-ms") {
        Some(value) => match value.to_str().ok().and_then(grpc_pushback) {
            Some(wait) => Some(wait),
            None => {
                let forbidden = Classification::new(ErrorClass::Permanent);
                return forbidden.detail("grpc-retry-pushback-ms").into();
            }
        },
        None => retry_delay(status),
    };
    Classification { retry_after: hint, ..class.into() }.into()
}

fn retry_delay(status: &::tonic::Status) -> Option<Duration> {
    let delay: StdDuration = status.get_details_retry_info()?.retry_delay?;
    Some(Duration::from_micros(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX)))
}
