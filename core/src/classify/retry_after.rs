//! Reading a Retry-After: seconds, or an HTTP date in any of its three forms; and the dates
//! of RFC 3339, in which other headers say the same.

use crate::time::Duration;

/// Parses the value of a Retry-After header: how long to wait, or `None` if it cannot be parsed.
///
/// White space around the value is ignored. Seconds are plain ASCII digits, with or without
/// decimals (`1.5`): `+5`, `1_000`, `1e3`, `.5` and digits of other scripts give `None`. A number
/// that is too large gives [`Duration::MAX`], a negative number 0.
///
/// A date is compared with `now_unix_secs`, the wall time in seconds since 1970; a date in the
/// past gives 0. It must be exactly in one of three forms, with the right weekday and the right
/// case; zones other than GMT give `None`:
///
/// | form | example |
/// | --- | --- |
/// | IMF-fixdate | `Thu, 15 Jan 2026 12:00:05 GMT` |
/// | RFC 850 | `Thursday, 15-Jan-26 12:00:05 GMT` |
/// | asctime | `Thu Jan 15 12:00:05 2026` |
///
/// A two-digit year stands for the latest year, from 1900 on, with which the date is at most 50
/// years ahead of now. A leap second counts as the second after it.
///
/// ```
/// use redress::Duration;
/// use redress::classify::retry_after::parse;
/// let now = 1_768_478_400; // Thu, 15 Jan 2026 12:00:00 GMT
/// assert_eq!(parse("Thu, 15 Jan 2026 12:00:05 GMT", now), Some(Duration::from_secs(5)));
/// assert_eq!(parse("soon", now), None);
/// ```
///
/// Source: RFC 9110, sections 10.2.3 and 5.6.7. Decimals are not part of the RFC, but servers
/// send them.
pub fn parse(text: &str, now_unix_secs: i64) -> Option<Duration> {
    let text = text.trim().as_bytes();
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if let Some((whole, decimals)) = decimal(digits) {
        let negative = digits.len() != text.len();
        let micros = Duration::from_micros(parts(decimals, 6).into());
        let span = Duration::from_secs(whole).saturating_add(micros);
        return Some(if negative { Duration::ZERO } else { span });
    }
    http_date(text, now_unix_secs)
}

/// How long it takes until a date of HTTP, 0 if it is over; `None` for another text.
pub(super) fn http_date(text: &[u8], now_unix_secs: i64) -> Option<Duration> {
    Some(until(date(text, now_unix_secs)?, now_unix_secs))
}

/// How long it takes until a time, 0 if it is over.
fn until(at: i64, now: i64) -> Duration {
    Duration::from_secs(u64::try_from(at.saturating_sub(now)).unwrap_or(0))
}

/// What is before and after the first of such a byte. By bytes, as a search for letters in a
/// text takes more of an image.
pub(super) fn halves(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|other| *other == byte)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.get(1..)?))
}

/// A number and the digits after its point, of which there are none or more: `"5"`, `"1.25"`.
/// A number that does not fit is `u64::MAX`.
pub(super) fn decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let (whole, decimals) = match halves(text, b'.') {
        Some((_, [])) => return None,
        Some(parts) => parts,
        None => (text, &[][..]),
    };
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    (!whole.is_empty() && digits(whole) && digits(decimals)).then(|| (number(whole), decimals))
}

/// So many of the digits after a point as a number, with zeros for those that lack.
pub(super) fn parts(decimals: &[u8], places: usize) -> u32 {
    let digits = decimals.iter().chain(core::iter::repeat(&b'0'));
    digits.take(places).fold(0, |parts, digit| parts * 10 + u32::from(digit & 0x0F))
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number: u64, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit & 0x0F))
    })
}

