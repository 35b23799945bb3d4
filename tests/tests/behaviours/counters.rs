//! Clocks out of counters, whose bits above those that count are anything.

use std::cell::Cell;

use redress::Clock;
use redress::time::Widened;

/// What a clock shows after each of these readings of its counter.
fn shown<const N: usize>(
    made: impl for<'c> Fn(&'c Cell<u32>) -> Box<dyn Clock + 'c>,
    readings: [u32; N],
) -> [u64; N] {
    let counter = Cell::new(0);
    let clock = made(&counter);
    readings.map(|reading| {
        counter.set(reading);
        clock.now().as_micros()
    })
}

#[test]
fn a_counter_counts_by_as_many_bits_as_it_has() {
    for (bits, readings, want) in [
        (24, [0xFF_FFFE, 0xAB00_0001, 0x0100_0001], [0xFF_FFFE, 0x100_0001, 0x100_0001]),
        (31, [0x7FFF_FFFF, 0x8000_0001, 1], [0x7FFF_FFFF, 0x8000_0001, 0x8000_0001]),
        (32, [0xFFFF_FFFF, 1, 2], [0xFFFF_FFFF, 0x1_0000_0001, 0x1_0000_0002]),
        (99, [0xFFFF_FFFF, 1, 2], [0xFFFF_FFFF, 0x1_0000_0001, 0x1_0000_0002]),
        (1, [1, 2, 3], [1, 2, 3]),
        (0, [1, 2, 3], [1, 2, 3]),
        (2, [3, 4, 9], [3, 4, 5]),
    ] {
        let found = shown(|counter| made_of(counter, bits), readings);
        assert_eq!(found, want, "{bits}");
    }
}

fn made_of(counter: &Cell<u32>, bits: u32) -> Box<dyn Clock + '_> {
    Box::new(Widened::new(move || counter.get(), 1).bits(bits))
}

fn shifted(counter: &Cell<u32>, shift: u32) -> Box<dyn Clock + '_> {
    Box::new(Widened::new(move || counter.get(), u32::MAX).shifted(shift))
}

#[test]
fn a_tick_is_at_least_so_small_a_part_of_a_microsecond() {
    // A shift of 31 is the greatest: more count as that.
    for (shift, want) in [(0, [0xFFFF_FFFF, 0x1_FFFF_FFFE]), (30, [3, 7]), (31, [1, 3])] {
        assert_eq!(shown(|counter| shifted(counter, shift), [1, 2]), want, "{shift}");
    }
    for more in [32, 33, 64, u32::MAX] {
        assert_eq!(shown(|counter| shifted(counter, more), [1, 2]), [1, 3], "{more}");
    }
}
