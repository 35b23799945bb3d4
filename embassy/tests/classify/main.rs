//! What errors of drivers and stacks are.
//!
//! The errors of HALs are the kinds that their sources make of them, as the tables in `classify` say;
//! the image `hal` of the firmware takes the values of embassy-nrf itself.
#![cfg(all(
    feature = "embedded-hal",
    feature = "embedded-io",
    feature = "embassy-net",
    feature = "reqwless"
))]

#[cfg(feature = "embedded-can")]
mod can;
#[cfg(feature = "cyw43")]
mod cyw43;
#[cfg(feature = "minimq")]
mod minimq;
#[cfg(feature = "atat")]
mod modem;
#[cfg(feature = "rust-mqtt")]
mod rust_mqtt;
#[cfg(feature = "embedded-hal-nb")]
mod serial;
#[cfg(feature = "sequential-storage")]
mod storage;
#[cfg(feature = "embassy-net-udp")]
mod udp;

use embedded_hal::i2c::NoAcknowledgeSource;
use embedded_hal::{i2c, spi};
use embedded_io::ErrorKind;
use redress::ErrorClass::{self, Concurrency, Permanent, Permission, Transient};
use redress_embassy::classify;

#[test]
fn a_bus_without_an_answer_is_transient_and_one_taken_by_another_is_concurrency() {
    for (kind, class) in [
        (i2c::ErrorKind::Bus, Transient),
        (i2c::ErrorKind::ArbitrationLoss, Concurrency),
        (i2c::ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address), Transient),
        (i2c::ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data), Transient),
        (i2c::ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown), Transient),
        (i2c::ErrorKind::Overrun, Transient),
        (i2c::ErrorKind::Other, Transient),
    ] {
        assert_eq!(classify::i2c(&kind).class, class, "{kind:?}");
    }
    for (kind, class) in [
        (spi::ErrorKind::Overrun, Transient),
        (spi::ErrorKind::ModeFault, Concurrency),
        (spi::ErrorKind::FrameFormat, Transient),
        (spi::ErrorKind::ChipSelectFault, Transient),
        (spi::ErrorKind::Other, Transient),
    ] {
        assert_eq!(classify::spi(&kind).class, class, "{kind:?}");
    }
}

const KINDS: [(ErrorKind, ErrorClass); 18] = [
    (ErrorKind::Other, Transient),
    (ErrorKind::NotFound, Permanent),
    (ErrorKind::PermissionDenied, Permission),
    (ErrorKind::ConnectionRefused, Transient),
    (ErrorKind::ConnectionReset, Transient),
    (ErrorKind::ConnectionAborted, Transient),
    (ErrorKind::NotConnected, Transient),
    (ErrorKind::AddrInUse, Concurrency),
    (ErrorKind::AddrNotAvailable, Transient),
    (ErrorKind::BrokenPipe, Transient),
    (ErrorKind::AlreadyExists, Concurrency),
    (ErrorKind::InvalidInput, Permanent),
    (ErrorKind::InvalidData, Transient),
    (ErrorKind::TimedOut, Transient),
    (ErrorKind::Interrupted, Transient),
    (ErrorKind::Unsupported, Permanent),
    (ErrorKind::OutOfMemory, Transient),
    (ErrorKind::WriteZero, Transient),
];

#[test]
fn noise_on_a_line_is_transient_and_other_kinds_are_what_they_are_on_a_host() {
    for (kind, class) in KINDS {
        let got = classify::io(&kind);
        assert_eq!(got.class, class, "{kind:?}");
        assert!(got.detail.is_some(), "{kind:?} has no detail");
    }
}

#[test]
fn a_web_request_fails_by_the_kind_of_its_network_error() {
    use reqwless::Error;
    for (kind, class) in KINDS {
        assert_eq!(classify::web(&Error::Network(kind)).class, class, "{kind:?}");
    }
    for (error, class) in [
        (Error::Dns, Transient),
        (Error::ConnectionAborted, Transient),
        (Error::Codec, Permanent),
        (Error::BufferTooSmall, Permanent),
        (Error::AlreadySent, Permanent),
        (Error::IncorrectBodyWritten, Permanent),
    ] {
        assert_eq!(classify::web(&error).class, class, "{error:?}");
    }
}

#[test]
fn the_stack_tells_a_missing_way_from_a_wrong_use() {
    use embassy_net::dns;
    use embassy_net::tcp::{self, ConnectError};
    assert_eq!(classify::tcp(&tcp::Error::ConnectionReset).class, Transient);
    for (error, class) in [
        (ConnectError::InvalidState, Permanent),
        (ConnectError::ConnectionReset, Transient),
        (ConnectError::TimedOut, Transient),
        (ConnectError::NoRoute, Transient),
    ] {
        assert_eq!(classify::connect(&error).class, class, "{error:?}");
    }
    for (error, class) in [
        (dns::Error::InvalidName, Permanent),
        (dns::Error::NameTooLong, Permanent),
        (dns::Error::Failed, Transient),
    ] {
        assert_eq!(classify::dns(&error).class, class, "{error:?}");
    }
    assert_eq!(classify::timeout(&embassy_time::TimeoutError).class, Transient);
}

/// A driver's own timeout, which HALs report as `Other`, opens a breaker of default settings.
#[test]
fn timeouts_of_a_driver_open_a_breaker() {
    use redress::breaker::FailureTimes;
    use redress::event::CircuitState;
    use redress::random::NoRandom;
    use redress::{Backoff, Breaker, BreakerConfig, Duration, Policy, checked, policy};
    const READ: Policy =
        policy! { Policy::builder().max_attempts(3).backoff(Backoff::constant(Duration::ZERO)) };
    const RULE: BreakerConfig<redress::breaker::FailureRule> =
        BreakerConfig::failures(3, Duration::from_secs(60));
    let breaker = core::cell::RefCell::new(checked!(Breaker::<FailureTimes<3>>::new(&RULE)));
    for _ in 0..3 {
        let mut retry = READ
            .on(redress_embassy::EmbassyTime, NoRandom)
            .classify(classify::i2c)
            .breaker(&breaker);
        let read = retry.call_async(async |_| Err::<(), _>(i2c::ErrorKind::Other));
        let read = embassy_futures::block_on(read);
        assert!(read.is_err());
    }
    assert_eq!(breaker.borrow().state(), CircuitState::Open);
}
