//! The limits in the headers of a response, besides Retry-After.

use crate::classify::{retry_after, same_word};
use crate::time::Duration;

/// The limits in the headers of a response, besides Retry-After.
///
/// | headers | meaning |
/// | --- | --- |
/// | `retry-after-ms`, `x-ms-retry-after-ms` | an explicit hint in milliseconds, which goes before Retry-After |
/// | `RateLimit: "default";r=0;t=30` | what remains of a quota, and when it is refilled; several quotas are separated by commas |
/// | `RateLimit: limit=9, remaining=0, reset=30` | the same in an older form |
/// | `RateLimit-Remaining` and `-Reset`, `X-RateLimit-Remaining` and `-Reset`, `X-Rate-Limit-..`, also with something after it (`x-ratelimit-reset-tokens`, `X-RateLimit-Reset-After`) or in between (`anthropic-ratelimit-tokens-reset`) | the same, of the quota that both names share |
///
/// Servers send a reset also with successes and with failures of any kind. It counts as a hint
/// when to come back only with a status of 429, and with a 403 if a quota is exhausted; see
/// [`http_retry_after`](super::http_retry_after).
///
/// A reset is a number, a date or spans with units. A number from 10^12 on is in milliseconds
/// since 1970, from 10^9 on in seconds since 1970, and below that in seconds from now. A date is
/// of RFC 3339 (`2026-01-15T12:00:05Z`) or of HTTP. Spans with units are `1m30s`, `6m0s` or
/// `20ms`. A time in the past gives 0, a number that is too large [`Duration::MAX`].
///
/// Source: draft-ietf-httpapi-ratelimit-headers: versions up to 06 for the single headers, 07 for
/// the older form of `RateLimit` and 08 for the newer form; *Rate limits* of the APIs of GitHub,
/// `OpenAI`, Anthropic, Discord and X; *Request rate is large* of Azure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// The explicit hint in milliseconds, if there is one.
    pub retry_after: Option<Duration>,
    /// Whether a quota is exhausted: 0 remains.
    pub exhausted: bool,
    /// The time until all exhausted quotas are refilled, the longest of their resets. If no quota
    /// is known to be exhausted, the shortest reset among the quotas whose remainder is not
    /// given.
    pub reset: Option<Duration>,
}

/// What is read of one quota.
#[derive(Clone, Copy)]
struct Quota {
    exhausted: Option<bool>,
    reset: Option<Duration>,
}

impl Limits {
    /// Headers without limits.
    pub const NONE: Self = Self { retry_after: None, exhausted: false, reset: None };

    /// Reads the limits from headers, whose names are in any case. `now_unix_secs` is the wall
    /// time in seconds since 1970, with which a date is compared. A value that cannot be parsed
    /// is ignored.
    ///
    /// Without a wall clock, a reset that is a date or a time since 1970 cannot be used: pass
    /// only the headers whose values are spans.
    pub fn of<'h, H>(headers: H, now_unix_secs: i64) -> Self
    where
        H: IntoIterator<Item = (&'h str, &'h str), IntoIter: Clone>,
    {
        let headers = headers.into_iter();
        of_all(&|visit| headers.clone().for_each(|(name, value)| visit(name, value)), now_unix_secs)
    }
}

/// Shows all headers to a visitor, as often as it is called. A reference, so that what is
/// read of them is in an image once, whatever collection they are in.
type Headers<'a, 'h> = &'a dyn Fn(&mut dyn FnMut(&'h str, &'h str));

