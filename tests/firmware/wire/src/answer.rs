//! What the target says of a case.

use redress::{Classification, Duration, ErrorClass};

/// The bytes of an answer, of whichever kind.
pub const ANSWER_BYTES: usize = 49;

/// Why a case cannot be run on this target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// It cannot be decoded.
    Garbled = 1,
    /// Policy, breaker or budget do not build; a breaker's thresholds or a budget's
    /// tokens may exceed the room on this target.
    Config = 2,
    /// The room for strategies is used up.
    Room = 3,
}

/// What the target says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// After a scenario, for each of the three drivers: the digest of everything so
    /// far, and that of what was observed after each call of this scenario.
    Ran([(u64, u64); 3]),
    /// The class of an error, with its hint.
    Class(Classification),
    /// The case was not run.
    Refused(Refusal),
}

impl Answer {
    /// As it is sent.
    pub fn to_bytes(&self) -> [u8; ANSWER_BYTES] {
        let mut bytes = [0; ANSWER_BYTES];
        match self {
            Self::Ran(drivers) => {
                let numbers = drivers.iter().flat_map(|&(digest, observed)| [digest, observed]);
                for (place, number) in bytes[1..].chunks_exact_mut(8).zip(numbers) {
                    place.copy_from_slice(&number.to_le_bytes());
                }
            }
            Self::Class(classification) => {
                bytes[0] = 0x80;
                bytes[1] = classification.class as u8;
                bytes[2] = u8::from(classification.retry_after.is_some());
                let hint = classification.retry_after.map_or(0, Duration::as_micros);
                bytes[3..11].copy_from_slice(&hint.to_le_bytes());
            }
            Self::Refused(why) => bytes[0] = *why as u8,
        }
        bytes
    }

    /// As it is received; `None` if it is none.
    pub fn from_bytes(bytes: &[u8; ANSWER_BYTES]) -> Option<Self> {
        let number = |at: usize| {
            let word = bytes.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_le_bytes(word))
        };
        Some(match bytes[0] {
            0 => Self::Ran([
                (number(1)?, number(9)?),
                (number(17)?, number(25)?),
                (number(33)?, number(41)?),
            ]),
            0x80 => {
                let class = *ErrorClass::ALL.get(usize::from(bytes[1]))?;
                let mut classification = Classification::new(class);
                if bytes[2] == 1 {
                    classification.retry_after = Some(Duration::from_micros(number(3)?));
                }
                Self::Class(classification)
            }
            1 => Self::Refused(Refusal::Garbled),
            2 => Self::Refused(Refusal::Config),
            3 => Self::Refused(Refusal::Room),
            _ => return None,
        })
    }
}
