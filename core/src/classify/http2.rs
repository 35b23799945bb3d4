//! HTTP/2: the error codes of streams and connections that end early.

use crate::class::ErrorClass;

/// The class of a stream that was reset, by the error code of `RST_STREAM`, or `None` for one
/// that does not say whether the request was processed: 0x7 `REFUSED_STREAM` TRANSIENT.
///
/// Source: RFC 9113, sections 7 and 8.7: a request on a refused stream was not processed and
/// may be sent again, whatever its method.
pub const fn http2_reset(code: u32) -> Option<ErrorClass> {
    match code {
        0x7 => Some(ErrorClass::Transient),
        _ => None,
    }
}

/// The class of a connection that goes away, by the error code of GOAWAY, or `None` for one
/// that says nothing more: 0x0 `NO_ERROR` TRANSIENT, as the server shuts down in good order.
///
/// Source: RFC 9113, sections 6.8 and 8.7.
pub const fn http2_goaway(code: u32) -> Option<ErrorClass> {
    match code {
        0x0 => Some(ErrorClass::Transient),
        _ => None,
    }
}
