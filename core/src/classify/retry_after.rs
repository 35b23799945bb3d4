//! Reading a Retry-After: seconds, or an HTTP date in any of its three forms.

use crate::Duration;

/// How long to wait by a Retry-After header; `None` if it cannot be read.
///
/// White space around it does not matter. Seconds are plain digits; more of them
/// than fit saturate, and after a minus sign they count as 0. A date is compared
/// with `now_unix_secs`; one that is over gives 0. Its three forms are read exactly:
///
/// | form | example |
/// | --- | --- |
/// | IMF-fixdate | `Thu, 15 Jan 2026 12:00:05 GMT` |
/// | RFC 850 | `Thursday, 15-Jan-26 12:00:05 GMT` |
/// | asctime | `Thu Jan 15 12:00:05 2026` |
///
/// Source: RFC 9110, sections 10.2.3 and 5.6.7.
pub fn parse(text: &str, now_unix_secs: i64) -> Option<Duration> {
    let text = text.trim_matches([' ', '\t']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let negative = digits.len() != text.len();
        return Some(if negative { Duration::ZERO } else { Duration::from_secs(number(digits)) });
    }
    let at = date(text.as_bytes(), now_unix_secs)?;
    let secs = u64::try_from(at.saturating_sub(now_unix_secs)).unwrap_or(0);
    Some(Duration::from_secs(secs))
}

fn number(digits: &str) -> u64 {
    digits.bytes().fold(0, |number: u64, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit & 0x0F))
    })
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
        let year = if dashed { century(year, now) } else { year };
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
    let name = *DAYS.get(days.rem_euclid(7) as usize)?;
    let name = if full_name { name } else { name.get(..3)? };
    (weekday == name).then(|| i64::from(days) * 86_400 + i64::from(time))
}

/// A two-digit year is in the century that puts it at most 50 years ahead.
fn century(year: i32, now: i64) -> i32 {
    // The year of now, to a day or so: 31,556,952 seconds a year.
    let this_year = (1970 + now / 31_556_952).clamp(1970, 9999) as i32;
    let year = this_year - this_year.rem_euclid(100) + year;
    if year > this_year + 50 { year - 100 } else { year }
}

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
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
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
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
            ("1.5", None),
            ("", None),
            ("-", None),
            ("--5", None),
        ] {
            assert_eq!(secs(text), want, "{text:?}");
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
    fn two_digit_years_are_at_most_fifty_years_ahead() {
        assert_eq!(century(26, NOON), 2026);
        assert_eq!(century(76, NOON), 2076);
        assert_eq!(century(77, NOON), 1977);
        assert_eq!(century(94, NOON), 1994);
    }

    #[test]
    fn days_agree_with_a_count_of_every_day() {
        let mut days = 0;
        for year in 1970..2400 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    assert_eq!(days_since_1970(year, month, day), days);
                    days += 1;
                }
            }
        }
    }
}
