//! tonic: the status of a call.

use std::time::Duration as StdDuration;

use redress::classify::{Classification, Verdict, grpc_code, grpc_pushback};
use redress::{Duration, ErrorClass};
use tonic_types::StatusExt;

use super::sources;

/// The class of a status, by its code and message ([`grpc_code`]).
///
/// A status that tonic makes of an error of the transport has the class of that error if it has one:
/// tonic's code for a connection that was lost is UNKNOWN, INTERNAL or CANCELLED.
///
/// The hint is that of `grpc-retry-pushback-ms`, otherwise the `retry_delay` of
/// `google.rpc.RetryInfo`, unless the class is final. A pushback by which the server forbids a
/// retry, such as `-1`, makes the status PERMANENT ([`grpc_pushback`]).
pub fn tonic(status: &::tonic::Status) -> Verdict {
    if let Some(verdict) = sources(status) {
        return verdict;
    }
    let class = grpc_code(status.code().into(), status.message());
    let class = class.unwrap_or(ErrorClass::Unknown);
    if class.is_final() {
        return class.into();
    }
    let hint = match status.metadata().get("grpc-retry-pushback-ms") {
        Some(value) => {
            let Some(wait) = value.to_str().ok().and_then(grpc_pushback) else {
                let forbidden = Classification::new(ErrorClass::Permanent);
                return forbidden.detail("grpc-retry-pushback-ms").into();
            };
            Some(wait)
        }
        None => retry_delay(status),
    };
    Classification { retry_after: hint, ..class.into() }.into()
}

fn retry_delay(status: &::tonic::Status) -> Option<Duration> {
    let delay: StdDuration = status.get_details_retry_info()?.retry_delay?;
    Some(Duration::from_micros(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX)))
}
