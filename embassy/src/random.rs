//! Randomness for jitter: adapters for generators of any `rand_core`, and a [`Seed`] for
//! chips without a generator.
//!
//! | what there is | what to pass as `random` |
//! | --- | --- |
//! | a generator of `rand_core` 0.10 | itself |
//! | a HAL's generator of `rand_core` 0.9 | `RandCore09(rng)`, feature `rand-core-09` |
//! | a HAL's generator of `rand_core` 0.6 | `RandCore06(rng)`, feature `rand-core-06` |
//! | a register | [`from_fn(|| register.read())`](redress::random::from_fn) |
//! | neither | a small generator of software, seeded by [`Seed`] |
//!
//! A generator of hardware that fails gives no number: the call then stops with the
//! reason `NO_STRATEGY` instead of retrying without jitter.
//!
//! # Why a constant seed is refused
//!
//! Jitter keeps a fleet from retrying in step. Nodes that lose power together start
//! together; with one seed in all of them they draw the same numbers, and every retry of
//! every node falls on the same microsecond as without jitter. So there is no default
//! seed, and [`Seed`] is made of what differs: between nodes (the number of the chip) and
//! between starts (a counter, or noise).
//!
//! ```
//! # fn chip_id() -> [u8; 12] { *b"0123456789ab" }
//! # fn adc_noise() -> u32 { 3 }
//! use redress_embassy::random::Seed;
//!
//! // The 96-bit number of the chip, the count of starts out of the durable state, and
//! // the lowest bits of a floating ADC channel.
//! let starts = 17;
//! let mut seed = Seed::new(&chip_id(), starts);
//! for _ in 0..16 {
//!     seed = seed.noise(adc_noise());
//! }
//! let number: u64 = seed.finish(); // seed_from_u64(number) of any generator
//! ```

#[cfg(any(feature = "rand-core-06", feature = "rand-core-09"))]
use redress::random::Draw;

/// A generator of `rand_core` 0.6.
#[cfg(feature = "rand-core-06")]
#[derive(Clone, Copy, Debug)]
pub struct RandCore06<R>(
    /// The generator.
    pub R,
);

#[cfg(feature = "rand-core-06")]
impl<R: rand_core_06::RngCore> Draw for RandCore06<R> {
    fn draw(&mut self) -> Option<u32> {
        let mut bytes = [0; 4];
        self.0.try_fill_bytes(&mut bytes).ok()?;
        Some(u32::from_le_bytes(bytes))
    }
}

/// A generator of `rand_core` 0.9.
#[cfg(feature = "rand-core-09")]
#[derive(Clone, Copy, Debug)]
pub struct RandCore09<R>(
    /// The generator.
    pub R,
);

#[cfg(feature = "rand-core-09")]
impl<R: rand_core_09::TryRngCore> Draw for RandCore09<R> {
    fn draw(&mut self) -> Option<u32> {
        self.0.try_next_u32().ok()
    }
}

/// A seed out of what tells this node, and this start of it, from all others.
///
/// The bytes go through FNV-1a and the mixing of `SplitMix64`, so that neighbours in number
/// or in time are far apart. It is no key: who knows the ingredients knows the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Seed(u64);

impl Seed {
    /// `node` is a number that no other node has (of the chip, or a MAC address); `starts`
    /// is one that no other start of this node has: a counter that is kept, or 0 if
    /// [`noise`](Self::noise) follows.
    pub fn new(node: &[u8], starts: u32) -> Self {
        Self(0xcbf2_9ce4_8422_2325).bytes(node).noise(starts)
    }

    /// A sample of something that cannot be repeated, as often as there are samples.
    pub fn noise(self, sample: u32) -> Self {
        self.bytes(&sample.to_le_bytes())
    }

    /// The seed.
    pub fn finish(self) -> u64 {
        // The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
        // number generators, 2014).
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Self(bytes.iter().fold(self.0, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_number_start_and_noise_have_seeds_that_are_far_apart() {
        let base = Seed::new(b"node 1", 1).noise(5).finish();
        for other in [
            Seed::new(b"node 2", 1).noise(5),
            Seed::new(b"node 1", 2).noise(5),
            Seed::new(b"node 1", 1).noise(4),
            Seed::new(b"node 1", 1),
        ] {
            let bits = (base ^ other.finish()).count_ones();
            assert!((16..=48).contains(&bits), "{bits} bits differ");
        }
    }

    #[cfg(feature = "rand-core-06")]
    #[test]
    fn an_older_generator_draws_what_it_generates_and_nothing_when_it_fails() {
        struct Broken;
        impl rand_core_06::RngCore for Broken {
            fn next_u32(&mut self) -> u32 {
                unreachable!("only the fallible way is asked")
            }
            fn next_u64(&mut self) -> u64 {
                unreachable!("only the fallible way is asked")
            }
            fn fill_bytes(&mut self, _: &mut [u8]) {
                unreachable!("only the fallible way is asked")
            }
            fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), rand_core_06::Error> {
                Err(core::num::NonZeroU32::MIN.into())
            }
        }
        let mut counted = RandCore06(Counter(6));
        assert_eq!((counted.draw(), counted.draw()), (Some(7), Some(8)));
        assert_eq!(RandCore06(Broken).draw(), None);
    }

    #[cfg(feature = "rand-core-06")]
    struct Counter(u32);

    #[cfg(feature = "rand-core-06")]
    impl rand_core_06::RngCore for Counter {
        fn next_u32(&mut self) -> u32 {
            self.0 += 1;
            self.0
        }
        fn next_u64(&mut self) -> u64 {
            u64::from(self.next_u32())
        }
        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            rand_core_06::impls::fill_bytes_via_next(self, bytes);
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
            let number = self.next_u32().to_le_bytes();
            bytes.copy_from_slice(&number);
            Ok(())
        }
    }

    #[cfg(feature = "rand-core-09")]
    #[test]
    fn a_generator_of_0_9_draws_what_it_generates_and_nothing_when_it_fails() {
        struct Tired(u32);
        impl rand_core_09::TryRngCore for Tired {
            type Error = core::fmt::Error;
            fn try_next_u32(&mut self) -> Result<u32, core::fmt::Error> {
                self.0 = self.0.checked_sub(1).ok_or(core::fmt::Error)?;
                Ok(self.0)
            }
            fn try_next_u64(&mut self) -> Result<u64, core::fmt::Error> {
                self.try_next_u32().map(u64::from)
            }
            fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), core::fmt::Error> {
                Err(core::fmt::Error)
            }
        }
        let mut tired = RandCore09(Tired(2));
        assert_eq!([tired.draw(), tired.draw(), tired.draw()], [Some(1), Some(0), None]);
    }
}
