//! The whole demo as its user runs it, with its output in a pipe.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use flaky_service::service::{Fault, FlakyService, Phase, Script};
use tokio::runtime::Runtime;

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.env("NO_PROXY", "127.0.0.1").args(arguments).output().expect("demo starts")
}

/// The numbers of a row of the closing table, by the start of its name.
fn row(output: &str, name: &str) -> Vec<u32> {
    let line = output.lines().find(|line| line.starts_with('│') && line.contains(name));
    let line = line.unwrap_or_else(|| panic!("no row {name:?} in:\n{output}"));
    line.split(['│', '┆']).filter_map(|cell| cell.trim().parse().ok()).collect()
}

#[test]
fn a_policy_spares_the_service_in_its_outage_and_recovers_with_it() {
    let output = demo(&[]);
    let text = String::from_utf8_lossy(&output.stdout);

    assert_eq!(output.status.code(), Some(0), "{text}");
    let first = text.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("`cargo demo`: 16 callers") && first.contains(" s or a little"),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "control sequences in a pipe:\n{text}");
    for phase in ["healthy", "rate limited", "503 bursts", "resets", "hangs", "outage", "recovered"]
    {
        assert!(text.contains(&format!("== {phase} ==")), "no phase {phase:?} in:\n{text}");
    }
    for seen in [
        "(Retry-After: 1)",
        "SERVER_ERROR  retry",
        "TRANSIENT     retry",
        "PERMANENT     stop",
        "AUTH          stop",
        "circuit_opened",
        "circuit_half_open",
        "circuit_closed",
    ] {
        assert!(text.contains(seen), "no {seen:?} in:\n{text}");
    }
    let [guarded, naive] = row(&text, "during the outage")[..] else { panic!("{text}") };
    assert!(guarded * 4 < naive, "{guarded} requests in the outage instead of {naive}");
    let [guarded, naive] = row(&text, "that reached the service")[..] else { panic!("{text}") };
    assert!(guarded < naive, "{guarded} requests in all instead of {naive}");
    assert!(row(&text, "successes")[0] > 0, "{text}");
}

#[test]
fn a_service_of_ones_own_gets_the_same_calls() {
    const HEALTHY: &[Phase] =
        &[Phase { name: "healthy", lasts: Duration::from_secs(1), fault: Fault::None }];
    let runtime = Runtime::new().expect("a runtime");
    let script = Script { phases: HEALTHY, seed: 1 };
    let service = runtime.block_on(FlakyService::start(script)).expect("a port");
    let url = format!("http://{}/orders?token=secret", service.address());

    let output = demo(&["--url", &url, "--callers", "3", "--calls", "4"]);
    let text = String::from_utf8_lossy(&output.stdout);

    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(row(&text, "calls"), [12, 12]);
    assert_eq!(row(&text, "successes"), [12, 12]);
    assert_eq!(service.reached(), 24);
    assert!(!text.contains("secret"), "a query may hold secrets:\n{text}");
}

#[test]
fn a_service_that_others_use_is_spared_the_naive_loop() {
    const LIMITED: &[Phase] = &[Phase {
        name: "limited",
        lasts: Duration::from_secs(1),
        fault: Fault::RateLimit { per_second: 2 },
    }];
    let runtime = Runtime::new().expect("a runtime");
    let script = Script { phases: LIMITED, seed: 1 };
    let service = runtime.block_on(FlakyService::start(script)).expect("a port");
    let url = format!("http://{}/orders", service.address());

    let output = demo(&["--url", &url, "--callers", "2", "--calls", "2", "--guarded-only"]);
    let text = String::from_utf8_lossy(&output.stdout);

    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(row(&text, "successes"), [4]);
    assert!(!text.contains("naive"), "{text}");
}

#[test]
fn without_anybody_there_it_ends_and_says_why() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);

    let output = demo(&["--url", &url, "--attempts", "2", "--callers", "2", "--calls", "3"]);
    let text = String::from_utf8_lossy(&output.stdout);

    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(row(&text, "successes"), [0, 0]);
    assert!(text.contains("Nothing came through") && text.contains("refused"), "{text}");
}
