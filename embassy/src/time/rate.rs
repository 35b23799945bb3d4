//! Ticks of a clock to microseconds and back.

/// Microseconds in a second.
pub(super) const MICROS: u64 = 1_000_000;

/// A clock of `HZ` ticks in a second.
pub(super) struct Rate<const HZ: u64>;

impl<const HZ: u64> Rate<HZ> {
    /// Ticks and microseconds of the shortest span that is whole in both: 512 ticks are
    /// 15,625 us at 32,768 Hz.
    const SHORTEST: (u32, u32) = {
        let divisor = common_divisor(HZ, MICROS);
        let (ticks, micros) = (HZ / divisor, MICROS / divisor);
        assert!(
            fits(ticks, micros) && fits(micros, ticks),
            "a rate that embassy-time does not have"
        );
        (ticks as u32, micros as u32)
    };

    /// Rounded down; at most `u64::MAX`.
    #[inline]
    pub(super) const fn micros(ticks: u64) -> u64 {
        let (whole, part) = divided(ticks, Self::SHORTEST.0);
        let part = part * Self::SHORTEST.1 / Self::SHORTEST.0;
        whole.saturating_mul(Self::SHORTEST.1 as u64).saturating_add(part as u64)
    }

    /// Rounded up; at most `u64::MAX`, a tick that never comes.
    #[inline]
    pub(super) const fn ticks(micros: u64) -> u64 {
        let (whole, part) = divided(micros, Self::SHORTEST.1);
        let part = (part * Self::SHORTEST.0).div_ceil(Self::SHORTEST.1);
        whole.saturating_mul(Self::SHORTEST.0 as u64).saturating_add(part as u64)
    }
}

const fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Whether [`divided`] can divide by `divisor`, and whether a remainder of it times `factor` fits
/// 32 bits.
const fn fits(divisor: u64, factor: u64) -> bool {
    (divisor.is_power_of_two() || divisor <= 1 << 24) && (divisor - 1) * factor <= u32::MAX as u64
}

/// Quotient and remainder: a shift where `divisor` is a power of two, else a long division in
/// digits of 16 bits, or of 8 for a divisor that needs more than 16. One of 64 bits would bring
/// its routine into the image, which is larger than all of this and takes longer.
#[inline]
const fn divided(value: u64, divisor: u32) -> (u64, u32) {
    if divisor.is_power_of_two() {
        return (value >> divisor.trailing_zeros(), value as u32 & (divisor - 1));
    }
    let bits = if divisor <= 1 << 16 { 16 } else { 8 };
    let (mut quotient, mut remainder, mut shift) = (0, 0, u64::BITS);
    while shift > 0 {
        shift -= bits;
        let digits = (remainder << bits) | ((value >> shift) as u32 & ((1 << bits) - 1));
        quotient = (quotient << bits) | (digits / divisor) as u64;
        remainder = digits % divisor;
    }
    (quotient, remainder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values at which a conversion may go wrong.
    const VALUES: [u64; 18] = [
        0,
        1,
        30,
        31,
        511,
        512,
        15_624,
        15_625,
        15_626,
        65_535,
        65_536,
        999_999,
        1_000_000,
        1_000_001,
        86_400_000_000,
        1 << 50,
        u64::MAX - 1,
        u64::MAX,
    ];

    /// Panics if a conversion at `HZ` differs from the same in 128 bits. The ratio is checked where the
    /// test is compiled.
    fn check<const HZ: u64>() {
        let (hz, micros) = (u128::from(HZ), u128::from(MICROS));
        for value in VALUES {
            let exact = u128::from(value);
            let down = (exact * micros / hz).min(u128::from(u64::MAX));
            assert_eq!(u128::from(Rate::<HZ>::micros(value)), down, "{value} ticks at {HZ} Hz");
            let up = (exact * hz).div_ceil(micros).min(u128::from(u64::MAX));
            assert_eq!(u128::from(Rate::<HZ>::ticks(value)), up, "{value} us at {HZ} Hz");
        }
    }

    macro_rules! check_all {
        ($($hz:literal)*) => {{
            $(check::<$hz>();)*
            [$($hz as u64,)*].len()
        }};
    }

    /// Those of embassy-time-driver 0.2.2.
    #[test]
    fn at_every_rate_of_embassy_time_conversions_are_exact_or_saturate() {
        let rates = check_all!(
            1 2 4 8 10 16 32 64 100 128 256 512 1_000 1_024 2_000 2_048 4_000 4_096 8_000
            8_192 10_000 16_000 16_384 20_000 32_000 32_768 40_000 64_000 65_536 80_000
            100_000 128_000 131_072 160_000 256_000 262_144 320_000 375_000 512_000 524_288
            640_000 1_000_000 1_024_000 1_048_576 1_280_000 2_000_000 2_048_000 2_097_152
            2_560_000 3_000_000 4_000_000 4_096_000 4_194_304 5_120_000 6_000_000 8_000_000
            8_192_000 8_388_608 9_000_000 10_000_000 10_240_000 12_000_000 16_000_000
            16_384_000 16_777_216 18_000_000 20_000_000 20_480_000 24_000_000 30_000_000
            32_000_000 32_768_000 36_000_000 40_000_000 40_960_000 48_000_000 50_000_000
            60_000_000 64_000_000 65_536_000 70_000_000 72_000_000 80_000_000 81_920_000
            90_000_000 96_000_000 100_000_000 110_000_000 120_000_000 128_000_000
            130_000_000 131_072_000 133_000_000 140_000_000 144_000_000 150_000_000
            160_000_000 163_840_000 170_000_000 180_000_000 190_000_000 192_000_000
            200_000_000 210_000_000 220_000_000 230_000_000 240_000_000 250_000_000
            256_000_000 260_000_000 262_144_000 270_000_000 280_000_000 288_000_000
            290_000_000 300_000_000 320_000_000 327_680_000 340_000_000 360_000_000
            380_000_000 384_000_000 400_000_000 420_000_000 440_000_000 460_000_000
            480_000_000 500_000_000 512_000_000 520_000_000 524_288_000 540_000_000
            560_000_000 576_000_000 580_000_000 600_000_000 620_000_000 640_000_000
            655_360_000 660_000_000 680_000_000 700_000_000 720_000_000 740_000_000
            760_000_000 768_000_000 780_000_000 800_000_000 820_000_000 840_000_000
            860_000_000 880_000_000 900_000_000 920_000_000 940_000_000 960_000_000
            980_000_000 1_000_000_000 1_310_720_000 2_621_440_000 5_242_880_000
        );
        assert_eq!(rates, 161);
    }
}
