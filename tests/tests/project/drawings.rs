//! The drawings of ARCHITECTURE.md are of what is there.

use std::cell::{Cell, RefCell};

use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::budget::RatioConfig;
use redress::event::EventKind;
use redress::random::NoRandom;
use redress::testing::MockClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Instant, Policy, RatioBudget, policy,
};
use redress_tests::published::{metadata, packages};
use serde_json::Value;

use crate::{read, root};

/// The lines of the drawing of this kind.
fn drawing(kind: &str) -> Vec<String> {
    let page = read("ARCHITECTURE.md");
    let found = page.split("```mermaid\n").skip(1).find(|text| text.starts_with(kind));
    let text = found.unwrap_or_else(|| panic!("no drawing of {kind}"));
    let text = text.split("```").next().unwrap_or_default();
    text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn drawing_of_who_links_whom_is_what_cargo_knows() {
    let metadata = metadata(&root()).unwrap();
    let all = metadata["packages"].as_array().unwrap();
    let inside = |package: &&Value| {
        let path = package["manifest_path"].as_str().unwrap();
        !["/tests/", "/examples/", "/wasm/bind/"].iter().any(|folder| path.contains(folder))
    };
    let drawn: Vec<&Value> = all.iter().filter(inside).collect();
    let names: Vec<&str> = drawn.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let mut links = Vec::new();
    for package in &drawn {
        for needed in package["dependencies"].as_array().unwrap() {
            let name = needed["name"].as_str().unwrap();
            if names.contains(&name) && needed["kind"].is_null() {
                links.push(format!("{} --> {name}", package["name"].as_str().unwrap()));
            }
        }
    }
    links.sort();
    let lines = drawing("graph");
    let arrows: Vec<&String> = lines.iter().filter(|line| line.contains(" --> ")).collect();
    assert_eq!(arrows, links.iter().collect::<Vec<_>>());
    let mut published: Vec<&str> =
        packages(&metadata).iter().map(|package| package["name"].as_str().unwrap()).collect();
    published.sort_unstable();
    assert!(lines.contains(&format!("class npm,{} published", published.join(","))));
}

/// The modules of WebAssembly that the npm package has are of the crates drawn.
#[test]
fn drawing_of_who_links_whom_has_the_crates_in_the_npm_package() {
    let modules = read("wasm/modules.mjs");
    let crates = modules.split("crate: \"").skip(1).filter_map(|rest| rest.split_once('"'));
    let mut crates: Vec<&str> = crates.map(|(name, _)| name).collect();
    crates.sort_unstable();
    crates.dedup();
    let lines = drawing("graph");
    let drawn = lines.iter().filter_map(|line| line.split_once("-. WebAssembly .-> "));
    assert_eq!(drawn.map(|(_, name)| name).collect::<Vec<_>>(), crates);
}

const UPSTREAM: Policy = policy! {
    Policy::builder().max_attempts(3).backoff(Backoff::function(|_, _| {
        SEEN.with_borrow_mut(|seen| seen.push("S"));
        Some(Duration::from_millis(250))
    }))
};

thread_local! {
    /// Who was asked, in their order, by the letters of the drawing.
    static SEEN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn sees(who: &'static str) {
    SEEN.with_borrow_mut(|seen| seen.push(who));
}

#[test]
fn drawing_of_a_call_asks_in_the_order_of_a_call() {
    const RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60));
    const RATIO: RatioConfig = RatioConfig::new(500);
    let clock = MockClock::new();
    let breaker = RefCell::new(Breaker::<FailureTimes<5>>::new(&RULE).unwrap());
    let budget = RefCell::new(RatioBudget::new(&RATIO).unwrap());
    let attempts = Cell::new(0);
    let mut retry = UPSTREAM
        .on(&clock, NoRandom)
        .classify(|_: &&str| {
            sees("K");
            ErrorClass::Transient
        })
        .breaker(&breaker)
        .budget(&budget)
        .on_event(|event: &redress::Event<'_>| {
            if matches!(event.kind, EventKind::Retry | EventKind::Success) {
                sees("W");
            }
        });
    let value = retry.call(|_| {
        sees("O");
        attempts.set(attempts.get() + 1);
        if attempts.get() == 1 { Err("not yet") } else { Ok("there") }
    });
    assert_eq!(value.unwrap(), "there");
    assert_eq!(clock.elapsed(), Duration::from_millis(250));
    let lines = drawing("sequenceDiagram");
    let asked = lines.iter().filter_map(|line| line.split_once(": ")?.0.split_once("->>"));
    let watched = ["O", "K", "S", "W"];
    let asked: Vec<&str> = asked.map(|(_, who)| who).filter(|who| watched.contains(who)).collect();
    SEEN.with_borrow(|seen| assert_eq!(*seen, asked));
}

const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(10));

type Circuit = Breaker<FailureTimes<1>>;

/// After the recovery time of any breaker here.
const LATER: Instant = Instant::from_micros(60_000_000);

fn fail(breaker: &mut Circuit, now: Instant) {
    let permit = breaker.admit(now).unwrap().permit;
    breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), now);
}

/// A breaker in this state of the drawing.
fn in_state(name: &str) -> Circuit {
    let mut breaker = Circuit::new(&RULE).unwrap();
    match name {
        "Closed" => {}
        "Open" => fail(&mut breaker, Instant::ZERO),
        "HalfOpen" => {
            fail(&mut breaker, Instant::ZERO);
            let probe = breaker.admit(LATER).unwrap();
            breaker.cancel(probe.permit);
        }
        "Isolated" => _ = breaker.isolate(),
        other => panic!("no state {other}"),
    }
    breaker
}

/// The state of a breaker, by the name that the drawing has for it.
fn state_of(breaker: &Circuit) -> String {
    let state = format!("{:?}", breaker.state());
    let ends =
        breaker.check(Instant::ZERO).map_or_else(|open| open.retry_after.is_some(), |()| true);
    if state == "Open" && !ends { "Isolated".to_owned() } else { state }
}

#[test]
fn drawing_of_a_breaker_has_the_states_that_it_takes() {
    let mut seen = 0;
    for line in drawing("stateDiagram-v2") {
        let (states, how) = line.split_once(": ").unwrap_or((&line, "made"));
        let (from, to) = states.split_once(" --> ").unwrap();
        let from = if from == "[*]" { "Closed" } else { from };
        let mut breaker = in_state(from);
        assert_eq!(state_of(&breaker), from, "before {line}");
        match how {
            "made" => {}
            "the window trips" | "a probe failed" => fail(&mut breaker, LATER),
            "the recovery time is over, and a call comes" => {
                assert!(breaker.admit(Instant::ZERO).is_err());
                assert!(breaker.admit(LATER).unwrap().half_opened);
            }
            "enough probes succeeded" => {
                let permit = breaker.admit(LATER).unwrap().permit;
                breaker.settle(permit, CallResult::Success, LATER);
            }
            "trip, by hand" => _ = breaker.trip(Instant::ZERO),
            "isolate, by hand" => _ = breaker.isolate(),
            "reset, by hand" => _ = breaker.reset(),
            other => panic!("nothing does {other:?}"),
        }
        assert_eq!(state_of(&breaker), to, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 9, "lines of the drawing");
}
