//! State over a reset: whatever happens to a write, the state is the one before it or the
//! one after it.
#![cfg(feature = "storage")]

use std::cell::RefCell;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use embedded_storage::{ReadStorage, Storage};
use redress::{
    Breaker, BreakerConfig, CallResult, CircuitState, Duration, ErrorClass, FailureRule,
    FailureTimes, Instant, Restored, Snapshot, SnapshotError, checked,
};
use redress_embassy::durable::{
    Durable, Eeprom, Flash, LoadError, OVERHEAD, Record, SaveError, Slots,
};

type Circuit = Breaker<FailureTimes<3>>;

const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(2, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(30));
const OTHER: BreakerConfig<FailureRule> =
    BreakerConfig::failures(2, Duration::from_secs(61)).recovery_timeout(Duration::from_secs(30));

const LAYOUT: u16 = 7;
const ROOM: usize = OVERHEAD + Circuit::BYTES + 4;

/// What a power cut or wear does to the byte at which it happens.
#[derive(Clone, Copy, Debug)]
enum Torn {
    /// It is as before.
    Old,
    /// Half of its bits are new.
    Mixed,
    /// It is erased, as an EEPROM's page is before it is written.
    Erased,
}

/// An EEPROM whose power is cut after so many bytes.
#[derive(Clone, Debug)]
struct Chip {
    bytes: [u8; 512],
    left: Option<usize>,
    torn: Torn,
    silent: bool,
}

