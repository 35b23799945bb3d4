//! `cargo demo`: one load on a flaky service, through redress and through a naive
//! loop, live.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use flaky_service::guarded::{Guarded, UPSTREAM};
use flaky_service::load::{self, Load, Tally};
use flaky_service::naive::Naive;
use flaky_service::report::{Summary, table};
use flaky_service::service::{FlakyService, LENGTH};
use flaky_service::view::{Log, Status, View};
use redress::Policy;
use reqwest::Url;

/// Calls a flaky HTTP service from many callers under one policy, with breaker and
/// shared budget, and beside it through a naive retry loop.
///
/// Without --url it starts the service itself, on the loopback: rate limits with
/// Retry-After, bursts of 503, resets, hangs, 404, 401, an outage and recovery, in ten
/// seconds. Ends with a table; exit code 0 if calls succeeded, 1 if none did, 2 if an
/// argument cannot be used.
#[derive(Parser, Clone)]
#[command(name = "demo")]
struct Arguments {
    /// Call this service instead, http://HOST[:PORT][/PATH]
    #[arg(long, value_parser = url)]
    url: Option<Url>,
    /// Attempts of each call, 1 to 100
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
    /// Seconds that a call may take, 1 to 3600
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
    /// Callers at once, 1 to 1000 [default: 24, or 4 with --url]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    callers: Option<u32>,
    /// Calls of each caller, 1 to 10000 [default: 50, or 5 with --url]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    calls: Option<u32>,
    /// Seed of the service's own chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// What the client can call: it speaks HTTP without TLS.
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|why| format!("{why}; it must be http://HOST[:PORT]"))?;
    match url.scheme() {
        "http" if url.has_host() => Ok(url),
        other => Err(format!("scheme {other:?} cannot be used; it must be http://HOST[:PORT]")),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            eprintln!("{}", text.lines().next().unwrap_or("error: arguments cannot be used"));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let policy = policy(arguments)?;
    let own = arguments.url.is_none();
    let load = Load {
        callers: arguments.callers.unwrap_or(if own { 24 } else { 4 }),
        calls: arguments.calls.unwrap_or(if own { 50 } else { 5 }),
        every: LENGTH / 50,
    };
    // Each way of calling has a service of its own, with the same script.
    let services = match arguments.url {
        Some(_) => None,
        None => Some((
            FlakyService::start(arguments.seed).await?,
            FlakyService::start(arguments.seed).await?,
        )),
    };
    let (guarded_url, naive_url) = match (&services, &arguments.url) {
        (Some((first, second)), _) => (first.url(), second.url()),
        (None, Some(url)) => (plain(url), plain(url)),
        (None, None) => unreachable!("either there is an URL or there are services"),
    };
    println!(
        "{} calls of {} callers each way, at most {} attempts and {} s a call, on {guarded_url}",
        load.total(),
        load.callers,
        arguments.attempts,
        arguments.deadline,
    );

    let (tally, naive_tally) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
    let log = Arc::new(Log::default());
    let client = || reqwest::Client::builder().build();
    let guarded =
        Guarded::new(client()?, guarded_url, policy, Arc::clone(&tally), Arc::clone(&log))?;
    let guarded = Arc::new(guarded);
    let timeout = policy.attempt_timeout().into();
    let naive =
        Naive::new(client()?, naive_url, arguments.attempts, timeout, Arc::clone(&naive_tally));
    let naive = Arc::new(naive);

    let watched = Arc::clone(&guarded);
    let to_service = !own;
    let call = move |path| Arc::clone(&guarded).call(if to_service { "" } else { path });
    let naive_call = move |path| Arc::clone(&naive).call(if to_service { "" } else { path });
    let both = async {
        tokio::join!(load::run(load, &tally, call), load::run(load, &naive_tally, naive_call))
    };
    tokio::pin!(both);

    let mut view = View::new(load.total());
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let times = loop {
        let ended = tokio::select! {
            times = &mut both => Some(times),
            _ = tick.tick() => None,
        };
        let status = Status {
            phase: services.as_ref().map_or("not ours", |(first, _)| first.phase().name()),
            circuit: watched.circuit().as_str(),
            budget: watched.budget_left(),
            guarded: (tally.done(), tally.succeeded()),
            naive: (naive_tally.done(), naive_tally.succeeded()),
        };
        view.show(&status, &log);
        if let Some(times) = ended {
            break times;
        }
    };
    view.finish();

    println!("\nwhat the breaker did:");
    for line in log.transitions() {
        println!("  {line}");
    }
    println!("events:");
    for (kind, count) in log.counts() {
        println!("  {count:>6} {kind}");
    }
    let summary = |tally: &Tally, service: Option<&FlakyService>, time| Summary {
        calls: load.total(),
        succeeded: tally.succeeded(),
        reached: service.map_or(tally.requests(), FlakyService::reached),
        in_outage: service.map(FlakyService::reached_in_outage),
        time,
    };
    let services = services.as_ref();
    let ours = summary(&tally, services.map(|(first, _)| first), times.0);
    let theirs = summary(&naive_tally, services.map(|(_, second)| second), times.1);
    println!("\n{}", table(ours, theirs));
    if ours.succeeded == 0 {
        eprintln!("error: no call succeeded");
    }
    Ok(ours.succeeded > 0)
}

/// The policy of this run.
fn policy(arguments: &Arguments) -> Result<Policy, redress::ConfigError> {
    UPSTREAM
        .config()
        .max_attempts(arguments.attempts)
        .deadline(redress::Duration::from_secs(arguments.deadline))
        .build()
}

/// An address to which a path is added.
fn plain(url: &Url) -> String {
    url.as_str().to_owned()
}
