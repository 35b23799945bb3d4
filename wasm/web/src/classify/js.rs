//! Errors of JavaScript: [`js`].

use js_sys::{BigInt, Error, Reflect, Symbol};
use redress::classify::{Facts, Verdict};
use redress::{Duration, ErrorClass};
use wasm_bindgen::{JsCast, JsValue};

use super::rules::{self, Link};
use crate::time::micros;

/// At most so many errors are looked at, each the cause of the one before.
const DEPTH: usize = 8;

/// Where the errors of the npm package have their class, the same in every realm.
const BRAND: &str = "redress.class";
const MARKED: &str = "REDRESS_";

/// The class of whatever JavaScript throws, or of a promise's reason.
///
/// The first of these rules that knows it: those of `classify.default` in the npm package (the
/// class of an error of that package; a `TimeoutError`; a `status` or a number as `code`; words
/// in the name; the code of a connection, also of a cause; what `fetch` says of one); the codes
/// of systems and clients, of a cause, too; the name of a `DOMException`; the messages of clients.
/// An error that says that the program itself aborted, `AbortError` for instance, is
/// [`Verdict::Abort`], unless a `TimeoutError` is its cause. Anything else is UNKNOWN, a
/// `TypeError` by a mistake in the program, too.
///
/// A property `retryAfterMs`, in milliseconds, is the hint when to come back.
///
/// ```
/// # use redress_web::WebRetry;
/// # fn example(retry: WebRetry<'_>) {
/// let retry = retry.classify(redress_web::classify::js);
/// # let _ = retry.operation("GET /orders");
/// # }
/// ```
pub fn js(error: &JsValue) -> Verdict {
    let links = links(error);
    let name = links.first().map_or("", |link| link.name.as_str());
    let facts = Facts {
        class: own_class(error),
        status: number(error, "status"),
        code: number(error, "code"),
        ..rules::named(name)
    };
    let hint = read(error, "retryAfterMs").and_then(|value| value.as_f64());
    let hint = hint.filter(|millis| *millis >= 0.0);
    let hint = hint.map(|millis| Duration::from_micros(micros(millis)));
    rules::hinted(rules::judge(&facts, &links), hint)
}

/// As [`js`], for an error of that type.
pub fn js_error(error: &Error) -> Verdict {
    js(error)
}

/// The error and its causes.
fn links(error: &JsValue) -> Vec<Link> {
    let mut links = vec![link(error)];
    let mut inner = read(error, "cause");
    while let Some(error) = inner.filter(|_| links.len() < DEPTH) {
        links.push(link(&error));
        inner = read(&error, "cause");
    }
    links
}

fn link(error: &JsValue) -> Link {
    let of_type = || text(&read(error, "constructor")?, "name");
    Link {
        name: text(error, "name").or_else(of_type).unwrap_or_default(),
        message: text(error, "message").unwrap_or_default(),
        code: text(error, "code"),
        is_dom_exception: tag(error).is_some_and(|tag| tag == "DOMException"),
    }
}

/// The class that an error of the npm package says itself.
fn own_class(error: &JsValue) -> Option<ErrorClass> {
    let branded =
        Reflect::get(error, &Symbol::for_(BRAND)).ok().filter(|said| !said.is_null_or_undefined());
    let said = match branded {
        Some(said) => said.as_string()?,
        None => text(error, "code")?.strip_prefix(MARKED)?.to_owned(),
    };
    ErrorClass::from_name(&said)
}

/// A property of anything; `None` if it has none, or reading it throws.
fn read(value: &JsValue, key: &str) -> Option<JsValue> {
    // `Reflect.get` refuses what is no object, and has nothing of an error in it.
    let found = Reflect::get(value, &JsValue::from_str(key)).ok()?;
    (!found.is_null_or_undefined()).then_some(found)
}

fn text(value: &JsValue, key: &str) -> Option<String> {
    read(value, key)?.as_string()
}

fn tag(value: &JsValue) -> Option<String> {
    Reflect::get(value, &Symbol::to_string_tag()).ok()?.as_string()
}

/// A whole number.
#[expect(clippy::float_cmp, reason = "a whole number is exactly its whole part")]
fn number(value: &JsValue, key: &str) -> Option<i64> {
    let value = read(value, key)?;
    let number = match value.dyn_ref::<BigInt>() {
        Some(whole) => return i64::try_from(whole.clone()).ok(),
        None => value.as_f64()?,
    };
    (number.trunc() == number).then_some(number as i64)
}
