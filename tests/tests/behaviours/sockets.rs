//! What the operating system's own errors are, as `std` has them.

use std::io::{Error, ErrorKind, Read};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::time;

use redress::classify::{self, Describe};
use redress::random::NoRandom;
use redress::testing::MockClock;
use redress::{Duration, ErrorClass};

use crate::each_second;

/// Line 145: on Unix it comes as `WouldBlock`, on Windows as `TimedOut`.
#[test]
fn the_time_out_of_a_socket_is_transient() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut socket = TcpStream::connect(silent.local_addr().unwrap()).unwrap();
    socket.set_read_timeout(Some(time::Duration::from_millis(1))).unwrap();
    let mut read = || socket.read(&mut [0]);
    let error = read().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error:?}");
    assert_eq!(classify::io_error(&error), ErrorClass::Transient);
    assert_eq!(classify::default(&error.facts()).class, ErrorClass::Transient);

    let policy = each_second().max_attempts(3).build().unwrap();
    let clock = MockClock::new();
    let outcome = policy.on(&clock, NoRandom).execute(|_| read());
    assert_eq!((outcome.attempts, outcome.last_class()), (3, Some(ErrorClass::Transient)));
    assert_eq!(clock.slept(), Duration::from_secs(2));
}

/// Line 145: RFC 6761 reserves `invalid` for names that never resolve.
#[test]
fn a_name_that_is_not_resolved_is_transient() {
    let error = ("nonexistent.invalid", 80).to_socket_addrs().map(drop).unwrap_err();
    assert!(classify::dns_message(&error.to_string()), "{error:?}");
    assert_eq!(classify::io_error(&error), ErrorClass::Transient, "{error:?}");
    assert_eq!(classify::default(&error.facts()).class, ErrorClass::Transient);
}

/// Line 145: a library's error often comes wrapped as `Other`.
#[test]
fn an_error_of_no_kind_is_what_is_in_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = TcpStream::connect(address).unwrap_err();
    let wrapped = Error::other(Error::other(refused));
    assert_eq!(classify::io_kind(wrapped.kind()), ErrorClass::Unknown);
    assert_eq!(classify::io_error(&wrapped), ErrorClass::Transient);
    // A kind that says something is not looked behind.
    let invalid = Error::new(ErrorKind::InvalidData, Error::from(ErrorKind::TimedOut));
    assert_eq!(classify::io_error(&invalid), ErrorClass::Permanent);
}