fn of_all(headers: Headers<'_, '_>, now: i64) -> Limits {
    let mut limits = Limits::NONE;
    // The shortest reset of quotas of which it is not said what remains.
    let mut unsaid: Option<Duration> = None;
    let mut add = |limits: &mut Limits, quota: Quota| match quota.exhausted {
        Some(true) => {
            limits.exhausted = true;
            limits.reset = limits.reset.max(quota.reset);
        }
        Some(false) => {}
        None => {
            if let Some(reset) = quota.reset {
                unsaid = Some(unsaid.map_or(reset, |shortest| shortest.min(reset)));
            }
        }
    };
    headers(&mut |name, value| {
        let value = value.as_bytes().trim_ascii();
        let name = name.as_bytes();
        if same_word(name, b"retry-after-ms") || same_word(name, b"x-ms-retry-after-ms") {
            limits.retry_after = limits.retry_after.or_else(|| millis(value));
        } else if same_word(name, b"ratelimit") || same_word(name, b"x-ratelimit") {
            fields(value, now, &mut |quota| add(&mut limits, quota));
        } else if around(name, b"remaining").is_some() {
            // By itself it says that a quota is used up; its reset says of which.
            limits.exhausted |= used_up(value) == Some(true);
        } else if let Some(quota) = around(name, b"reset") {
            let exhausted = remaining(headers, quota);
            add(&mut limits, Quota { exhausted, reset: reset(value, now) });
        }
    });
    if !limits.exhausted {
        limits.reset = unsaid;
    }
    limits
}

/// The name of a quota: what is before and after the word for what is said of it.
type Name<'h> = (&'h [u8], &'h [u8]);

/// The name of the quota of which a header about limits says `word`.
fn around<'h>(name: &'h [u8], word: &[u8]) -> Option<Name<'h>> {
    place(name, b"ratelimit").or_else(|| place(name, b"rate-limit"))?;
    let (before, rest) = name.split_at_checked(place(name, word)?)?;
    let after = rest.get(word.len()..)?;
    // `-reset-after` says the same in another unit.
    Some((before, if same_word(after, b"-after") { b"" } else { after }))
}

/// Where a word, which is not empty, begins in a name.
fn place(name: &[u8], word: &[u8]) -> Option<usize> {
    name.windows(word.len().max(1)).position(|at| same_word(at, word))
}

/// Whether nothing remains of a quota; `None` if it is not said.
fn remaining(headers: Headers<'_, '_>, quota: Name<'_>) -> Option<bool> {
    let mut found = None;
    headers(&mut |name, value| {
        if let Some(other) = around(name.as_bytes(), b"remaining")
            && found.is_none()
            && same_word(other.0, quota.0)
            && same_word(other.1, quota.1)
        {
            found = used_up(value.as_bytes().trim_ascii());
        }
    });
    found
}

/// The quotas in a field `RateLimit`, in either form.
fn fields(value: &[u8], now: i64, add: &mut dyn FnMut(Quota)) {
    const NOTHING: Quota = Quota { exhausted: None, reset: None };
    let mut older = NOTHING;
    for item in value.split(|&byte| byte == b',') {
        let mut quota = NOTHING;
        for part in item.split(|&byte| byte == b';') {
            let Some((key, value)) = retry_after::halves(part, b'=') else { continue };
            let value = value.trim_ascii();
            match key.trim_ascii() {
                b"r" => quota.exhausted = used_up(value),
                b"t" => quota.reset = reset(value, now),
                b"remaining" => older.exhausted = used_up(value),
                b"reset" => older.reset = reset(value, now),
                _ => {}
            }
        }
        add(quota);
    }
    add(older);
}

/// Whether what remains is 0; `None` if it is no number.
fn used_up(value: &[u8]) -> Option<bool> {
    retry_after::decimal(value).map(|(whole, _)| whole == 0)
}

/// Milliseconds, perhaps with decimals.
fn millis(value: &[u8]) -> Option<Duration> {
    retry_after::decimal(value).map(|(whole, decimals)| {
        let micros = Duration::from_micros(retry_after::parts(decimals, 3).into());
        Duration::from_millis(whole).saturating_add(micros)
    })
}

/// How long it takes until a quota is filled up again.
fn reset(value: &[u8], now: i64) -> Option<Duration> {
    const SECONDS: u64 = 1_000_000_000;
    const MILLISECONDS: u64 = 1_000_000_000_000;
    if let Some((whole, decimals)) = retry_after::decimal(value) {
        // The time since 1970 that it is now; before 1970 it is taken for 1970.
        let now = Duration::from_secs(u64::try_from(now).unwrap_or(0));
        let micros = Duration::from_micros(retry_after::parts(decimals, 6).into());
        let secs = Duration::from_secs(whole).saturating_add(micros);
        return Some(match whole {
            u64::MAX => Duration::MAX,
            MILLISECONDS.. => millis(value)?.saturating_sub(now),
            SECONDS.. => secs.saturating_sub(now),
            _ => secs,
        });
    }
    spans(value)
        .or_else(|| retry_after::rfc_3339(value, now))
        .or_else(|| retry_after::http_date(value, now))
}

