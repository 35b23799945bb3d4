//! What a call holds of its breaker ([`Permit`]), and how the two part
//! ([`CallResult`], [`CircuitOpen`]).

use core::num::NonZeroU32;

use crate::{CircuitState, Duration, ErrorClass, Instant};

/// The right to make one call, given by [`Breaker::admit`](crate::Breaker::admit) and handed back with
/// the result.
///
/// A small `Copy` value: it borrows nothing. A result whose period is over (the
/// breaker has changed since, or the lease has ended) changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a permit that is not settled keeps its place until its lease ends"]
pub struct Permit {
    /// When the lease of a probe ends: tells two holders of a slot apart.
    pub(crate) lease: Instant,
    // Whole words, one of them never zero: no odd bytes are copied, and an `Option` of a
    // permit is no larger than a permit.
    generation: u32,
    /// The place of a probe, from 1; [`Permit::CLOSED`] for none.
    place: NonZeroU32,
}

impl Permit {
    const CLOSED: NonZeroU32 = NonZeroU32::MAX;
    /// What stands for no slot in a snapshot.
    pub(crate) const NO_SLOT: u8 = u8::MAX;

    /// The permit of a call that a closed breaker admitted.
    #[inline]
    pub(crate) const fn closed(generation: u16) -> Self {
        Self { lease: Instant::ZERO, generation: generation as u32, place: Self::CLOSED }
    }

    /// The permit of a probe.
    #[inline]
    pub(crate) const fn probe(lease: Instant, generation: u16, slot: u8) -> Self {
        let place = NonZeroU32::MIN.saturating_add(slot as u32);
        Self { lease, generation: generation as u32, place }
    }

    /// Whether it is one of the few that half-open lets through.
    #[inline]
    pub const fn is_probe(&self) -> bool {
        self.place.get() != Self::CLOSED.get()
    }

    /// Whether it is of this period of the breaker.
    #[inline]
    pub(crate) const fn is_of(&self, generation: u16) -> bool {
        self.generation == generation as u32
    }

    /// The period of the breaker that it is of.
    pub(crate) const fn generation(&self) -> u16 {
        self.generation as u16
    }

    /// The place of a probe, from 0; [`Permit::NO_SLOT`] for none.
    #[inline]
    pub(crate) const fn slot(&self) -> u8 {
        if self.is_probe() { (self.place.get() - 1) as u8 } else { Self::NO_SLOT }
    }
}

/// The call was rejected: the breaker is open, or half-open and probing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CircuitOpen {
    /// Open or half-open.
    pub state: CircuitState,
    /// How long until a probe may be let through: the rest of the recovery time,
    /// or of the lease that ends first; [`Duration::MAX`] while isolated.
    pub retry_after: Duration,
}

impl core::fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "circuit is {}, next probe in {}", self.state.as_str(), self.retry_after)
    }
}

impl core::error::Error for CircuitOpen {}

/// How a call ended, for its breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CallResult {
    /// It succeeded.
    Success,
    /// It failed; the class is that of the latest failure.
    Failure(ErrorClass),
    /// It was given up: nothing was learned.
    Cancelled,
}

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Admitted {
    /// To be settled with the result of the call.
    pub permit: Permit,
    /// Whether the breaker has just become half-open with it.
    pub half_opened: bool,
}
