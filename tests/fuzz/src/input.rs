//! Choices out of the bytes that a fuzzer has found.

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::arbitrary;
use redress::classify::ClassSet;
use redress::{Duration, ErrorClass};

use crate::us;

/// The last moment of any clock.
pub const LAST: u64 = u64::MAX - (1 << 33);

/// An input. When it is used up each choice is the first one.
pub struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next bytes, fewer than `most`, as an input of their own.
    pub fn part(&mut self, most: u64) -> Self {
        let length = (self.below(most) as usize).min(self.0.len());
        Self::new(self.0.bytes(length).unwrap_or_default())
    }

    pub fn any<T: Arbitrary<'a> + Default>(&mut self) -> T {
        self.0.arbitrary().unwrap_or_default()
    }

    /// One of `0..end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.int_in_range(0..=end.saturating_sub(1)).unwrap_or(0)
    }

    /// Whether one time in `n` has come; never when the input is used up.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == n - 1
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// Short spans as often as long ones, and the edges of what there is.
    pub fn micros(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => self.below(8),
            2 => self.below(1 << 8),
            3 => self.below(1 << 16),
            4 => self.below(1 << 24),
            5 => self.below(1 << 36),
            6 => u64::MAX - self.below(3),
            _ => self.any(),
        }
    }

    /// A moment on any clock; none comes nearer to the end of time, 584,000 years after its
    /// beginning, than two hours.
    pub fn moment(&mut self) -> u64 {
        self.micros().min(LAST)
    }

    pub fn span(&mut self) -> Duration {
        us(self.micros())
    }

    /// A deadline; one of 146,000 years and more is none.
    pub fn deadline(&mut self) -> Duration {
        let span = self.micros();
        if span < 1 << 62 { us(span) } else { Duration::MAX }
    }

    pub fn class(&mut self) -> ErrorClass {
        self.of(&ErrorClass::ALL)
    }

    pub fn classes(&mut self) -> ClassSet {
        let bits: u8 = self.any();
        let is_in = |class: &ErrorClass| bits & 1 << *class as u8 != 0;
        let classes = ErrorClass::ALL.into_iter().filter(is_in);
        classes.fold(ClassSet::EMPTY, ClassSet::with)
    }
}
