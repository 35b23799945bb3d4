use atat::{CmeError, CmsError, ConnectionError, Error};
use redress::ErrorClass::{
    self, Auth, Concurrency, Permanent, Permission, ServerError, Transient, Unknown,
};
use redress_embassy::classify;

#[test]
fn a_modem_fails_by_what_it_says() {
    for (error, class) in [
        (Error::Read, Transient),
        (Error::Write, Transient),
        (Error::Timeout, Transient),
        (Error::Aborted, Transient),
        (Error::InvalidResponse, Transient),
        (Error::ConnectionError(ConnectionError::NoCarrier), Transient),
        (Error::CmeError(CmeError::SimPin), Auth),
        (Error::CmsError(CmsError::NetworkTimeout), Transient),
        (Error::Capacity, Permanent),
        (Error::Parse, Unknown),
        (Error::Error, Unknown),
        (Error::Custom, Unknown),
    ] {
        assert_eq!(classify::atat(&error).class, class, "{error:?}");
    }
}

/// Codes of 3GPP TS 27.007, 9.2, as a modem sends them.
const EQUIPMENT: [(u16, ErrorClass); 18] = [
    (0, ServerError),
    (1, Transient),
    (2, Concurrency),
    (3, Unknown),
    (4, Permanent),
    (10, Permanent),
    (11, Auth),
    (14, Transient),
    (16, Auth),
    (20, Permanent),
    (30, Transient),
    (31, Transient),
    (32, Permission),
    (40, Auth),
    (50, Permanent),
    (100, Unknown),
    (103, Permission),
    (149, Auth),
];

/// Codes of 3GPP TS 27.005, 3.2.5.
const MESSAGES: [(u16, ErrorClass); 16] = [
    (1, Permanent),
    (10, Permission),
    (38, Transient),
    (41, Transient),
    (42, Transient),
    (47, ServerError),
    (69, Permanent),
    (192, Transient),
    (194, ServerError),
    (300, ServerError),
    (301, Concurrency),
    (311, Auth),
    (322, Permanent),
    (331, Transient),
    (332, Transient),
    (500, Unknown),
];

#[test]
fn codes_of_a_modem_have_the_classes_of_their_meaning() {
    for (code, class) in EQUIPMENT {
        assert_eq!(classify::cme(CmeError::from(code)).class, class, "+CME ERROR: {code}");
    }
    for (code, class) in MESSAGES {
        assert_eq!(classify::cms(CmsError::from(code)).class, class, "+CMS ERROR: {code}");
    }
}
