use embedded_io::ErrorKind;
use redress::ErrorClass::{
    Auth, Concurrency, Permanent, Permission, RateLimit, Transient, Unknown,
};
use redress_embassy::classify;
use rust_mqtt::client::MqttError;
use rust_mqtt::types::ReasonCode;

type Error = MqttError<'static, 0, ()>;

fn refused(reason: ReasonCode) -> Error {
    Error::Disconnect {
        reason,
        reason_string: None,
        user_properties: heapless::Vec::new(),
        server_reference: None,
    }
}

#[test]
fn rust_mqtt_fails_by_the_reason_of_its_broker() {
    for (error, class) in [
        (Error::Network(ErrorKind::ConnectionReset), Transient),
        (Error::Network(ErrorKind::InvalidInput), Permanent),
        (refused(ReasonCode::Success), Transient),
        (refused(ReasonCode::BadUserNameOrPassword), Auth),
        (refused(ReasonCode::NotAuthorized), Permission),
        (refused(ReasonCode::QuotaExceeded), RateLimit),
        (refused(ReasonCode::ServerBusy), Transient),
        (refused(ReasonCode::SessionTakenOver), Concurrency),
        (refused(ReasonCode::PacketTooLarge), Permanent),
        (refused(ReasonCode::UnspecifiedError), Unknown),
        (Error::RecoveryRequired, Transient),
        (Error::EnhancedAuthFailed(()), Auth),
        (Error::AllPacketIdentifiersUsed, Concurrency),
        (Error::SessionBuffer, Concurrency),
        (Error::SendQuotaExceeded, Concurrency),
        (Error::ReauthenticationHandshakeStateMismatched, Concurrency),
        (Error::Server, Permanent),
        (Error::Alloc, Permanent),
        (Error::PacketMaximumLengthExceeded, Permanent),
        (Error::ServerMaximumPacketSizeExceeded, Permanent),
        (Error::UnsupportedByServer, Permanent),
        (Error::IllegalReasonCode, Permanent),
    ] {
        assert_eq!(classify::rust_mqtt(&error).class, class, "{error:?}");
    }
}
