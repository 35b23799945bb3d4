//! Calls through `fetch`: they recover, follow Retry-After, and end at their limits.

use js_sys::Date;
use redress::{Backoff, Duration, ErrorClass, EventKind, Policy, StopReason, policy};
use redress_web::{OnWeb, classify};
use wasm_bindgen::JsValue;
use web_sys::{AbortController, Response};

use crate::lab::{Done, Lab, Test, equal, fetch, holds, load, shown, text};

const FALLBACK: Backoff = Backoff::constant(Duration::from_millis(5));

pub const QUICK: Policy = policy! {
    Policy::builder()
        .max_attempts(4)
        .deadline(Duration::from_secs(10))
        .attempt_timeout(Duration::from_secs(5))
        .backoff(Backoff::retry_after_or(&FALLBACK, Duration::ZERO))
};

const IMPATIENT: Policy = policy! {
    Policy::builder()
        .deadline(Duration::from_millis(300))
        .backoff(Backoff::full_jitter(Duration::from_millis(1), Duration::from_millis(5)))
};

const IMPATIENT_ATTEMPTS: Policy = policy! {
    Policy::builder()
        .attempt_timeout(Duration::from_millis(200))
        .deadline(Duration::from_secs(10))
        .backoff(Backoff::decorrelated_jitter(Duration::from_millis(1), Duration::from_millis(5)))
};

pub fn tests() -> Vec<Test> {
    crate::tests![
        "a call retries failures of the server and recovers" => recovers,
        "a connection that is reset is retried" => recovers_from_reset,
        "a Retry-After in seconds is followed" => follows_seconds,
        "a Retry-After that is a date is followed" => follows_date,
        "an answer that no retry changes ends the call at once" => ends_at_once,
        "a deadline cuts a request without an answer, and aborts it" => deadline_aborts,
        "an attempt that takes too long is aborted and retried" => attempt_times_out,
        "a request that the program aborts ends the call, and is not retried" => program_aborts,
        "the body of a response is read after the attempt" => body_after_attempt,
    ]
}

async fn recovers(lab: &Lab) -> Done {
    let url = lab.flaky("recovers", "503,500,200");
    let mut classes = Vec::new();
    let mut retry = QUICK
        .on_web()
        .classify(classify::js)
        .classify_value(classify::response)
        .on_event(|event| classes.extend(event.class));
    let outcome = retry.execute_async(async |_| load(&url).await).await;
    equal("attempts", outcome.attempts, 3)?;
    equal("status", outcome.result.map_err(shown)?.status(), 200)?;
    drop(retry);
    equal("classes", classes, [ErrorClass::ServerError; 2])?;
    equal("steps", lab.steps("recovers").await?, ["503", "500", "200"])
}

async fn recovers_from_reset(lab: &Lab) -> Done {
    // Chromium itself sends a request once more on a connection that was open before.
    let url = lab.flaky("reset", "reset,reset,reset,200");
    let mut classes = Vec::new();
    let mut retry = QUICK
        .on_web()
        .classify(classify::js)
        .classify_value(classify::response)
        .on_event(|event| classes.extend(event.class));
    let response = retry.call_async(async |_| load(&url).await).await.map_err(shown)?;
    equal("status", response.status(), 200)?;
    drop(retry);
    holds("it was retried", !classes.is_empty())?;
    holds("as TRANSIENT", classes.iter().all(|class| *class == ErrorClass::Transient))
}

async fn follows(lab: &Lab, id: &str, step: &str) -> Done {
    let url = lab.flaky(id, &format!("429;{step},200"));
    let mut hints = Vec::new();
    let mut retry = QUICK
        .on_web()
        .classify(classify::js)
        .classify_value(classify::response)
        .on_event(|event| hints.extend(event.class.zip(event.retry_after)));
    let started = Date::now();
    let response = retry.call_async(async |_| load(&url).await).await.map_err(shown)?;
    let took = Date::now() - started;
    equal("status", response.status(), 200)?;
    drop(retry);
    let [(class, hint)] = hints[..] else { return Err(format!("hints are {hints:?}")) };
    equal("class", class, ErrorClass::RateLimit)?;
    holds("the hint is one or two seconds", (1_000..=2_000).contains(&hint.as_millis()))?;
    // Both clocks are rounded.
    let waited = took + 2.0 >= f64::from(u32::try_from(hint.as_millis()).unwrap_or(u32::MAX));
    if waited && took < 6_000.0 { Ok(()) } else { Err(format!("{hint} took {took} ms")) }
}

async fn follows_seconds(lab: &Lab) -> Done {
    follows(lab, "seconds", "retry-after=1").await
}

async fn follows_date(lab: &Lab) -> Done {
    // From a whole second on, which is up to one second later.
    follows(lab, "date", "retry-after-in=1").await
}

async fn ends_at_once(lab: &Lab) -> Done {
    let url = lab.flaky("missing", "404");
    let mut retry = QUICK.on_web().classify(classify::js).classify_value(classify::response);
    let outcome = retry.execute_async(async |_| load(&url).await).await;
    equal("attempts", outcome.attempts, 1)?;
    equal("class", outcome.last_class(), Some(ErrorClass::Permanent))
}

async fn deadline_aborts(lab: &Lab) -> Done {
    let url = lab.flaky("hang", "hang");
    let mut retry = IMPATIENT.on_web().classify(classify::js);
    let started = Date::now();
    let outcome = retry.execute_async(async |_| load(&url).await).await;
    let took = Date::now() - started;
    equal("reason", outcome.stop_reason(), Some(StopReason::DeadlineExceeded))?;
    equal("attempts", outcome.attempts, 1)?;
    if !(298.0..3_000.0).contains(&took) {
        return Err(format!("a deadline of 300 ms took {took} ms"));
    }
    equal("steps", lab.steps_once_aborted("hang").await?, ["hang"])
}

async fn attempt_times_out(lab: &Lab) -> Done {
    let url = lab.flaky("slow", "hang,200");
    let mut kinds = Vec::new();
    let mut retry = IMPATIENT_ATTEMPTS
        .on_web()
        .classify(classify::js)
        .on_event(|event| kinds.push((event.kind, event.class)));
    let response = retry.call_async(async |_| load(&url).await).await.map_err(shown)?;
    equal("status", response.status(), 200)?;
    drop(retry);
    equal(
        "events",
        kinds,
        [(EventKind::Retry, Some(ErrorClass::Transient)), (EventKind::Success, None)],
    )?;
    equal("steps", lab.steps_once_aborted("slow").await?, ["hang", "200"])
}

async fn program_aborts(lab: &Lab) -> Done {
    let url = lab.flaky("aborted", "hang");
    let controller = AbortController::new().map_err(shown)?;
    let signal = controller.signal();
    let mut retry = QUICK.on_web().classify(classify::js);
    let call = retry.execute_async(async |_| {
        let request = fetch(&url, Some(&signal));
        controller.abort();
        request.await
    });
    let outcome = call.await;
    equal("reason", outcome.stop_reason(), Some(StopReason::Aborted))?;
    equal("attempts", outcome.attempts, 1)
}

async fn body_after_attempt(lab: &Lab) -> Done {
    let url = lab.flaky("body", "503,drip=5");
    let mut retry = QUICK.on_web().classify(classify::js).classify_value(classify::response);
    let response: Response = retry.call_async(async |_| load(&url).await).await.map_err(shown)?;
    let body = text(&response).await.map_err(|error: JsValue| shown(error))?;
    equal("lines", body.lines().count(), 5)
}
