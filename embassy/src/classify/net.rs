//! embassy-net.

use redress::{Classification, ErrorClass};

use super::of;

/// An error of an open TCP connection of embassy-net: TRANSIENT.
pub fn tcp(error: &embassy_net::tcp::Error) -> Classification {
    match error {
        embassy_net::tcp::Error::ConnectionReset => {
            of(ErrorClass::Transient, "connection reset or timed out")
        }
    }
}

/// A TCP connection of embassy-net that was not made: TRANSIENT, but PERMANENT for a socket
/// that is open already, which only a fault in the program causes.
pub fn connect(error: &embassy_net::tcp::ConnectError) -> Classification {
    use embassy_net::tcp::ConnectError;
    match error {
        ConnectError::InvalidState => of(ErrorClass::Permanent, "socket is open already"),
        ConnectError::ConnectionReset => of(ErrorClass::Transient, "connection refused"),
        ConnectError::TimedOut => of(ErrorClass::Transient, "connecting timed out"),
        ConnectError::NoRoute => of(ErrorClass::Transient, "no route to the host"),
    }
}

/// A name that embassy-net did not resolve: TRANSIENT, as a failed answer, a missing one and a
/// name that does not exist look the same there; PERMANENT for a name that cannot be one.
pub fn dns(error: &embassy_net::dns::Error) -> Classification {
    use embassy_net::dns::Error;
    match error {
        Error::InvalidName => of(ErrorClass::Permanent, "not a name"),
        Error::NameTooLong => of(ErrorClass::Permanent, "name too long"),
        Error::Failed => of(ErrorClass::Transient, "name not resolved"),
    }
}

/// A datagram that embassy-net did not send.
///
/// | class | errors |
/// | --- | --- |
/// | TRANSIENT | `NoRoute`: the link is down, or has no address yet |
/// | PERMANENT | `SocketNotBound`, `PacketTooLarge` |
///
/// A datagram that is sent may be lost without an error: the answer decides, or an attempt timeout.
#[cfg(feature = "embassy-net-udp")]
pub fn udp_send(error: &embassy_net::udp::SendError) -> Classification {
    use embassy_net::udp::SendError;
    match error {
        SendError::NoRoute => of(ErrorClass::Transient, "no route to the host"),
        SendError::SocketNotBound => of(ErrorClass::Permanent, "socket is not bound"),
        SendError::PacketTooLarge => of(ErrorClass::Permanent, "datagram too large"),
    }
}

/// A datagram that embassy-net received and that is larger than the caller's buffer: PERMANENT.
#[cfg(feature = "embassy-net-udp")]
pub fn udp_receive(error: &embassy_net::udp::RecvError) -> Classification {
    match error {
        embassy_net::udp::RecvError::Truncated => of(ErrorClass::Permanent, "buffer too small"),
    }
}
