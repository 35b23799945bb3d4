//! The faults of the service are real: what a client sees of each on its socket.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use flaky_service::service::{Fault, FlakyService, MISSING, ORDERS, PRIVATE, Phase, Script};
use tokio::runtime::Runtime;

const fn always(fault: Fault) -> [Phase; 1] {
    [Phase { name: "always", lasts: Duration::from_secs(1), fault }]
}

const NONE: &[Phase] = &always(Fault::None);
const LIMITED: &[Phase] = &always(Fault::RateLimit { per_second: 0 });
const RESETS: &[Phase] = &always(Fault::Resets { percent: 100 });
const HANGS: &[Phase] = &always(Fault::Hangs { percent: 100 });
const OUTAGE: &[Phase] = &always(Fault::Outage);

/// A service with one fault, and the runtime that it lives in.
fn service(phases: &'static [Phase]) -> (Runtime, FlakyService) {
    let runtime = Runtime::new().expect("a runtime");
    let service = runtime.block_on(FlakyService::start(Script { phases, seed: 1 }));
    (runtime, service.expect("a port"))
}

/// The whole answer to a GET.
fn get(service: &FlakyService, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(service.address())?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.to_lowercase())
}

#[test]
fn a_healthy_service_tells_its_paths_apart() {
    let (_runtime, service) = service(NONE);
    for (path, status) in [(ORDERS, "200"), (MISSING, "404"), (PRIVATE, "401")] {
        let answer = get(&service, path).expect("an answer");
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{path}: {answer}");
    }
    assert_eq!((service.reached(), service.reached_in_outage()), (3, 0));
}

#[test]
fn a_limited_request_is_told_when_to_come_back() {
    let (_runtime, service) = service(LIMITED);
    let answer = get(&service, ORDERS).expect("an answer");
    assert!(answer.starts_with("http/1.1 429 ") && answer.contains("retry-after: 1\r\n"));
}

#[test]
fn a_reset_is_a_reset_of_the_connection() {
    let (_runtime, service) = service(RESETS);
    let error = get(&service, ORDERS).expect_err("no answer");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn a_hang_leaves_the_connection_open_and_says_nothing() {
    let (_runtime, service) = service(HANGS);
    let error = get(&service, ORDERS).expect_err("no answer");
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(service.reached(), 1);
}

#[test]
fn an_outage_serves_nobody_and_is_counted() {
    let (_runtime, service) = service(OUTAGE);
    for _ in 0..20 {
        match get(&service, ORDERS) {
            Ok(answer) => assert!(answer.starts_with("http/1.1 503 "), "{answer}"),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }
    assert_eq!(service.reached_in_outage(), 20);
}

#[test]
fn a_fault_switched_on_by_hand_goes_before_the_script_until_it_is_switched_off() {
    let (_runtime, service) = service(NONE);
    service.switch(Fault::RateLimit { per_second: 0 });
    assert!(get(&service, ORDERS).expect("an answer").starts_with("http/1.1 429 "));
    service.switch(Fault::None);
    assert!(get(&service, ORDERS).expect("an answer").starts_with("http/1.1 200 "));
}

#[test]
fn a_service_that_is_gone_refuses_and_comes_back_at_the_same_address() {
    let (runtime, service) = service(NONE);
    let address = service.address();
    drop(service);
    // The port closes with the task that accepts, which is told to end, not awaited.
    while TcpStream::connect(address).is_ok() {}
    let script = Script { phases: NONE, seed: 1 };
    let back = runtime.block_on(FlakyService::start_at(address, script)).expect("the port");
    assert!(get(&back, ORDERS).expect("an answer").starts_with("http/1.1 200 "));
}

#[test]
fn the_latest_body_that_was_served_is_kept() {
    let (_runtime, service) = service(NONE);
    post(&service, "21.5");
    service.switch(Fault::RateLimit { per_second: 0 });
    post(&service, "99.9");
    assert_eq!(service.latest_body(), "21.5");
}

fn post(service: &FlakyService, body: &str) {
    let mut stream = TcpStream::connect(service.address()).expect("a connection");
    let head = "POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length:";
    write!(stream, "{head} {}\r\n\r\n{body}", body.len()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
}
