//! The order in which the core's tables are asked about an error and those that it wraps.

use redress::ErrorClass;
use redress::classify::{
    Classification, Facts, Verdict, abort_name, client_code, client_message, connection_code,
    connection_message, default, dom_exception, system_code,
};

/// What an error of JavaScript says by itself.
#[derive(Default)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) message: String,
    /// A symbolic code; a number is among the [`Facts`].
    pub(super) code: Option<String>,
    pub(super) is_dom_exception: bool,
}

const TIMEOUT: &str = "TimeoutError";

/// The verdict on an error by the default rules, and, if these do not know it, by the tables:
/// `links` are the error and its causes, the outermost first.
pub(super) fn judge(facts: &Facts<'_>, links: &[Link]) -> Verdict {
    let mut found = default(facts);
    if found.class != ErrorClass::Unknown {
        return found.into();
    }
    if let Some(class) = by_tables(links) {
        found.class = class;
        return found.into();
    }
    let is_abort =
        |link: &Link| abort_name(&link.name).or_else(|| link.code.as_deref().and_then(abort_name));
    match links.first().and_then(is_abort) {
        // What a time-out aborted: the platform's own errors have the reason as their cause.
        Some(_) if links.iter().any(|link| link.name == TIMEOUT) => ErrorClass::Transient.into(),
        Some(abort) => abort,
        None => Verdict::from(found),
    }
}

fn by_tables(links: &[Link]) -> Option<ErrorClass> {
    let codes = || links.iter().filter_map(|link| link.code.as_deref());
    if codes().any(connection_code) || links.first().is_some_and(lost) {
        return Some(ErrorClass::Transient);
    }
    let by_code = codes().find_map(|code| client_code(code).or_else(|| system_code(code)));
    let by_text = |link: &Link| client_message(statementless(&link.message));
    by_code
        .or_else(|| {
            links
                .iter()
                .filter(|link| link.is_dom_exception)
                .find_map(|link| dom_exception(&link.name))
        })
        .or_else(|| links.iter().find_map(by_text))
}

/// Whether it is a connection that failed, of which `fetch` says so by its words alone.
fn lost(link: &Link) -> bool {
    match link.name.as_str() {
        "NetworkError" => link.is_dom_exception,
        "TypeError" | "Error" => connection_message(&link.message),
        _ => false,
    }
}

/// A message without the statement that Knex has before it.
fn statementless(message: &str) -> &str {
    message.rsplit_once(" - ").map_or(message, |(_, after)| after)
}

/// Facts of an error of which only the name says something.
pub(super) fn named(name: &str) -> Facts<'_> {
    let is_timeout = name == TIMEOUT;
    let marker = is_timeout.then_some(redress::classify::Marker::Timeout);
    Facts { name, marker, ..Facts::NONE }
}

/// With the error's own word on when to come back.
pub(super) fn hinted(verdict: Verdict, hint: Option<redress::Duration>) -> Verdict {
    match verdict {
        Verdict::Failure(found) => {
            let retry_after = found.retry_after.or(hint);
            Classification { retry_after, ..found }.into()
        }
        Verdict::Abort => Verdict::Abort,
    }
}
