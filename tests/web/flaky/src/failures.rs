//! What the runtime throws, and the class of that.

use js_sys::{Function, JSON};
use redress::ErrorClass;
use redress::classify::Verdict;
use redress_web::classify;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use crate::lab::{Done, Lab, Test, fetch, load, text};

pub fn tests() -> Vec<Test> {
    crate::tests![
        "a connection that is refused is TRANSIENT" => refused,
        "a connection that is reset is TRANSIENT" => reset,
        "a host that has no address is TRANSIENT" => nowhere,
        "a body that breaks off is TRANSIENT" => truncated,
        "an abort is an abort, by a signal's own reason" => aborted,
        "a time-out of AbortSignal is TRANSIENT" => timed_out,
        "a mistake in the program is UNKNOWN" => mistake,
        "what is no error is UNKNOWN" => no_error,
    ]
}

fn is(error: &JsValue, want: impl Into<Verdict>) -> Done {
    let (got, want) = (classify::js(error), want.into());
    if got == want { Ok(()) } else { Err(format!("{error:?} is {got:?}, expected {want:?}")) }
}

async fn fails(url: &str, want: impl Into<Verdict>) -> Done {
    match load(url).await {
        Err(error) => is(&error, want),
        Ok(response) => Err(format!("{url} answered {}", response.status())),
    }
}

async fn refused(lab: &Lab) -> Done {
    fails(&lab.refused, ErrorClass::Transient).await
}

async fn reset(lab: &Lab) -> Done {
    fails(&lab.flaky("resets", "reset"), ErrorClass::Transient).await
}

async fn nowhere(_: &Lab) -> Done {
    fails("http://nowhere.invalid/", ErrorClass::Transient).await
}

async fn truncated(lab: &Lab) -> Done {
    let response = load(&lab.flaky("truncated", "truncate")).await;
    // workerd fails at once, the others while they read.
    let error = match response {
        Err(error) => Some(error),
        Ok(response) => text(&response).await.err(),
    };
    is(&error.ok_or("it was read to its end")?, ErrorClass::Transient)
}

async fn aborted(lab: &Lab) -> Done {
    let error = fetch(&lab.flaky("never", "200"), Some(&AbortSignal::abort())).await;
    is(&error.err().ok_or("it was not aborted")?, Verdict::Abort)
}

async fn timed_out(lab: &Lab) -> Done {
    let signal = AbortSignal::timeout_with_u32(30);
    let error = fetch(&lab.flaky("late", "hang"), Some(&signal)).await;
    is(&error.err().ok_or("it was not aborted")?, ErrorClass::Transient)
}

async fn mistake(_: &Lab) -> Done {
    let called = JsValue::UNDEFINED.unchecked_into::<Function>().call0(&JsValue::NULL);
    is(&called.err().ok_or("undefined was called")?, ErrorClass::Unknown)?;
    let parsed = JSON::parse("{");
    is(&parsed.err().ok_or("it was parsed")?, ErrorClass::Unknown)
}

async fn no_error(_: &Lab) -> Done {
    for value in [JsValue::UNDEFINED, JsValue::NULL, 503.into(), "TimeoutError".into()] {
        is(&value, ErrorClass::Unknown)?;
    }
    Ok(())
}
