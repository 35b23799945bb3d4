//! A proxy in front of flaky origins: `GET /HOST/PATH` answers with what `http://HOST/PATH` says,
//! retried by class, behind a breaker for each host.

use std::sync::Mutex;

use redress::breaker::{FailureRule, FailureTimes};
use redress::{
    Backoff, Breaker, BreakerConfig, CircuitOpen, Duration, Error, Keyed, Last, Policy, by_key,
    checked, policy,
};
use redress_web::{OnWeb, abort_on_drop, classify};
use worker::{Context, Env, Fetch, Method, Request, Response, Result, Url, console_log, event};

const JITTER: Backoff =
    Backoff::decorrelated_jitter(Duration::from_millis(20), Duration::from_millis(500));

const UPSTREAM: Policy = policy! {
    Policy::builder()
        .max_attempts(4)
        .deadline(Duration::from_secs(10))
        .attempt_timeout(Duration::from_secs(1))
        .backoff(Backoff::retry_after_or(&JITTER, Duration::from_millis(100)))
};

/// Five failed calls within a minute open it, for five seconds.
const OPENS: BreakerConfig<FailureRule> =
    BreakerConfig::failures(5, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(5));

type Hosts = Keyed<String, Breaker<FailureTimes<5>>, 32>;

/// Of this isolate: another one has breakers of its own.
static BREAKERS: Mutex<Hosts> =
    Mutex::new(Hosts::new(checked!(Breaker::<FailureTimes<5>>::new(&OPENS))));

#[event(fetch)]
async fn fetch(request: Request, _: Env, _: Context) -> Result<Response> {
    if request.method() != Method::Get {
        return Response::error("only GET, which may be sent twice", 405);
    }
    let Some(target) = target(&request.url()?) else {
        return Response::error("ask for /HOST/PATH", 400);
    };
    let host = target.authority().to_owned();
    let mut retry = UPSTREAM
        .on_web()
        .operation("GET")
        .classify(classify::worker_error)
        .classify_value(classify::worker_response)
        .breaker(by_key(&BREAKERS, host.clone()))
        .on_event(|event| {
            if let Some(state) = event.state {
                console_log!("breaker of {host}: {}", state.as_str());
            }
        });
    match retry.call_async(async |_| load(&target).await).await {
        Ok(response) => Ok(response),
        Err(Error::CircuitOpen(rejection)) => resting(rejection),
        // What the origin said last, if it said anything.
        Err(Error::Exhausted(stopped)) => match stopped.last {
            Some(Last::Value(response)) => Ok(response),
            _ => Response::error("the origin cannot be reached", 502),
        },
    }
}

/// The URL in the path: the host first.
fn target(url: &Url) -> Option<Url> {
    let mut target: Url = format!("http:/{}", url.path()).parse().ok()?;
    target.set_query(url.query());
    target.host().is_some().then_some(target)
}

/// One attempt; its request is aborted if it takes too long.
async fn load(target: &Url) -> Result<Response> {
    let send = async |signal: worker::worker_sys::web_sys::AbortSignal| {
        Fetch::Url(target.clone()).send_with_signal(&signal.into()).await
    };
    abort_on_drop(send).await
}

/// 503 with the seconds until the breaker lets a call through.
fn resting(rejection: CircuitOpen) -> Result<Response> {
    let mut response = Response::error("the origin is resting", 503)?;
    if let Some(wait) = rejection.retry_after {
        let secs = wait.as_micros().div_ceil(1_000_000).max(1);
        response.headers_mut().set("retry-after", &secs.to_string())?;
    }
    Ok(response)
}
