//! SQLSTATE: the error codes of SQL databases, five characters each.

use crate::class::{Classification, ErrorClass};
use crate::classify::facts::Facts;
use crate::classify::rules;

/// The class of an SQLSTATE, or `None` for a state that does not determine a class. Letters are
/// capitals, as databases send them. A code of two characters in this table stands for all states
/// that begin with them; a code of five characters takes precedence.
///
/// | class | states |
/// | --- | --- |
/// | TRANSIENT | 08 (connection); 25P03, 25P04 and 57P05 (idle and transaction time-outs); 57014 (statement time-out, cancelled); 57P01, 57P02 and 57P03 (shutting down, starting up); HV00N (foreign server not reached); HYT00 and HYT01 |
/// | AUTH | 28 |
/// | PERMISSION | 42501 |
/// | CONCURRENCY | 25006 (read only: the primary has moved); 40000, 40001 and 40P01; 55006 and 55P03 (in use, locked); 72000 (snapshot too old) |
/// | `SERVER_ERROR` | 53 (resources), 58 (system), XX (internal) |
/// | PERMANENT | 0A, 20, 21, 22, 23, 24, 25, 26, 2B, 2D, 2F, 34, 38, 39, 3D, 3F, 42, 44, 54, 55 and P0; 40002; 57P04 (dropped); XX001 and XX002 (corrupted) |
///
/// Source: ISO/IEC 9075-2, section 24; appendix A of `PostgreSQL`; the ODBC reference's
/// appendix A; Oracle's 72000.
pub const fn sqlstate_code(state: &str) -> Option<ErrorClass> {
    Some(match state.as_bytes() {
        [b'0', b'8', ..]
        | b"25P03"
        | b"25P04"
        | b"57014"
        | b"57P01"
        | b"57P02"
        | b"57P03"
        | b"57P05"
        | b"HV00N"
        | b"HYT00"
        | b"HYT01" => ErrorClass::Transient,
        b"25006" | b"40000" | b"40001" | b"40P01" | b"55006" | b"55P03" | b"72000" => {
            ErrorClass::Concurrency
        }
        b"40002" | b"57P04" | b"XX001" | b"XX002" => ErrorClass::Permanent,
        b"42501" => ErrorClass::Permission,
        [b'2', b'8', ..] => ErrorClass::Auth,
        [b'5', b'3' | b'8', ..] | [b'X', b'X', ..] => ErrorClass::ServerError,
        [b'0', b'A', ..]
        | [b'2', b'0'..=b'6' | b'B' | b'D' | b'F', ..]
        | [b'3', b'4' | b'8' | b'9' | b'D' | b'F', ..]
        | [b'4', b'2' | b'4', ..]
        | [b'5', b'4' | b'5', ..]
        | [b'P', b'0', ..] => ErrorClass::Permanent,
        _ => return None,
    })
}

/// Classifies an error by its SQLSTATE, or by the first SQLSTATE in its message; UNKNOWN if the
/// table does not have it. An error without an SQLSTATE is classified by
/// [`default`](super::default).
///
/// In a message an SQLSTATE is a word of exactly five characters from 0-9 and A-Z with at least
/// one digit. Five digits could also be a plain number, so they count only in brackets,
/// parentheses or quotes, or after the word `SQLSTATE` or `state`. So neither `ERROR` nor
/// `28000 rows` is an SQLSTATE.
pub fn sqlstate(facts: &Facts<'_>) -> Classification {
    if !facts.sqlstate.is_empty() {
        return by_state(facts.sqlstate);
    }
    match words(facts.message).find(Word::is_state) {
        Some(word) => by_state(word.text),
        None => rules::default(facts),
    }
}

/// Classifies an error of an ODBC driver as [`sqlstate`] does, but in its message only a state in
/// square brackets counts (`[HYT00]`), and without a state the class is UNKNOWN.
pub fn odbc(facts: &Facts<'_>) -> Classification {
    if !facts.sqlstate.is_empty() {
        return by_state(facts.sqlstate);
    }
    let state = words(facts.message)
        .find(|word| word.has_form() && word.before == Some(b'[') && word.after == Some(b']'));
    state.map_or(ErrorClass::Unknown.into(), |word| by_state(word.text))
}

fn by_state(state: &str) -> Classification {
    sqlstate_code(state).unwrap_or(ErrorClass::Unknown).into()
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
