//! MQTT by minimq.

use minimq::{Error, PeerError, PubError, ResourceError};
use redress::{Classification, ErrorClass};

use super::{io, mqtt5, of};

/// An error of a session of minimq.
///
/// | class | errors |
/// | --- | --- |
/// | as [`io`] | `Transport`, by its kind |
/// | as [`mqtt5_code`](redress::classify::mqtt5_code) | `Peer(Rejected)`, by its reason |
/// | TRANSIENT | `NotReady`, `Disconnected`, `WriteZero` |
/// | CONCURRENCY | `Resource(InflightExhausted)` |
/// | PERMANENT | `InvalidRequest`, `Peer(InvalidPacket)`, `Resource(BufferTooSmall)`, `Resource(PacketTooLarge)` |
/// | UNKNOWN | what comes later |
pub fn minimq<E: embedded_io::Error>(error: &Error<E>) -> Classification {
    match error {
        Error::Transport(error) => io(error),
        Error::Peer(PeerError::Rejected(reason)) => mqtt5(reason.into()),
        Error::NotReady => of(ErrorClass::Transient, "session is not ready"),
        Error::Disconnected => of(ErrorClass::Transient, "disconnected"),
        Error::WriteZero => of(ErrorClass::Transient, "nothing written"),
        Error::Resource(ResourceError::InflightExhausted) => {
            of(ErrorClass::Concurrency, "too many in flight")
        }
        Error::Resource(ResourceError::BufferTooSmall) => {
            of(ErrorClass::Permanent, "buffer too small")
        }
        Error::Resource(ResourceError::PacketTooLarge) => {
            of(ErrorClass::Permanent, "packet too large")
        }
        Error::InvalidRequest => of(ErrorClass::Permanent, "invalid request"),
        Error::Peer(PeerError::InvalidPacket) => of(ErrorClass::Permanent, "not an answer of MQTT"),
        _ => of(ErrorClass::Unknown, "unknown error of MQTT"),
    }
}

/// A message that minimq did not publish: as [`minimq()`], PERMANENT if its payload is not one.
pub fn minimq_publish<P, E: embedded_io::Error>(error: &PubError<P, E>) -> Classification {
    match error {
        PubError::Session(error) => minimq(error),
        PubError::Payload(_) => of(ErrorClass::Permanent, "payload is not serialized"),
    }
}
