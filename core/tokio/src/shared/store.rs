//! Where shared state is kept: [`Store`], and the text that is stored.

use std::error::Error;
use std::fmt::Write as _;
use std::future::Future;

/// What a store has under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The version of the value; empty if there is none.
    pub version: String,
    /// The value, as it was written; empty if there is none.
    pub value: String,
    /// The time of the store, in microseconds since 1970: one clock for all processes.
    pub now_us: u64,
}

/// A store that processes share. It has no rule of a breaker or a budget: it reads a text, and
/// writes one if no other process has written meanwhile. An error counts as a store that cannot be
/// reached.
///
/// The text is `1`, the time in microseconds since 1970 to which the state belongs, by how many
/// microseconds the store's clock has stepped back so far, and the
/// [snapshot](redress::snapshot::Snapshot) in hexadecimal digits, with spaces between them. The npm
/// package reads and writes the same.
pub trait Store: Send + Sync + 'static {
    /// Why it cannot be reached.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// Reads the value of a key together with the time, at once.
    ///
    /// # Errors
    ///
    /// The store cannot be reached.
    fn read(&self, key: &str) -> impl Future<Output = Result<Stored, Self::Error>> + Send;

    /// Writes a value and its version `next`, if the version is `version` still; returns whether it
    /// did. The check and the write are one step for all other processes. True as well if the version
    /// is `next` already: a client may send a command twice.
    ///
    /// # Errors
    ///
    /// The store cannot be reached.
    fn write(
        &self,
        key: &str,
        version: &str,
        next: &str,
        value: &str,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

/// A state, and when it was so, in microseconds of the shared time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) us: u64,
    /// How far the time has stepped back so far.
    pub(super) stepped_back_us: u64,
    pub(super) data: Vec<u8>,
}

impl Moment {
    /// The value of a state.
    pub(super) fn to_value(&self) -> String {
        let mut value = format!("1 {} {} ", self.us, self.stepped_back_us);
        push_hex(&mut value, &self.data);
        value
    }

    /// The state in a value; `None` for what is none.
    pub(super) fn of_value(value: &str) -> Option<Self> {
        let mut words = value.split(' ');
        let (form, us, stepped_back, data) =
            (words.next()?, words.next()?, words.next()?, words.next()?);
        if form != "1" || words.next().is_some() {
            return None;
        }
        let (us, stepped_back_us) = (number(us)?, number(stepped_back)?);
        Some(Self { us, stepped_back_us, data: of_hex(data)? })
    }
}

/// Up to sixteen digits, which every number of JavaScript holds, too.
fn number(digits: &str) -> Option<u64> {
    let fits = digits.len() <= 16 && digits.bytes().all(|digit| digit.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

pub(super) fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

fn of_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written() {
        let moment =
            Moment { us: 1_800_000_000_000_001, stepped_back_us: 7, data: vec![0, 0xAB, 255] };
        assert_eq!(moment.to_value(), "1 1800000000000001 7 00abff");
        assert_eq!(Moment::of_value(&moment.to_value()), Some(moment));
    }

    #[test]
    fn what_is_no_value_is_no_state() {
        for value in [
            "",
            "1 2 3",
            "1 2 3 4",
            "1 2 3 ",
            "2 2 3 44",
            "1 2 3 4G",
            "1 +2 3 44",
            "1 2 3 44 5",
            "1  3 44",
            "1 12345678901234567 0 44",
        ] {
            assert_eq!(Moment::of_value(value), None, "{value}");
        }
    }
}