/// How long it takes until a date of RFC 3339, `2026-01-15T12:00:05.5Z` for instance, 0 if it
/// is over; `None` for another text.
///
/// Source: RFC 3339, section 5.6.
pub(super) fn rfc_3339(text: &[u8], now_unix_secs: i64) -> Option<Duration> {
    let mut text = Cursor(text);
    let year = text.number(4)?;
    text.expect(b"-")?;
    let month = text.number(2)?;
    text.expect(b"-")?;
    let day = text.number(2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    text.byte().filter(|byte| byte.eq_ignore_ascii_case(&b'T'))?;
    let time = text.time()?;
    let micros = if text.eat(b".") { text.micros()? } else { 0 };
    let east = match text.byte()? {
        b'Z' | b'z' => 0,
        b'+' => text.offset()?,
        b'-' => -text.offset()?,
        _ => return None,
    };
    let at = seconds(days_since_1970(year, month, day), time - east);
    let span = until(at, now_unix_secs).saturating_add(Duration::from_micros(micros.into()));
    let over = at < now_unix_secs;
    text.0.is_empty().then_some(if over { Duration::ZERO } else { span })
}

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAYS: [&[u8]; 7] =
    [b"Thursday", b"Friday", b"Saturday", b"Sunday", b"Monday", b"Tuesday", b"Wednesday"];

/// The seconds since 1970 of a date in one of the three forms.
fn date(text: &[u8], now: i64) -> Option<i64> {
    let mut text = Cursor(text);
    let weekday = text.letters();
    let fields = if text.eat(b", ") {
        let day = text.number(2)?;
        let dashed = match text.byte()? {
            b' ' => false,
            b'-' => true,
            _ => return None,
        };
        let separator: &[u8] = if dashed { b"-" } else { b" " };
        let month = text.month()?;
        text.expect(separator)?;
        let year = text.number(if dashed { 2 } else { 4 })?;
        text.expect(b" ")?;
        let time = text.time()?;
        text.expect(b" GMT")?;
        let year = if dashed { full_year(year, month, day, time, now) } else { year };
        (year, month, day, time, dashed)
    } else {
        text.expect(b" ")?;
        let month = text.month()?;
        text.expect(b" ")?;
        let day = if text.eat(b" ") { text.number(1)? } else { text.number(2)? };
        text.expect(b" ")?;
        let time = text.time()?;
        text.expect(b" ")?;
        (text.number(4)?, month, day, time, false)
    };
    let (year, month, day, time, full_name) = fields;
    if !text.0.is_empty() || day == 0 || day > days_in(year, month) {
        return None;
    }
    let days = days_since_1970(year, month, day);
    let name = *DAYS.get(weekday_of(days))?;
    let name = if full_name { name } else { name.get(..3)? };
    (weekday == name).then(|| seconds(days, time))
}

/// The seconds since 1970 of a day and a second in it.
fn seconds(days: i32, time: i32) -> i64 {
    i64::from(days) * 86_400 + i64::from(time)
}

/// The latest year with these last two digits that puts the date at most 50 years
/// ahead of now. It is sought century by century: going from now to a year instead
/// would take a 64-bit division.
fn full_year(two_digits: i32, month: i32, day: i32, time: i32, now: i64) -> i32 {
    const FIFTY_YEARS: i64 = 50 * 31_557_600;
    let latest = now.saturating_add(FIFTY_YEARS);
    let mut year = 1900 + two_digits;
    while year < 9900 && seconds(days_since_1970(year + 100, month, day), time) <= latest {
        year += 100;
    }
    year
}

/// `year / 100`, for years up to 10,399. By its reciprocal, as all that is divided here: a
/// Cortex-M0 has no division.
const fn century(year: i32) -> i32 {
    (year * 5243) >> 19
}

const fn is_leap(year: i32) -> bool {
    let century = century(year);
    year % 4 == 0 && (century * 100 != year || century % 4 == 0)
}

const fn days_in(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>), for years from 0.
const fn days_since_1970(year: i32, month: i32, day: i32) -> i32 {
    // An era later, so that the start of year 0 is no negative year.
    let year = if month <= 2 { year + 399 } else { year + 400 };
    let month = if month <= 2 { month + 9 } else { month - 3 };
    let century = century(year);
    let era = century >> 2;
    let year_of_era = year - era * 400;
    // `(153 * month + 2) / 5`
    let day_of_year = (((153 * month + 2) * 52_429) >> 18) + day - 1;
    let day_of_era = year_of_era * 365 + (year_of_era >> 2) - (century & 3) + day_of_year;
    (era - 1) * 146_097 + day_of_era - 719_468
}

/// The day of the week, counted as [`DAYS`] is, for days of years from 0 to 9999.
const fn weekday_of(days: i32) -> usize {
    // With more whole weeks than lie between year 0 and 1970 it is not negative.
    let days = (days + 7 * 105_000).cast_unsigned();
    let weeks = (days as u64 * 613_566_757) >> 32;
    days as usize - 7 * weeks as usize
}

/// What is left of a text.
struct Cursor<'t>(&'t [u8]);

