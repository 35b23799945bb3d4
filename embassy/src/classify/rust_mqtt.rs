//! MQTT by rust-mqtt.

use redress::{Classification, ErrorClass};
use rust_mqtt::client::MqttError;

use super::{io, mqtt5, of};

/// An error of a client of rust-mqtt.
///
/// | class | errors |
/// | --- | --- |
/// | as [`io`] | `Network`, by its kind |
/// | as [`mqtt5_code`](redress::classify::mqtt5_code) | `Disconnect`, by its reason: a refused login is AUTH, a server that is busy TRANSIENT |
/// | TRANSIENT | `Disconnect` without an error; `RecoveryRequired`: connect anew in the attempt |
/// | AUTH | `EnhancedAuthFailed` |
/// | CONCURRENCY | `AllPacketIdentifiersUsed`, `SessionBuffer`, `SendQuotaExceeded`, `ReauthenticationHandshakeStateMismatched`: poll the client in a hook before the retry, so that acknowledgements arrive |
/// | PERMANENT | `Server` (not MQTT), `Alloc`, what the server does not support, and mistakes in the program |
///
/// The reason in an event (`Event::PublishRejected`, `Suback`) is one for `mqtt5_code`.
pub fn rust_mqtt<const N: usize, A>(error: &MqttError<'_, N, A>) -> Classification {
    match error {
        MqttError::Network(kind) => io(kind),
        MqttError::Disconnect { reason, .. } => mqtt5(reason.value()),
        MqttError::RecoveryRequired => of(ErrorClass::Transient, "connection failed before"),
        MqttError::EnhancedAuthFailed(_) => of(ErrorClass::Auth, "authentication failed"),
        MqttError::AllPacketIdentifiersUsed
        | MqttError::SessionBuffer
        | MqttError::SendQuotaExceeded => of(ErrorClass::Concurrency, "too many in flight"),
        MqttError::ReauthenticationHandshakeStateMismatched => {
            of(ErrorClass::Concurrency, "authentication in progress")
        }
        MqttError::Server => of(ErrorClass::Permanent, "not an answer of MQTT"),
        MqttError::Alloc => of(ErrorClass::Permanent, "buffer too small"),
        MqttError::PacketMaximumLengthExceeded | MqttError::ServerMaximumPacketSizeExceeded => {
            of(ErrorClass::Permanent, "packet too large")
        }
        MqttError::UnsupportedByServer => of(ErrorClass::Permanent, "unsupported by the server"),
        MqttError::PacketIdentifierNotInFlight
        | MqttError::ManualAckNotAllowed
        | MqttError::QoSMismatched
        | MqttError::HandshakeStateMismatched
        | MqttError::IllegalReasonCode
        | MqttError::TopicAliasNotMapped
        | MqttError::IllegalNoLocalSharedSubscription
        | MqttError::NoEnhancedAuthentication
        | MqttError::IllegalDisconnectSessionExpiryInterval => {
            of(ErrorClass::Permanent, "not allowed by MQTT")
        }
    }
}
