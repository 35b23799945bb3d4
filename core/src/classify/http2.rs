//! HTTP/2: the error codes of streams and connections that end early.

use crate::class::ErrorClass;

/// The class of a stream that was reset, by the error code of `RST_STREAM`: 0x7 `REFUSED_STREAM`
/// TRANSIENT. `None` for any other code, which leaves open whether the request was processed.
///
/// Source: RFC 9113, sections 7 and 8.7: a request on a refused stream was not processed and
/// may be sent again, whatever its method.
pub const fn http2_reset(code: u32) -> Option<ErrorClass> {
    match code {
        0x7 => Some(ErrorClass::Transient),
        _ => None,
    }
}

/// The class of a connection that the server closes, by the error code of GOAWAY: 0x0 `NO_ERROR`
/// TRANSIENT, because the server shuts down in good order. `None` for any other code.
///
/// Source: RFC 9113, sections 6.8 and 8.7.
pub const fn http2_goaway(code: u32) -> Option<ErrorClass> {
    match code {
        0x0 => Some(ErrorClass::Transient),
        _ => None,
    }
}