impl Chip {
    fn filled(byte: u8) -> Self {
        Self { bytes: [byte; 512], left: None, torn: Torn::Old, silent: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoPower;

impl ReadStorage for &mut Chip {
    type Error = NoPower;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NoPower> {
        if self.silent {
            return Err(NoPower);
        }
        let from = self.bytes.get(offset as usize..).ok_or(NoPower)?;
        bytes.copy_from_slice(from.get(..bytes.len()).ok_or(NoPower)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl Storage for &mut Chip {
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NoPower> {
        for (place, &byte) in self.bytes.iter_mut().skip(offset as usize).zip(bytes) {
            match &mut self.left {
                Some(0) => {
                    *place = match self.torn {
                        Torn::Old => *place,
                        Torn::Mixed => *place & 0x0F | byte & 0xF0,
                        Torn::Erased => 0xFF,
                    };
                    return Err(NoPower);
                }
                Some(left) => *left -= 1,
                None => {}
            }
            *place = byte;
        }
        Ok(())
    }
}

fn at(secs: u64) -> Instant {
    Instant::ZERO.saturating_add(Duration::from_secs(secs))
}

fn fresh() -> RefCell<Circuit> {
    RefCell::new(checked!(Circuit::new(&RULE)))
}

/// A breaker with that many failures: two open it.
fn failed(times: u8) -> RefCell<Circuit> {
    let breaker = fresh();
    for _ in 0..times {
        let permit = breaker.borrow_mut().admit(at(1)).expect("it is closed").permit;
        let failure = CallResult::Failure(ErrorClass::Transient);
        breaker.borrow_mut().settle(permit, failure, at(1));
    }
    breaker
}

fn record(breaker: &RefCell<Circuit>, count: u32) -> Record<ROOM> {
    let mut record = Record::new();
    record.put(breaker, at(1)).unwrap();
    record.put_bytes(&count.to_le_bytes()).unwrap();
    record
}

/// The count of the state that a node finds after a reset, and its breaker's state.
fn found<S: Slots<Error: std::fmt::Debug>>(slots: S) -> Option<(u32, CircuitState)> {
    let breaker = fresh();
    let mut record = Record::<ROOM>::new();
    let mut durable = Durable::new(slots, LAYOUT);
    let mut fields = match durable.load(&mut record) {
        Ok(fields) => fields,
        Err(LoadError::Empty) => return None,
        Err(why) => panic!("{why}"),
    };
    assert_eq!(fields.take(&breaker, at(0), None), Ok(Restored::TimeStoodStill));
    let count = u32::from_le_bytes(fields.take_bytes().unwrap());
    let state = breaker.borrow().state();
    Some((count, state))
}

#[test]
fn a_power_cut_after_any_byte_of_any_write_leaves_the_old_or_the_new_state() {
    for torn in [Torn::Old, Torn::Mixed, Torn::Erased] {
        for saved in 0..4_u32 {
            let (mut old, mut new) = (0, 0);
            // Every byte of a slot, and one more: the write that is not cut.
            for cut in 0..=ROOM {
                let mut chip = Chip::filled(0xFF);
                let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
                for count in 0..saved {
                    durable.save(&record(&failed(0), count)).unwrap();
                }
                (chip.left, chip.torn) = (Some(cut), torn);
                let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
                let written = durable.save(&record(&failed(2), 99));
                chip.left = None;
                let before = saved.checked_sub(1).map(|count| (count, CircuitState::Closed));
                let after = Some((99, CircuitState::Open));
                match found(Eeprom::new(&mut chip, 0)) {
                    state if state == after => new += 1,
                    state => {
                        assert_eq!(state, before, "{torn:?}, cut after byte {cut}");
                        assert!(written.is_err(), "it was told to be saved");
                        old += 1;
                    }
                }
                // And it goes on from there.
                let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
                durable.save(&record(&failed(1), 100)).unwrap();
                assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((100, CircuitState::Closed)));
            }
            assert!(old >= ROOM - 4 && new >= 1, "{old} old, {new} new");
        }
    }
}

#[test]
fn two_power_cuts_in_a_row_still_leave_the_last_whole_state() {
    let mut chip = Chip::filled(0);
    Durable::new(Eeprom::new(&mut chip, 0), LAYOUT).save(&record(&failed(2), 1)).unwrap();
    for cut in [3, 20, 40] {
        (chip.left, chip.torn) = (Some(cut), Torn::Mixed);
        let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
        assert_eq!(durable.save(&record(&failed(0), 2)), Err(SaveError::Storage(NoPower)));
        chip.left = None;
        assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((1, CircuitState::Open)));
    }
}

#[test]
fn rubbish_of_any_kind_is_a_fresh_start() {
    for byte in [0x00, 0xFF, 0xA5] {
        assert_eq!(found(Eeprom::new(&mut Chip::filled(byte), 0)), None, "{byte:#x}");
    }
    let mut seed = 1_u32;
    for _ in 0..1_000 {
        let mut chip = Chip::filled(0);
        for byte in &mut chip.bytes {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (seed >> 24) as u8;
        }
        assert_eq!(found(Eeprom::new(&mut chip, 0)), None);
    }
}

#[test]
fn a_damaged_bit_in_the_newer_slot_brings_back_the_older_one() {
    let mut chip = Chip::filled(0xFF);
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
    durable.save(&record(&failed(0), 1)).unwrap();
    durable.save(&record(&failed(2), 2)).unwrap();
    for bit in 0..ROOM * 8 {
        let mut damaged = chip.clone();
        damaged.bytes[256 + bit / 8] ^= 1 << (bit % 8);
        let state = found(Eeprom::new(&mut damaged, 0));
        assert_eq!(state, Some((1, CircuitState::Closed)), "bit {bit}");
    }
}

#[test]
fn a_storage_that_does_not_answer_is_a_typed_error_and_nothing_is_written_over() {
    let mut chip = Chip::filled(0xFF);
    Durable::new(Eeprom::new(&mut chip, 0), LAYOUT).save(&record(&failed(2), 5)).unwrap();
    chip.silent = true;
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
    let mut empty = Record::<ROOM>::new();
    assert_eq!(durable.load(&mut empty).err(), Some(LoadError::Storage(NoPower)));
    let unsaved = durable.save(&record(&failed(0), 6));
    assert_eq!(unsaved, Err(SaveError::Storage(NoPower)));
    chip.silent = false;
    assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((5, CircuitState::Open)));
}

#[test]
fn a_worn_cell_is_noticed_when_it_is_written() {
    struct Worn(Chip);
    impl Slots for Worn {
        type Error = NoPower;
        fn size(&self) -> usize {
            256
        }
        fn read(&mut self, slot: u8, bytes: &mut [u8]) -> Result<(), NoPower> {
            (&mut self.0).read(u32::from(slot) * 256, bytes)
        }
        fn write(&mut self, slot: u8, bytes: &[u8]) -> Result<(), NoPower> {
            (&mut self.0).write(u32::from(slot) * 256, bytes)?;
            // One bit of slot 1 is stuck.
            self.0.bytes[256 + 10] |= 0x20;
            Ok(())
        }
    }
    let mut durable = Durable::new(Worn(Chip::filled(0)), LAYOUT);
    durable.save(&record(&failed(0), 1)).unwrap();
    let mut stuck = record(&failed(0), 2);
    stuck.put_bytes(&[]).unwrap();
    assert_eq!(durable.save(&stuck), Err(SaveError::Worn));
    assert_eq!(found(Eeprom::new(&mut durable.slots().0, 0)), Some((1, CircuitState::Closed)));
}

#[test]
fn a_snapshot_of_other_settings_is_refused_and_the_next_field_is_still_read() {
    let mut chip = Chip::filled(0xFF);
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
    durable.save(&record(&failed(2), 8)).unwrap();
    let changed = RefCell::new(checked!(Circuit::new(&OTHER)));
    let mut loaded = Record::<ROOM>::new();
    let mut fields = durable.load(&mut loaded).unwrap();
    assert_eq!(fields.take(&changed, at(0), None), Err(SnapshotError::Fingerprint));
    assert_eq!(changed.borrow().state(), CircuitState::Closed);
    assert_eq!(fields.take_bytes(), Ok(8_u32.to_le_bytes()));
    let missing = Err(SnapshotError::Length { needs: 1, has: 0 });
    assert_eq!(fields.take_bytes::<1>(), missing);
}

#[test]
fn another_layout_is_named_and_the_next_save_replaces_it() {
    let mut chip = Chip::filled(0xFF);
    let mut old = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT - 1);
    old.save(&record(&failed(2), 3)).unwrap();
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
    let mut loaded = Record::<ROOM>::new();
    assert_eq!(durable.load(&mut loaded).err(), Some(LoadError::Layout { has: LAYOUT - 1 }));
    durable.save(&record(&failed(0), 4)).unwrap();
    assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((4, CircuitState::Closed)));
}

#[test]
fn a_record_that_is_longer_than_a_slot_or_than_its_room_is_refused() {
    let mut chip = Chip::filled(0);
    let mut durable = Durable::new(Eeprom::with_distance(&mut chip, 0, 16), LAYOUT);
    let error = SaveError::Record(SnapshotError::Length { needs: ROOM, has: 16 });
    assert_eq!(durable.save(&record(&failed(0), 1)), Err(error));
    let mut full = record(&failed(0), 1);
    assert_eq!(full.put_bytes(&[1]), Err(SnapshotError::Length { needs: 1, has: 0 }));
}

/// A flash of four erase blocks of 256 bytes, written in words of 4.
struct NorChip([u8; 1024]);

impl ErrorType for NorChip {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for NorChip {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for NorChip {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 256;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.0[from as usize..to as usize].fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (place, byte) in self.0[offset as usize..].iter_mut().zip(bytes) {
            // A flash clears bits; it sets them by erasing only.
            *place &= byte;
        }
        Ok(())
    }
}

#[test]
fn a_flash_is_erased_and_written_in_words_one_block_after_the_other() {
    let mut durable = Durable::new(Flash::<_>::new(NorChip([0; 1024]), 512), LAYOUT);
    for count in 0..5 {
        let failures = if count % 2 == 0 { 2 } else { 0 };
        durable.save(&record(&failed(failures), count)).unwrap();
        let mut loaded = Record::<ROOM>::new();
        let mut fields = durable.load(&mut loaded).unwrap();
        let breaker = fresh();
        fields.take(&breaker, at(0), None).unwrap();
        let open = breaker.borrow().state() == CircuitState::Open;
        assert_eq!((fields.take_bytes(), open), (Ok(count.to_le_bytes()), failures == 2));
    }
}
