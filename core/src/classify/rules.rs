//! The default rules over any error, and the strict ones without guessing.

use crate::classify::facts::{Facts, Marker};
use crate::{Classification, ErrorClass};

/// The first that applies: a class that is given; an explicit type; a status (or, if
/// that is missing or 0, a code) that has a class; a name that speaks; else UNKNOWN.
///
/// 401 AUTH, 403 PERMISSION, 400 404 422 PERMANENT, 409 CONCURRENCY, 408 TRANSIENT,
/// 429 `RATE_LIMIT`, 500 to 599 `SERVER_ERROR`. A name speaks if it contains, in any
/// case, `auth`, `unauthoriz` or `credential` (AUTH), `forbid` or `permission`
/// (PERMISSION), `timeout` or `connection` (TRANSIENT).
pub fn default(facts: &Facts<'_>) -> Classification {
    by_type_or_number(facts).unwrap_or_else(|| by_name(facts)).into()
}

/// The same without the rule about names.
pub fn strict(facts: &Facts<'_>) -> Classification {
    by_type_or_number(facts).unwrap_or(ErrorClass::Unknown).into()
}

fn by_type_or_number(facts: &Facts<'_>) -> Option<ErrorClass> {
    if facts.class.is_some() {
        return facts.class;
    }
    match facts.marker {
        Some(Marker::Timeout) => return Some(ErrorClass::Transient),
        Some(Marker::Permanent) => return Some(ErrorClass::Permanent),
        Some(Marker::RateLimit) => return Some(ErrorClass::RateLimit),
        Some(Marker::Concurrency) => return Some(ErrorClass::Concurrency),
        Some(Marker::ServerError) => return Some(ErrorClass::ServerError),
        None => {}
    }
    let number = facts.status.filter(|&status| status != 0).or(facts.code)?;
    Some(match number {
        401 => ErrorClass::Auth,
        403 => ErrorClass::Permission,
        400 | 404 | 422 => ErrorClass::Permanent,
        409 => ErrorClass::Concurrency,
        408 => ErrorClass::Transient,
        429 => ErrorClass::RateLimit,
        500..=599 => ErrorClass::ServerError,
        _ => return None,
    })
}

fn by_name(facts: &Facts<'_>) -> ErrorClass {
    const SPEAKING: [(&str, ErrorClass); 7] = [
        ("auth", ErrorClass::Auth),
        ("unauthoriz", ErrorClass::Auth),
        ("credential", ErrorClass::Auth),
        ("forbid", ErrorClass::Permission),
        ("permission", ErrorClass::Permission),
        ("timeout", ErrorClass::Transient),
        ("connection", ErrorClass::Transient),
    ];
    let speaks = |(part, _): &&(&str, ErrorClass)| contains(facts.name, part);
    SPEAKING.iter().find(speaks).map_or(ErrorClass::Unknown, |&(_, class)| class)
}

/// Whether `text` contains `part` in any case; `part` is not empty.
fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    text.windows(part.len().max(1)).any(|window| super::same_word(window, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_wins_over_a_number_and_a_number_over_a_name() {
        let facts = Facts { status: Some(503), name: "AuthTimeout", ..Facts::NONE };
        assert_eq!(default(&facts).class, ErrorClass::ServerError);
        let facts = Facts { marker: Some(Marker::Timeout), ..facts };
        assert_eq!(default(&facts).class, ErrorClass::Transient);
    }

    #[test]
    fn a_status_of_zero_leaves_the_word_to_the_code() {
        let facts = Facts { status: Some(0), code: Some(429), ..Facts::NONE };
        assert_eq!(strict(&facts).class, ErrorClass::RateLimit);
    }

    #[test]
    fn only_the_default_rules_listen_to_names() {
        let facts = Facts { name: "PoolTIMEOUTError", ..Facts::NONE };
        assert_eq!(default(&facts).class, ErrorClass::Transient);
        assert_eq!(strict(&facts).class, ErrorClass::Unknown);
    }
}
