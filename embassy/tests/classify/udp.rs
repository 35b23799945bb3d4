use embassy_net::udp::{RecvError, SendError};
use redress::ErrorClass::{Permanent, Transient};
use redress_embassy::classify;

#[test]
fn a_datagram_without_a_way_is_transient_and_one_that_does_not_fit_is_not() {
    for (error, class) in [
        (SendError::NoRoute, Transient),
        (SendError::SocketNotBound, Permanent),
        (SendError::PacketTooLarge, Permanent),
    ] {
        assert_eq!(classify::udp_send(&error).class, class, "{error:?}");
    }
    assert_eq!(classify::udp_receive(&RecvError::Truncated).class, Permanent);
}
