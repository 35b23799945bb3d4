//! The power goes at every byte of every write of a breaker, a budget and a suspended call: what
//! is found then is the state before the write or the one after it, in each byte.
#![cfg(feature = "storage")]

use std::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use embedded_storage::{ReadStorage, Storage};
use power_cut_state::{BYTES, restore, state};
use redress_embassy::durable::{
    Durable, Eeprom, Flash, LoadError, OVERHEAD, Record, SaveError, Slots,
};

const ROOM: usize = OVERHEAD + BYTES;

/// Of an EEPROM, and of a flash as well; a slot is at least `ROOM` long.
const SLOT: usize = 256;
/// What an EEPROM programs at once.
const PAGE: usize = 32;
/// What a flash programs at once.
const WORD: usize = 4;

/// What becomes of the byte at which the power goes.
#[derive(Clone, Copy, Debug)]
enum Torn {
    /// These of its bits have changed already: from none of them to all.
    Bits(u8),
    /// Any of its bits have.
    Any,
    /// So it is with each byte that is programmed together with it.
    Together,
}

const TORN: [Torn; 8] = [
    Torn::Bits(0x00),
    Torn::Bits(0xFF),
    Torn::Bits(0x0F),
    Torn::Bits(0x80),
    Torn::Any,
    Torn::Any,
    Torn::Together,
    Torn::Together,
];

/// A chip whose power goes after so many bytes.
#[derive(Clone, Debug)]
struct Chip {
    bytes: [u8; 2 * SLOT],
    left: Option<usize>,
    torn: Torn,
    random: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoPower;

impl Chip {
    fn new(filled: u8, seed: u32) -> Self {
        Self { bytes: [filled; 2 * SLOT], left: None, torn: Torn::Any, random: seed }
    }

    /// Turns the bytes from `at` on into these, one after the other; `together` of them lie in
    /// one unit.
    fn change(&mut self, at: usize, new: &[u8], together: usize) -> Result<(), NoPower> {
        let before = self.bytes;
        for (place, &byte) in (at..).zip(new) {
            match &mut self.left {
                Some(0) => {
                    let unit = place / together * together;
                    let touched = unit.max(at)..(unit + together).min(at + new.len());
                    self.tear(&before, place, touched, |place| new[place - at]);
                    return Err(NoPower);
                }
                Some(left) => *left -= 1,
                None => {}
            }
            self.bytes[place] = byte;
        }
        Ok(())
    }

    fn tear(&mut self, before: &[u8], place: usize, unit: Range<usize>, new: impl Fn(usize) -> u8) {
        let torn = if matches!(self.torn, Torn::Together) { unit } else { place..place + 1 };
        for place in torn {
            let changed = match self.torn {
                Torn::Bits(bits) => bits,
                Torn::Any | Torn::Together => self.draw(),
            };
            self.bytes[place] = before[place] & !changed | new(place) & changed;
        }
    }

    fn draw(&mut self) -> u8 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 24) as u8
    }
}

