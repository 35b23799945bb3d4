//! hyper and h2: connections, streams and messages that end early.

use std::error::Error;
use std::io::ErrorKind;

use redress::ErrorClass;
use redress::classify::{Verdict, http2_goaway, http2_reset, io_kind};

use super::sources;

/// The class of an error of hyper: that of the first of its sources with a class, such as the
/// `std::io::Error` of a broken connection or the [`h2::Error`](h2()) of a stream; otherwise
/// that of the I/O error which it describes.
///
/// | hyper's error | as the kind |
/// | --- | --- |
/// | time-out, such as a PING that is not answered | `TimedOut` |
/// | message that ends early | `UnexpectedEof` |
/// | request that was dropped before it was sent, as the connection had ended | `ConnectionAborted` |
/// | closed channel to a connection that has ended | `BrokenPipe` |
/// | message that cannot be parsed | `InvalidData` |
/// | misuse, such as an error of the program's own body | `InvalidInput` |
///
/// UNKNOWN for any other.
pub fn hyper(error: &::hyper::Error) -> Verdict {
    if let Some(verdict) = sources(error) {
        return verdict;
    }
    let kind = if error.is_timeout() {
        ErrorKind::TimedOut
    } else if error.is_incomplete_message() {
        ErrorKind::UnexpectedEof
    } else if error.is_canceled() {
        // A program that drops its future gets no error. What gets this one is a request that
        // waited for a connection which ended.
        ErrorKind::ConnectionAborted
    } else if error.is_closed() || error.is_body_write_aborted() {
        ErrorKind::BrokenPipe
    } else if error.is_parse() {
        ErrorKind::InvalidData
    } else if error.is_user() {
        ErrorKind::InvalidInput
    } else {
        return ErrorClass::Unknown.into();
    };
    io_kind(kind).into()
}

/// The class of an error of h2: of its I/O error, or by the code of the frame that the server sent
/// ([`http2_goaway`], [`http2_reset`]); as `ErrorKind::InvalidInput` if the program itself ended the
/// stream, such as with a body that fails; UNKNOWN for any other.
pub fn h2(error: &::h2::Error) -> Verdict {
    by_frame(error).unwrap_or(ErrorClass::Unknown.into())
}

fn by_frame(error: &::h2::Error) -> Option<Verdict> {
    if let Some(io) = error.get_io() {
        return Some(super::error(io as &(dyn Error + 'static)));
    }
    if !error.is_remote() && !error.is_library() && (error.is_reset() || error.is_go_away()) {
        // The program has ended it, as its own body failed.
        return Some(io_kind(ErrorKind::InvalidInput).into());
    }
    let code = error.reason().filter(|_| error.is_remote())?.into();
    let class = if error.is_go_away() { http2_goaway(code) } else { http2_reset(code) };
    class.map(Verdict::from)
}
