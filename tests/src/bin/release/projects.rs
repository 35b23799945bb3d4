//! The empty projects: what a user writes, and what it must print.

/// A program of a user who has nothing but the packages.
pub(crate) struct Project {
    /// The crate that it tries.
    pub(crate) of: &'static str,
    /// What it needs beside, as lines of a manifest.
    pub(crate) dependencies: &'static str,
    pub(crate) program: &'static str,
    /// A processor that it is built for; without one it runs here.
    pub(crate) target: Option<&'static str>,
    /// What it prints, if it runs.
    pub(crate) prints: &'static str,
}

impl Project {
    /// Where it is built for.
    pub(crate) fn runs_on(&self) -> &'static str {
        self.target.unwrap_or("this machine")
    }
}

pub(crate) const PROJECTS: [Project; 5] = [
    Project {
        of: "redress",
        dependencies: "redress = { version = 'VERSION', features = ['std'] }\n",
        program: r#"
use redress::{Backoff, Duration, ErrorClass, Policy, policy};

const UPSTREAM: Policy = policy! {
    Policy::builder().max_attempts(3).backoff(Backoff::constant(Duration::from_millis(1)))
};

fn main() {
    let mut attempts = 0;
    let outcome = UPSTREAM.on_system().classify(|_: &&str| ErrorClass::Transient).call(|_| {
        attempts += 1;
        if attempts < 3 { Err("not yet") } else { Ok("there") }
    });
    println!("{} after {attempts}", outcome.expect("the third attempt succeeds"));
}
"#,
        target: None,
        prints: "there after 3",
    },
    Project {
        of: "redress-tokio",
        dependencies: "redress = 'VERSION'\nredress-tokio = 'VERSION'\n\
                       tokio = { version = '1', features = ['macros', 'rt', 'time'] }\n",
        program: r#"
use redress::{Backoff, Duration, ErrorClass, Policy, policy};
use redress_tokio::OnTokio;

const UPSTREAM: Policy = policy! {
    Policy::builder().max_attempts(3).backoff(Backoff::constant(Duration::from_millis(1)))
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut attempts = 0;
    let mut retry = UPSTREAM.on_tokio().classify(|_: &&str| ErrorClass::Transient);
    let outcome = retry.call_async(async |_| {
        attempts += 1;
        if attempts < 3 { Err("not yet") } else { Ok("there") }
    });
    let outcome = outcome.await.expect("the third attempt succeeds");
    println!("{outcome} after {attempts}");
}
"#,
        target: None,
        prints: "there after 3",
    },
    Project {
        of: "redress-embassy",
        dependencies: "redress = 'VERSION'\nredress-embassy = 'VERSION'\n\
                       embassy-time = { version = '0.5', features = ['std', 'generic-queue-8'] }\n\
                       embassy-futures = '0.1'\n",
        program: r#"
use redress::random::NoRandom;
use redress::{Backoff, Duration, ErrorClass, Policy, Retry, policy, settings};
use redress_embassy::EmbassyTime;

settings! {
    Sensor: Policy = policy! {
        Policy::builder().max_attempts(3).backoff(Backoff::constant(Duration::from_millis(1)))
    }
}

fn main() {
    let mut attempts = 0;
    let mut retry =
        Retry::new(Sensor, EmbassyTime, NoRandom).classify(|_: &&str| ErrorClass::Transient);
    let outcome = embassy_futures::block_on(retry.call_async(async |_| {
        attempts += 1;
        if attempts < 3 { Err("not yet") } else { Ok("there") }
    }));
    println!("{} after {attempts}", outcome.expect("the third attempt succeeds"));
}
"#,
        target: None,
        prints: "there after 3",
    },
    Project {
        of: "redress-embassy",
        dependencies: "redress = 'VERSION'\nredress-embassy = 'VERSION'\n",
        program: r"
#![no_std]
use redress::random::NoRandom;
use redress::{Backoff, Duration, ErrorClass, Policy, Retry, policy, settings};
use redress_embassy::EmbassyTime;

settings! {
    Sensor: Policy = policy! {
        Policy::builder().max_attempts(3).backoff(Backoff::constant(Duration::from_millis(1)))
    }
}

pub async fn read(level: fn() -> Result<u16, ()>) -> Option<u16> {
    let mut retry =
        Retry::new(Sensor, EmbassyTime, NoRandom).classify(|_: &()| ErrorClass::Transient);
    retry.call_async(async |_| level()).await.ok()
}
",
        target: Some("thumbv6m-none-eabi"),
        prints: "",
    },
    Project {
        of: "redress-web",
        dependencies: "redress = { version = 'VERSION', features = ['std'] }\nredress-web = 'VERSION'\n",
        program: r#"
use redress::{Backoff, Duration, ErrorClass, Policy, policy};
use redress_web::OnWeb;

const UPSTREAM: Policy = policy! {
    Policy::builder().max_attempts(3).backoff(Backoff::constant(Duration::from_millis(1)))
};

pub async fn orders() -> Option<u32> {
    let mut retry = UPSTREAM.on_web().classify(|_: &&str| ErrorClass::Transient);
    retry.call_async(async |_| Err::<u32, _>("not yet")).await.ok()
}
"#,
        target: Some("wasm32-unknown-unknown"),
        prints: "",
    },
];

/// The program of a user of the npm package, as a module.
pub(crate) const MODULE: &str = r#"
import { RetryPolicy, backoff } from "redress";

const policy = new RetryPolicy({ strategy: backoff.constant(1), maxAttempts: 3 });
let attempts = 0;
const value = await policy.call(() => {
  attempts += 1;
  if (attempts < 3) throw Object.assign(new Error("not yet"), { status: 503 });
  return "there";
});
console.log(`${value} after ${attempts}`);
"#;

/// The same by `require`.
pub(crate) const COMMON: &str = r#"
const { RetryPolicy, backoff } = require("redress");

const policy = new RetryPolicy({ strategy: backoff.constant(1), maxAttempts: 3 });
let attempts = 0;
const operation = () => {
  attempts += 1;
  if (attempts < 3) throw Object.assign(new Error("not yet"), { status: 503 });
  return "there";
};
policy.call(operation).then((value) => console.log(`${value} after ${attempts}`));
"#;
