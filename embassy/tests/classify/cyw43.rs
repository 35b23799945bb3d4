use cyw43::JoinError;
use redress::ErrorClass::{Auth, Transient};
use redress_embassy::classify;

#[test]
fn a_network_that_is_not_there_is_transient_and_a_wrong_password_is_not() {
    for (error, class) in [
        (JoinError::NetworkNotFound, Transient),
        (JoinError::JoinFailure(1), Transient),
        (JoinError::AuthenticationFailure, Auth),
    ] {
        assert_eq!(classify::cyw43_join(&error).class, class, "{error:?}");
    }
}
