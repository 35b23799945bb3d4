use embedded_io::ErrorKind;
use minimq::{Error, PeerError, PubError, ReasonCode, ResourceError};
use redress::ErrorClass::{Auth, Concurrency, Permanent, RateLimit, Transient, Unknown};
use redress_embassy::classify;

#[test]
fn minimq_fails_by_the_reason_of_its_broker() {
    let rejected = |reason| Error::Peer(PeerError::Rejected(reason));
    for (error, class) in [
        (Error::Transport(ErrorKind::ConnectionReset), Transient),
        (rejected(ReasonCode::BadUsernameOrPassword), Auth),
        (rejected(ReasonCode::QuotaExceeded), RateLimit),
        (rejected(ReasonCode::ServerBusy), Transient),
        (rejected(ReasonCode::UnspecifiedError), Unknown),
        (Error::NotReady, Transient),
        (Error::Disconnected, Transient),
        (Error::WriteZero, Transient),
        (Error::Resource(ResourceError::InflightExhausted), Concurrency),
        (Error::Resource(ResourceError::BufferTooSmall), Permanent),
        (Error::Resource(ResourceError::PacketTooLarge), Permanent),
        (Error::InvalidRequest, Permanent),
        (Error::Peer(PeerError::InvalidPacket), Permanent),
    ] {
        assert_eq!(classify::minimq(&error).class, class, "{error:?}");
        let shown = format!("{error:?}");
        let published = PubError::<(), ErrorKind>::Session(error);
        assert_eq!(classify::minimq_publish(&published).class, class, "{shown}");
    }
    let payload = PubError::<(), ErrorKind>::Payload(());
    assert_eq!(classify::minimq_publish(&payload).class, Permanent);
}