impl ReadStorage for &mut Chip {
    type Error = NoPower;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NoPower> {
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl Storage for &mut Chip {
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NoPower> {
        self.change(offset as usize, bytes, PAGE)
    }
}

impl NorFlashError for NoPower {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl ErrorType for Chip {
    type Error = NoPower;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NoPower> {
        let mut this = self;
        ReadStorage::read(&mut this, offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SLOT;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NoPower> {
        self.change(from as usize, &[0xFF; SLOT][..(to - from) as usize], SLOT)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NoPower> {
        assert!(offset.is_multiple_of(WORD as u32) && bytes.len().is_multiple_of(WORD));
        // It clears bits; only erasing sets them.
        let old = &self.bytes[offset as usize..];
        let new: Vec<u8> = old.iter().zip(bytes).map(|(old, new)| old & new).collect();
        self.change(offset as usize, &new, WORD)
    }
}

/// One kind of storage on a chip.
trait Kind {
    /// How many bytes a save changes, at most.
    const STEPS: usize;

    fn on(chip: &mut Chip) -> impl Slots<Error = NoPower>;
}

struct OnEeprom;

impl Kind for OnEeprom {
    const STEPS: usize = ROOM;

    fn on(chip: &mut Chip) -> impl Slots<Error = NoPower> {
        Eeprom::with_distance(chip, 0, SLOT as u32)
    }
}

struct OnFlash;

impl Kind for OnFlash {
    // All of the block is erased, then whole words are written.
    const STEPS: usize = SLOT + ROOM.next_multiple_of(16);

    fn on(chip: &mut Chip) -> impl Slots<Error = NoPower> {
        Flash::<&mut Chip>::new(chip, 0)
    }
}

fn save<K: Kind>(chip: &mut Chip, number: u32) -> Result<(), SaveError<NoPower>> {
    let mut record = Record::<ROOM>::new();
    record.put_bytes(&state(number).expect("it has room")).expect("it has room");
    Durable::new(K::on(chip), 1).save(&record)
}

/// The number of the state that a node finds, all of which must be that state's.
fn found<K: Kind>(chip: &mut Chip) -> Option<u32> {
    let mut record = Record::<ROOM>::new();
    let mut durable = Durable::new(K::on(chip), 1);
    let mut fields = match durable.load(&mut record) {
        Ok(fields) => fields,
        Err(LoadError::Empty) => return None,
        Err(why) => panic!("{why}"),
    };
    let bytes = fields.take_bytes().expect("it is as long");
    let number = restore(&bytes).expect("breaker, budget and call are taken over").number();
    assert_eq!(Ok(bytes), state(number), "a third state");
    Some(number)
}

fn every_cut_of_every_write<K: Kind>() {
    // Slots as from the factory, as they were never meant to be, and with one and more states.
    for (filled, saved) in [(0xFF, 0), (0x00, 0), (0xFF, 1), (0xFF, 2), (0x5A, 3), (0xFF, 4)] {
        let mut whole = Chip::new(filled, 0);
        for number in 0..saved {
            save::<K>(&mut whole, number).expect("the power is on");
        }
        let (old, new) = (saved.checked_sub(1), saved + 7);
        for (nth, torn) in TORN.into_iter().enumerate() {
            let (mut left_old, mut left_new, mut told) = (0, 0, 0);
            for cut in 0..=K::STEPS {
                let seed = (nth * 1_000 + cut) as u32;
                let mut chip = Chip { left: Some(cut), torn, random: seed, ..whole.clone() };
                let written = save::<K>(&mut chip, new);
                chip.left = None;
                let number = found::<K>(&mut chip);
                let place = format!("{torn:?} after byte {cut} on {saved} states");
                if number == Some(new) {
                    left_new += 1;
                } else {
                    assert_eq!(number, old, "{place}");
                    assert_eq!(written, Err(SaveError::Storage(NoPower)), "{place}");
                    left_old += 1;
                }
                told += usize::from(written.is_ok());
                // And it goes on from there.
                save::<K>(&mut chip, new + 1).expect("the power is on");
                assert_eq!(found::<K>(&mut chip), Some(new + 1), "{place}");
            }
            // Only the last byte and what is written after it may already hold the new state.
            assert!(left_old >= K::STEPS - 20, "{left_old} old");
            assert!(left_new >= 1 && told >= 1, "{left_new} new, {told} told");
        }
    }
}

#[test]
fn a_cut_at_any_byte_on_an_eeprom_leaves_the_old_state_or_the_new_one() {
    every_cut_of_every_write::<OnEeprom>();
}

#[test]
fn a_cut_at_any_byte_that_a_flash_erases_or_writes_leaves_the_old_state_or_the_new_one() {
    every_cut_of_every_write::<OnFlash>();
}

/// Nothing is saved in between: each cut falls on what the one before has left.
fn cuts_in_a_row<K: Kind>() {
    let mut chip = Chip::new(0, 5);
    save::<K>(&mut chip, 1).expect("the power is on");
    for torn in TORN {
        for cut in (0..K::STEPS - 20).step_by(7) {
            (chip.left, chip.torn) = (Some(cut), torn);
            let lost = save::<K>(&mut chip, 2);
            assert_eq!(lost, Err(SaveError::Storage(NoPower)));
            chip.left = None;
            assert_eq!(found::<K>(&mut chip), Some(1), "{torn:?} after byte {cut}");
        }
    }
    save::<K>(&mut chip, 3).expect("the power is on");
    assert_eq!(found::<K>(&mut chip), Some(3));
}

#[test]
fn cuts_in_a_row_still_leave_the_last_whole_state() {
    cuts_in_a_row::<OnEeprom>();
    cuts_in_a_row::<OnFlash>();
}
