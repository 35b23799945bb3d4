//! The default rules for any error, and the strict rules, which do not guess by names.

use crate::class::{Classification, ErrorClass};
use crate::classify::facts::{Facts, Marker};
use crate::classify::http::http_status;

/// The class of an error by the first rule that applies: its [`class`](Facts::class); its
/// [`marker`](Facts::marker); a status (or, if that is missing or 0, a code) from the list below;
/// a name from the list below; another status from 400 to 499, by
/// [`http_status`](super::http_status); otherwise UNKNOWN. Another code from 400 to 499 stays
/// UNKNOWN, because it may be the code of any library.
///
/// Statuses: 401 AUTH, 403 PERMISSION, 400 404 422 PERMANENT, 409 CONCURRENCY, 408 TRANSIENT, 429
/// `RATE_LIMIT`, 500 to 599 `SERVER_ERROR`. Names that contain, in any case: `auth`, `unauthoriz`
/// or `credential` (AUTH), `forbid` or `permission` (PERMISSION), `timeout` or `connection`
/// (TRANSIENT).
pub fn default(facts: &Facts<'_>) -> Classification {
    by_type_or_number(facts).or_else(|| by_name(facts)).unwrap_or_else(|| by_status(facts)).into()
}

/// As [`default`], without the rule about names.
pub fn strict(facts: &Facts<'_>) -> Classification {
    by_type_or_number(facts).unwrap_or_else(|| by_status(facts)).into()
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

/// What the standards say of a status that has no class of its own here.
fn by_status(facts: &Facts<'_>) -> ErrorClass {
    match facts.status.and_then(|status| u16::try_from(status).ok()) {
        Some(status @ 400..=499) => http_status(status),
        _ => ErrorClass::Unknown,
    }
}

fn by_name(facts: &Facts<'_>) -> Option<ErrorClass> {
    const SPEAKING: [(&str, ErrorClass); 7] = [
        ("auth", ErrorClass::Auth),
        ("unauthoriz", ErrorClass::Auth),
        ("credential", ErrorClass::Auth),
        ("forbid", ErrorClass::Permission),
        ("permission", ErrorClass::Permission),
        ("timeout", ErrorClass::Transient),
        ("connection", ErrorClass::Transient),
    ];
    let speaks = |(part, _): &&(&str, ErrorClass)| super::contains(facts.name, part);
    SPEAKING.iter().find(speaks).map(|&(_, class)| class)
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
    fn a_status_without_a_class_of_its_own_has_that_of_the_standards_after_the_name() {
        for (status, class) in [
            (407, ErrorClass::Auth),
            (412, ErrorClass::Permanent),
            (418, ErrorClass::Permanent),
            (421, ErrorClass::Transient),
            (423, ErrorClass::Concurrency),
            (399, ErrorClass::Unknown),
            (600, ErrorClass::Unknown),
            (65_536 + 418, ErrorClass::Unknown),
        ] {
            let by_status = Facts { status: Some(status), ..Facts::NONE };
            assert_eq!((default(&by_status).class, strict(&by_status).class), (class, class));
            let by_code = Facts { code: Some(status), ..Facts::NONE };
            assert_eq!(strict(&by_code).class, ErrorClass::Unknown, "{status}");
        }
        let named = Facts { status: Some(418), name: "ReadTimeout", ..Facts::NONE };
        assert_eq!(default(&named).class, ErrorClass::Transient);
        assert_eq!(strict(&named).class, ErrorClass::Permanent);
        let zero = Facts { status: Some(0), code: Some(418), ..Facts::NONE };
        assert_eq!(default(&zero).class, ErrorClass::Unknown);
    }

    #[test]
    fn only_the_default_rules_listen_to_names() {
        let facts = Facts { name: "PoolTIMEOUTError", ..Facts::NONE };
        assert_eq!(default(&facts).class, ErrorClass::Transient);
        assert_eq!(strict(&facts).class, ErrorClass::Unknown);
    }
}
