//! What the errors of esp-radio are.

use esp_radio::wifi::{DisconnectReason, WifiError};
use redress::{Classification, ErrorClass};

/// The class of a join that failed, or of a connection that broke.
pub fn of_wifi(error: &WifiError) -> Classification {
    use ErrorClass::{Permanent, Transient, Unknown};
    let (class, detail) = match error {
        WifiError::Disconnected(station) => return of_reason(station.reason),
        WifiError::NotConnected => (Transient, "not connected"),
        WifiError::OutOfMemory => (Transient, "out of memory"),
        WifiError::InvalidSsid | WifiError::InvalidPassword | WifiError::InvalidArguments => {
            (Permanent, "wrong setting")
        }
        WifiError::Unsupported => (Permanent, "not supported"),
        _ => (Unknown, "unknown Wi-Fi error"),
    };
    Classification::new(class).detail(detail)
}

fn of_reason(reason: DisconnectReason) -> Classification {
    use DisconnectReason as Why;
    use ErrorClass::{Auth, Permanent, ServerError, Transient, Unknown};
    let (class, detail) = match reason {
        // A wrong password, and as often a handshake that was lost in a weak signal.
        Why::AuthenticationFailed | Why::FourWayHandshakeTimeout | Why::HandshakeTimeout => {
            (Auth, "authentication failed")
        }
        Why::_802_1xAuthenticationFailed | Why::MicFailure => (Auth, "authentication failed"),
        Why::NoAccessPointFoundWithCompatibleSecurity
        | Why::NoAccessPointFoundInAuthmodeThreshold
        | Why::CipherSuiteRejected
        | Why::BadCipherOrAkm => (Permanent, "no common security"),
        Why::AssociationTooMany | Why::NotEnoughBandwidth => (ServerError, "access point is full"),
        Why::NoAccessPointFound | Why::NoAccessPointFoundInRssiThreshold => {
            (Transient, "network not found")
        }
        Why::AuthenticationExpired
        | Why::AuthenticationLeave
        | Why::DisassociatedDueToInactivity
        | Why::AssociationLeave
        | Why::AssociationFailed
        | Why::ConnectionFailed
        | Why::BeaconTimeout
        | Why::Timeout
        | Why::GroupKeyUpdateTimeout
        | Why::MissingAcks
        | Why::PeerInitiated
        | Why::AccessPointInitiatedDisassociation
        | Why::AccessPointTsfReset
        | Why::Roaming
        | Why::SaQueryTimeout => (Transient, "connection lost"),
        _ => (Unknown, "unknown reason"),
    };
    Classification::new(class).detail(detail)
}
