//! SQLSTATE: the five characters by which databases tell what went wrong.

use crate::classify::facts::Facts;
use crate::classify::rules;
use crate::{Classification, ErrorClass};

/// The class of an SQLSTATE: 40001 and 40P01 CONCURRENCY; HYT00, HYT01 and all of
/// class 08 TRANSIENT; all of class 28 AUTH; 42000 and 42P01 PERMANENT; any other
/// UNKNOWN. Letters are capitals, as databases give them.
///
/// Source: ISO/IEC 9075-2, section 24; appendix A of `PostgreSQL`; the ODBC reference's
/// appendix A.
pub fn sqlstate_code(state: &str) -> ErrorClass {
    match state.as_bytes() {
        b"40001" | b"40P01" => ErrorClass::Concurrency,
        b"HYT00" | b"HYT01" | [b'0', b'8', ..] => ErrorClass::Transient,
        [b'2', b'8', ..] => ErrorClass::Auth,
        b"42000" | b"42P01" => ErrorClass::Permanent,
        _ => ErrorClass::Unknown,
    }
}

/// An error by its SQLSTATE, or by the first one in its message; without any, as
/// [`default`](super::default).
///
/// In a message an SQLSTATE is a word of exactly five characters out of 0-9 and A-Z
/// with a digit in it. One of digits alone could as well be a number, so it counts
/// only in brackets, parentheses or quotes, or after the word `SQLSTATE` or `state`:
/// neither `ERROR` nor `28000 rows` is one.
pub fn sqlstate(facts: &Facts<'_>) -> Classification {
    if !facts.sqlstate.is_empty() {
        return sqlstate_code(facts.sqlstate).into();
    }
    match words(facts.message).find(Word::is_state) {
        Some(word) => sqlstate_code(word.text).into(),
        None => rules::default(facts),
    }
}

/// An error of an ODBC driver: as [`sqlstate`], but in its message only a state in
/// square brackets counts (`[HYT00]`), and without one the class is UNKNOWN.
pub fn odbc(facts: &Facts<'_>) -> Classification {
    if !facts.sqlstate.is_empty() {
        return sqlstate_code(facts.sqlstate).into();
    }
    let state = words(facts.message)
        .find(|word| word.has_form() && word.before == Some(b'[') && word.after == Some(b']'));
    state.map_or(ErrorClass::Unknown, |word| sqlstate_code(word.text)).into()
}

/// A word of a message, with what stands around it.
struct Word<'m> {
    text: &'m str,
    previous: &'m str,
    before: Option<u8>,
    after: Option<u8>,
}

impl Word<'_> {
    fn has_form(&self) -> bool {
        self.text.len() == 5
            && self.text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    }

    fn is_state(&self) -> bool {
        if !self.has_form() || !self.text.bytes().any(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let enclosed = matches!(
            (self.before, self.after),
            (Some(b'['), Some(b']'))
                | (Some(b'('), Some(b')'))
                | (Some(b'\''), Some(b'\''))
                | (Some(b'"'), Some(b'"'))
        );
        enclosed
            || self.previous.eq_ignore_ascii_case("sqlstate")
            || self.previous.eq_ignore_ascii_case("state")
            || self.text.bytes().any(|byte| byte.is_ascii_uppercase())
    }
}

/// The words of a message, as regular expressions see them: letters, digits and
/// underscores of any script.
fn words(message: &str) -> impl Iterator<Item = Word<'_>> {
    let mut previous = "";
    let mut rest = 0;
    core::iter::from_fn(move || {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let tail = message.get(rest..)?;
        let start = rest + tail.find(is_word)?;
        let tail = message.get(start..)?;
        let end = start + tail.find(|c| !is_word(c)).unwrap_or(tail.len());
        rest = end;
        let text = message.get(start..end)?;
        let bytes = message.as_bytes();
        let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let word = Word { text, previous, before, after: bytes.get(end).copied() };
        previous = text;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> ErrorClass {
        sqlstate(&Facts { message, ..Facts::NONE }).class
    }

    #[test]
    fn a_word_like_error_and_a_bare_number_are_no_sqlstate() {
        for (message, class) in [
            ("ERROR: deadlock detected [40001]", ErrorClass::Concurrency),
            ("ERROR: deadlock detected (SQLSTATE 40P01)", ErrorClass::Concurrency),
            ("TABLE orders is locked, state 40001", ErrorClass::Concurrency),
            ("deadlock 40P01", ErrorClass::Concurrency),
            ("28000 rows affected", ErrorClass::Unknown),
            ("08123 Zwickau", ErrorClass::Unknown),
            ("line 42000: syntax", ErrorClass::Unknown),
            ("[400011] long", ErrorClass::Unknown),
            ("äöü[08S01]€", ErrorClass::Transient),
            ("", ErrorClass::Unknown),
        ] {
            assert_eq!(of(message), class, "{message}");
        }
    }

    #[test]
    fn odbc_wants_brackets() {
        let of = |message| odbc(&Facts { message, name: "TimeoutError", ..Facts::NONE }).class;
        assert_eq!(of("SQLSTATE[40001]: serialization failure"), ErrorClass::Concurrency);
        assert_eq!(of("state 40P01"), ErrorClass::Unknown);
    }
}
