//! Clients: gloo-net and workers-rs.

use gloo_net::http::Request;
use redress::classify::Verdict;
use redress::{ErrorClass, StopReason};
use redress_web::{OnWeb, abort_on_drop, classify};
use web_sys::{AbortController, AbortSignal};
use worker::{Fetch, Url};

use crate::calls::QUICK;
use crate::lab::{Done, Lab, Test, equal, holds, shown};

pub fn tests() -> Vec<Test> {
    crate::tests![
        "gloo-net: a call recovers, and follows Retry-After" => gloo_recovers,
        "gloo-net: its errors have the classes of JavaScript's" => gloo_errors,
        "workers-rs: a call recovers, and follows Retry-After" => worker_recovers,
        "workers-rs: its errors have the classes of JavaScript's" => worker_errors,
    ]
}

async fn gloo(
    url: &str,
    signal: &AbortSignal,
) -> Result<gloo_net::http::Response, gloo_net::Error> {
    Request::get(url).abort_signal(Some(signal)).send().await
}

async fn gloo_recovers(lab: &Lab) -> Done {
    let url = lab.flaky("gloo", "503,429;retry-after=0,200");
    let mut hints = Vec::new();
    let mut retry = QUICK
        .on_web()
        .classify(classify::gloo_error)
        .classify_value(classify::gloo_response)
        .on_event(|event| hints.extend(event.class.map(|class| (class, event.retry_after))));
    let load = async |_| abort_on_drop(async |signal| gloo(&url, &signal).await).await;
    let response = retry.call_async(load).await;
    drop(retry);
    match response {
        Ok(response) => equal("status", response.status(), 200)?,
        Err(error) => return Err(shown(error.stop_reason())),
    }
    let zero = Some(redress::Duration::ZERO);
    equal("hints", hints, [(ErrorClass::ServerError, None), (ErrorClass::RateLimit, zero)])
}

async fn gloo_errors(lab: &Lab) -> Done {
    let class = async |url: &str, signal: &AbortSignal| match gloo(url, signal).await {
        Err(error) => Some(classify::gloo_error(&error)),
        Ok(_) => None,
    };
    let signal = AbortController::new().map_err(shown)?.signal();
    let transient = Some(Verdict::from(ErrorClass::Transient));
    equal("refused", class(&lab.refused, &signal).await, transient)?;
    equal("reset", class(&lab.flaky("gloo-reset", "reset"), &signal).await, transient)?;
    let hang = lab.flaky("gloo-hang", "hang");
    equal("timed out", class(&hang, &AbortSignal::timeout_with_u32(30)).await, transient)?;
    equal("aborted", class(&hang, &AbortSignal::abort()).await, Some(Verdict::Abort))
}

async fn worker_recovers(lab: &Lab) -> Done {
    let url: Url = lab.flaky("worker", "503,429;retry-after=0,200").parse().map_err(shown)?;
    let mut retry =
        QUICK.on_web().classify(classify::worker_error).classify_value(classify::worker_response);
    let load = async |_| {
        let send = async |signal: AbortSignal| {
            Fetch::Url(url.clone()).send_with_signal(&signal.into()).await
        };
        abort_on_drop(send).await
    };
    let response = retry.call_async(load).await.map_err(|error| shown(error.stop_reason()))?;
    equal("status", response.status_code(), 200)?;
    equal("steps", lab.steps("worker").await?.len(), 3)
}

async fn worker_errors(lab: &Lab) -> Done {
    let send = async |url: &str, signal: AbortSignal| {
        let url = url.parse().map_err(|_| worker::Error::RustError("no URL".into()))?;
        Fetch::Url(url).send_with_signal(&signal.into()).await
    };
    let verdict = |result: worker::Result<worker::Response>| {
        result.err().map(|error| classify::worker_error(&error))
    };
    let transient = Some(Verdict::from(ErrorClass::Transient));
    let open = || AbortController::new().map(|controller| controller.signal()).map_err(shown);
    equal("refused", verdict(send(&lab.refused, open()?).await), transient)?;
    let reset = lab.flaky("worker-reset", "reset");
    equal("reset", verdict(send(&reset, open()?).await), transient)?;
    let hang = lab.flaky("worker-hang", "hang");
    let late = AbortSignal::timeout_with_u32(30);
    equal("timed out", verdict(send(&hang, late).await), transient)?;
    let aborted = verdict(send(&hang, AbortSignal::abort()).await);
    equal("aborted", aborted, Some(Verdict::Abort))?;
    let limited = worker::Error::RateLimitExceeded("10 a second".into());
    equal("a limit", classify::worker_error(&limited), Verdict::from(ErrorClass::RateLimit))?;
    let mut retry = QUICK.on_web().classify(classify::worker_error);
    let outcome = retry
        .execute_async(async |_| {
            Err::<(), _>(worker::Error::EmailRecipientNotAllowed(String::new()))
        })
        .await;
    holds("it is final", outcome.stop_reason() == Some(StopReason::NonRetryableClass))
}