/// Spans with units, one after the other: `1m30s`.
fn spans(mut text: &[u8]) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    loop {
        let unit = text.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
        let (number, rest) = text.split_at_checked(unit)?;
        let end = rest.iter().position(u8::is_ascii_digit).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at_checked(end)?;
        let (whole, decimals) = retry_after::decimal(number)?;
        let secs: u32 = match unit {
            b"d" => 86_400,
            b"h" => 3_600,
            b"m" => 60,
            b"s" => 1,
            _ => 0,
        };
        let span = match unit {
            _ if secs > 0 => {
                let millionths = u64::from(retry_after::parts(decimals, 6));
                Duration::from_secs(whole.saturating_mul(secs.into()))
                    .saturating_add(Duration::from_micros(millionths * u64::from(secs)))
            }
            b"ms" => millis(number)?,
            // With either letter that looks like a mu.
            b"us" | b"\xC2\xB5s" | b"\xCE\xBCs" => Duration::from_micros(whole),
            b"ns" => Duration::ZERO,
            _ => return None,
        };
        sum = sum.saturating_add(span);
        text = rest;
        if text.is_empty() {
            return Some(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thu, 15 Jan 2026 12:00:00 GMT.
    const NOON: i64 = 1_768_478_400;

    fn of(headers: &[(&str, &str)]) -> Limits {
        Limits::of(headers.iter().copied(), NOON)
    }

    fn secs(secs: u64) -> Option<Duration> {
        Some(Duration::from_secs(secs))
    }

    #[test]
    fn a_reset_is_read_in_all_its_forms() {
        for (value, micros) in [
            ("30", Some(30_000_000)),
            ("0.25", Some(250_000)),
            ("999999999", Some(999_999_999_000_000)),
            ("1768478460", Some(60_000_000)),
            ("1768478460.5", Some(60_500_000)),
            ("1768478460123", Some(60_123_000)),
            ("1000000000", Some(0)),
            ("99999999999999999999", Some(u64::MAX)),
            ("2026-01-15T12:01:00Z", Some(60_000_000)),
            ("2026-01-15t12:01:00.5z", Some(60_500_000)),
            ("2026-01-15T14:01:00+02:00", Some(60_000_000)),
            ("2026-01-15T08:31:00-03:30", Some(60_000_000)),
            ("2026-01-15T11:59:59Z", Some(0)),
            ("Thu, 15 Jan 2026 12:01:00 GMT", Some(60_000_000)),
            ("1m30s", Some(90_000_000)),
            ("6m0s", Some(360_000_000)),
            ("20ms", Some(20_000)),
            ("1h2m3.5s", Some(3_723_500_000)),
            ("1d", Some(86_400_000_000)),
            ("1.5m", Some(90_000_000)),
            ("7us", Some(7)),
            ("500ns", Some(0)),
            ("99999999999999999999s", Some(u64::MAX)),
            ("", None),
            ("soon", None),
            ("1m30", None),
            ("s", None),
            ("1w", None),
            ("2026-01-15", None),
            ("2026-02-30T12:00:00Z", None),
            ("2026-01-15T12:00:00", None),
            ("2026-01-15T12:00:00+2:00", None),
        ] {
            let want = micros.map(Duration::from_micros);
            assert_eq!(reset(value.as_bytes(), NOON), want, "{value:?}");
        }
        assert_eq!(reset(b"1768478460", i64::MIN), secs(1_768_478_460));
        assert_eq!(reset(b"1768478460", i64::MAX), secs(0));
    }

    #[test]
    fn a_quota_is_what_two_names_share() {
        for pair in [
            ["RateLimit-Remaining", "RateLimit-Reset"],
            ["X-RateLimit-Remaining", "x-ratelimit-RESET"],
            ["X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"],
            ["X-RateLimit-Remaining", "X-RateLimit-Reset-After"],
            ["x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
            ["anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"],
        ] {
            let used_up = Limits { retry_after: None, exhausted: true, reset: secs(30) };
            assert_eq!(of(&[(pair[0], "0"), (pair[1], "30")]), used_up, "{pair:?}");
            assert_eq!(of(&[(pair[1], "30"), (pair[0], "0")]), used_up, "{pair:?}");
            assert_eq!(of(&[(pair[0], "9"), (pair[1], "30")]), Limits::NONE, "{pair:?}");
            let alone = Limits { reset: secs(30), ..Limits::NONE };
            assert_eq!(of(&[(pair[1], "30")]), alone, "{pair:?}");
            let without_reset = Limits { exhausted: true, ..Limits::NONE };
            assert_eq!(of(&[(pair[0], "0")]), without_reset, "{pair:?}");
        }
        assert_eq!(of(&[("Password-Reset", "30"), ("Remaining", "0")]), Limits::NONE);
        let spaced = of(&[("RateLimit-Remaining", " 0 "), ("RateLimit-Reset", "\t30 ")]);
        assert_eq!(spaced, Limits { retry_after: None, exhausted: true, reset: secs(30) });
        // What remains cannot be read: it is not said.
        let unread = of(&[("RateLimit-Remaining", "none"), ("RateLimit-Reset", "30")]);
        assert_eq!(unread, Limits { reset: secs(30), ..Limits::NONE });
    }

    #[test]
    fn of_several_quotas_the_latest_that_is_used_up_counts_and_else_the_shortest() {
        let used_up = |reset| Limits { retry_after: None, exhausted: true, reset };
        let three = |requests, tokens, input| {
            of(&[
                ("anthropic-ratelimit-requests-remaining", requests),
                ("anthropic-ratelimit-requests-reset", "2026-01-15T12:00:10Z"),
                ("anthropic-ratelimit-tokens-remaining", tokens),
                ("anthropic-ratelimit-tokens-reset", "2026-01-15T12:00:20Z"),
                ("anthropic-ratelimit-input-tokens-remaining", input),
                ("anthropic-ratelimit-input-tokens-reset", "2026-01-15T12:00:40Z"),
            ])
        };
        assert_eq!(three("0", "0", "5"), used_up(secs(20)));
        assert_eq!(three("0", "0", "0"), used_up(secs(40)));
        assert_eq!(three("1", "2", "3"), Limits::NONE);
        let shortest = of(&[("x-ratelimit-reset-a", "30"), ("x-ratelimit-reset-b", "1s")]);
        assert_eq!(shortest, Limits { reset: secs(1), ..Limits::NONE });
    }

    #[test]
    fn a_ratelimit_field_is_read_in_both_forms() {
        let used_up = |reset| Limits { retry_after: None, exhausted: true, reset };
        for (value, want) in [
            (r#""default";r=0;t=30"#, used_up(secs(30))),
            (r#""default"; r=0; t=30"#, used_up(secs(30))),
            (r#""burst";r=0;t=5, "daily";r=0;t=3600"#, used_up(secs(3600))),
            (r#""burst";r=0;t=5, "daily";r=9;t=3600"#, used_up(secs(5))),
            (r#""default";r=9;t=30"#, Limits::NONE),
            (r#""default";r=0"#, used_up(None)),
            (r#""default";t=30"#, Limits { reset: secs(30), ..Limits::NONE }),
            ("limit=100, remaining=0, reset=50", used_up(secs(50))),
            ("limit=100, remaining=9, reset=50", Limits::NONE),
            ("", Limits::NONE),
            (";;=,=;r", Limits::NONE),
        ] {
            assert_eq!(of(&[("RateLimit", value)]), want, "{value}");
        }
    }

    #[test]
    fn milliseconds_are_an_explicit_hint() {
        for (value, micros) in [
            ("1500", Some(1_500_000)),
            ("0.5", Some(500)),
            ("1.2345", Some(1_234)),
            ("99999999999999999999", Some(u64::MAX)),
            ("-5", None),
            ("soon", None),
        ] {
            let want = micros.map(Duration::from_micros);
            assert_eq!(of(&[("Retry-After-Ms", value)]).retry_after, want, "{value}");
        }
        let both = of(&[("retry-after-ms", "junk"), ("x-ms-retry-after-ms", "7")]);
        assert_eq!(both.retry_after, Some(Duration::from_millis(7)));
    }
}