impl<'t> Cursor<'t> {
    fn eat(&mut self, token: &[u8]) -> bool {
        match self.0.strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &[u8]) -> Option<()> {
        self.eat(token).then_some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn letters(&mut self) -> &'t [u8] {
        let end = self.0.iter().position(|byte| !byte.is_ascii_alphabetic());
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        word
    }

    /// Exactly so many digits.
    fn number(&mut self, digits: u32) -> Option<i32> {
        let mut number = 0;
        for _ in 0..digits {
            let digit = self.byte().filter(u8::is_ascii_digit)?;
            number = number * 10 + i32::from(digit & 0x0F);
        }
        Some(number)
    }

    /// Millionths by the digits after a point, one or more.
    fn micros(&mut self) -> Option<u32> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        (!digits.is_empty()).then(|| parts(digits, 6))
    }

    /// Seconds by the hours and minutes of a time zone.
    fn offset(&mut self) -> Option<i32> {
        let hour = self.number(2)?;
        self.expect(b":")?;
        let minute = self.number(2)?;
        (hour < 24 && minute < 60).then_some(hour * 3600 + minute * 60)
    }

    /// The number of a month by its name.
    fn month(&mut self) -> Option<i32> {
        let name = self.letters();
        MONTHS.iter().zip(1..).find(|(month, _)| **month == name).map(|(_, number)| number)
    }

    /// Seconds of the day; a leap second counts as the second after it.
    fn time(&mut self) -> Option<i32> {
        let hour = self.number(2)?;
        self.expect(b":")?;
        let minute = self.number(2)?;
        self.expect(b":")?;
        let second = self.number(2)?;
        (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_768_478_400;

    fn secs(text: &str) -> Option<u64> {
        parse(text, NOON).map(Duration::as_secs)
    }

    #[test]
    fn seconds_are_plain_digits() {
        for (text, want) in [
            ("0", Some(0)),
            (" 30\t", Some(30)),
            ("-5", Some(0)),
            ("+5", None),
            ("1_000", None),
            ("\u{ff11}\u{ff12}", None),
            ("1e3", None),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("1.-5", None),
            ("1,000", None),
            ("120s", None),
            ("nan", None),
            ("", None),
            ("-", None),
            ("--5", None),
            ("- 5", None),
            ("\u{a0}7\r\n", Some(7)),
        ] {
            assert_eq!(secs(text), want, "{text:?}");
        }
    }

    #[test]
    fn seconds_may_have_decimals() {
        for (text, micros) in [
            ("1.5", 1_500_000),
            ("0.25", 250_000),
            ("7.0", 7_000_000),
            ("0.0000019", 1),
            ("-1.5", 0),
            ("99999999999999999999", u64::MAX),
            ("99999999999999999999.5", u64::MAX),
        ] {
            assert_eq!(parse(text, NOON), Some(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn four_hundred_digits_are_a_very_long_time() {
        let digits = "9".repeat(400);
        assert_eq!(parse(&digits, NOON), Some(Duration::MAX));
        assert_eq!(parse(&std::format!("-{digits}"), NOON), Some(Duration::ZERO));
    }

    #[test]
    fn the_three_forms_of_a_date_are_read() {
        for text in [
            "Thu, 15 Jan 2026 12:00:05 GMT",
            "Thursday, 15-Jan-26 12:00:05 GMT",
            "Thu Jan 15 12:00:05 2026",
        ] {
            assert_eq!(secs(text), Some(5), "{text}");
        }
        assert_eq!(secs("Fri Jan  2 00:00:00 2026"), Some(0));
        assert_eq!(parse("Fri, 31 Dec 9999 23:59:60 GMT", i64::MIN), Some(Duration::MAX));
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT", i64::MAX), Some(Duration::ZERO));
    }

    #[test]
    fn other_forms_are_no_hint() {
        for text in [
            "Thu, 15 Jan 2026 07:00:10 EST",
            "Thu, 15 Jan 2026 12:00:10 -0000",
            "thu, 15 jan 2026 12:00:10 gmt",
            "Thu, 15 Jan 26 12:00:10 GMT",
            "Fri, 15 Jan 2026 12:00:10 GMT",
            "15 Jan 2026 12:00:10 GMT",
            "Thu, 15 Jan 2026 12:00 GMT",
            "Thu, 15 Jan 2026 24:00:00 GMT",
            "Mon, 30 Feb 2026 00:00:00 GMT",
            "Thu, 15 Jan 2026 12:00:10 GMT.",
            "Thü, 15 Jan 2026 12:00:10 GMT",
        ] {
            assert_eq!(secs(text), None, "{text}");
        }
    }

    #[test]
    fn a_two_digit_year_is_the_latest_that_is_at_most_fifty_years_ahead() {
        // Weekdays tell which century was taken: a wrong one is no hint.
        const IN_2060: i64 = 2_840_140_800;
        for (text, now, want) in [
            ("Thursday, 15-Jan-26 12:00:05 GMT", NOON, Some(5)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", NOON, Some(0)),
            ("Tuesday, 15-Jan-75 12:00:00 GMT", NOON, Some(3_314_779_200 - 1_768_478_400)),
            ("Wednesday, 15-Jan-75 12:00:00 GMT", NOON, None),
            // 2076-12-31 would be almost 51 years ahead.
            ("Friday, 31-Dec-76 00:00:00 GMT", NOON, Some(0)),
            ("Thursday, 31-Dec-76 00:00:00 GMT", NOON, None),
            // 2105 is 45 years after 2060, and in another century.
            ("Thursday, 01-Jan-05 00:00:00 GMT", IN_2060, Some(4_260_211_200 - 2_840_140_800)),
            ("Saturday, 01-Jan-05 00:00:00 GMT", IN_2060, None),
        ] {
            assert_eq!(parse(text, now).map(Duration::as_secs), want, "{text} at {now}");
        }
    }

    #[test]
    fn no_wall_time_is_too_early_or_too_late_for_a_two_digit_year() {
        for now in [i64::MIN, -1, 0, i64::MAX] {
            for text in ["Thursday, 15-Jan-26 12:00:05 GMT", "Tuesday, 29-Feb-00 00:00:00 GMT"] {
                let _ = parse(text, now);
            }
        }
    }

    #[test]
    fn days_agree_with_a_count_of_every_day() {
        // From 1600-01-01, a Saturday, over two of the periods after which the calendar repeats.
        let mut days: i32 = -135_140;
        for year in 1600..=if cfg!(miri) { 1604 } else { 2400 } {
            assert_eq!(is_leap(year), year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    assert_eq!(days_since_1970(year, month, day), days);
                    assert_eq!(weekday_of(days), days.rem_euclid(7) as usize);
                    days += 1;
                }
            }
        }
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        // An era is added before the century is found.
        assert!((0..10_400).all(|year| century(year) == year / 100));
    }
}
