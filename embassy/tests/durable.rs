//! State over a reset: what is taken over, and what is refused with its reason.
#![cfg(feature = "storage")]

use std::cell::RefCell;
use std::ops::Range;

use crc::{CRC_32_ISO_HDLC, Crc};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use embedded_storage::{ReadStorage, Storage};
use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::budget::{Budget as _, RollingConfig};
use redress::event::CircuitState;
use redress::snapshot::{Restored, Snapshot, SnapshotError};
use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant, RollingBudget, checked};
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

type Tokens = RollingBudget<8>;

const RETRIES: RollingConfig = RollingConfig::new(8, Duration::from_secs(60));

fn tokens() -> RefCell<Tokens> {
    RefCell::new(checked!(Tokens::new(&RETRIES)))
}

/// An EEPROM, of which some addresses may not answer.
#[derive(Clone, Debug)]
struct Chip {
    bytes: [u8; 512],
    silent: Range<u32>,
    protected: bool,
}

impl Chip {
    fn filled(byte: u8) -> Self {
        Self { bytes: [byte; 512], silent: 0..0, protected: false }
    }

    fn answers(&self, offset: u32, len: usize) -> Result<Range<usize>, NoAnswer> {
        let range = offset as usize..offset as usize + len;
        let silent = self.silent.contains(&offset) || range.end > self.bytes.len();
        if silent { Err(NoAnswer) } else { Ok(range) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoAnswer;

impl ReadStorage for &mut Chip {
    type Error = NoAnswer;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NoAnswer> {
        let range = self.answers(offset, bytes.len())?;
        bytes.copy_from_slice(&self.bytes[range]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl Storage for &mut Chip {
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NoAnswer> {
        let range = self.answers(offset, bytes.len())?;
        if !self.protected {
            self.bytes[range].copy_from_slice(bytes);
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
        // Rubbish may look like a longer record of another layout.
        Err(LoadError::Empty | LoadError::Layout { .. }) => return None,
        Err(why) => panic!("{why}"),
    };
    assert_eq!(fields.take(&breaker, at(0), None), Ok(Restored::TimeStoodStill));
    let count = u32::from_le_bytes(fields.take_bytes().unwrap());
    let state = breaker.borrow().state();
    Some((count, state))
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
    chip.silent = 0..512;
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
    let mut empty = Record::<ROOM>::new();
    assert_eq!(durable.load(&mut empty).err(), Some(LoadError::Storage(NoAnswer)));
    let unsaved = durable.save(&record(&failed(0), 6));
    assert_eq!(unsaved, Err(SaveError::Storage(NoAnswer)));
    chip.silent = 0..0;
    assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((5, CircuitState::Open)));
}

#[test]
fn while_one_slot_does_not_answer_the_other_one_counts() {
    let mut chip = Chip::filled(0xFF);
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
    durable.save(&record(&failed(0), 1)).unwrap();
    durable.save(&record(&failed(2), 2)).unwrap();
    for (silent, state) in
        [(0..256, (2, CircuitState::Open)), (256..512, (1, CircuitState::Closed))]
    {
        let mut chip = Chip { silent, ..chip.clone() };
        assert_eq!(found(Eeprom::new(&mut chip, 0)), Some(state));
        // Either of the two may be there.
        assert!(may_be_older(&mut chip));
    }
    assert!(!may_be_older(&mut chip));
}

fn may_be_older(chip: &mut Chip) -> bool {
    let mut loaded = Record::<ROOM>::new();
    Durable::new(Eeprom::new(chip, 0), LAYOUT).load(&mut loaded).unwrap().may_be_older()
}

#[test]
fn a_slot_that_is_not_there_is_a_typed_error() {
    let mut chip = Chip::filled(0xFF);
    // The second slot lies behind the end of the chip.
    let mut durable = Durable::new(Eeprom::new(&mut chip, 256), LAYOUT);
    durable.save(&record(&failed(2), 1)).unwrap();
    let unsaved = durable.save(&record(&failed(0), 2));
    assert_eq!(unsaved, Err(SaveError::Storage(NoAnswer)));
    assert_eq!(found(Eeprom::new(&mut chip, 256)), Some((1, CircuitState::Open)));
    let mut durable = Durable::new(Eeprom::new(&mut chip, u32::MAX - 300), LAYOUT);
    let mut loaded = Record::<ROOM>::new();
    assert_eq!(durable.load(&mut loaded).err(), Some(LoadError::Storage(NoAnswer)));
}

#[test]
fn a_storage_that_reads_something_else_each_time_is_never_told_to_have_saved() {
    struct Loose(u32);
    impl Slots for Loose {
        type Error = NoAnswer;
        fn size(&self) -> usize {
            256
        }
        fn read(&mut self, _: u8, bytes: &mut [u8]) -> Result<(), NoAnswer> {
            for byte in bytes {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (self.0 >> 24) as u8;
            }
            Ok(())
        }
        fn write(&mut self, _: u8, _: &[u8]) -> Result<(), NoAnswer> {
            Ok(())
        }
    }
    for seed in 0..1_000 {
        let mut durable = Durable::new(Loose(seed), LAYOUT);
        let mut loaded = Record::<ROOM>::new();
        let fresh = durable.load(&mut loaded).err();
        assert!(matches!(fresh, Some(LoadError::Empty | LoadError::Layout { .. })), "{fresh:?}");
        assert_eq!(durable.save(&record(&failed(0), 1)), Err(SaveError::Worn));
    }
}

#[test]
fn a_storage_that_is_write_protected_is_noticed_and_keeps_the_state_it_has() {
    let mut chip = Chip::filled(0xFF);
    Durable::new(Eeprom::new(&mut chip, 0), LAYOUT).save(&record(&failed(2), 1)).unwrap();
    chip.protected = true;
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
    for count in 2..5 {
        assert_eq!(durable.save(&record(&failed(0), count)), Err(SaveError::Worn));
    }
    assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((1, CircuitState::Open)));
}

#[test]
fn a_worn_cell_is_noticed_when_it_is_written() {
    struct Worn(Chip);
    impl Slots for Worn {
        type Error = NoAnswer;
        fn size(&self) -> usize {
            256
        }
        fn read(&mut self, slot: u8, bytes: &mut [u8]) -> Result<(), NoAnswer> {
            (&mut self.0).read(u32::from(slot) * 256, bytes)
        }
        fn write(&mut self, slot: u8, bytes: &[u8]) -> Result<(), NoAnswer> {
            (&mut self.0).write(u32::from(slot) * 256, bytes)?;
            // One bit of slot 1 never holds what was written.
            self.0.bytes[256 + 10] ^= 0x20;
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
fn an_older_or_newer_layout_is_named_and_the_next_save_replaces_it() {
    for layout in [LAYOUT - 1, LAYOUT + 1] {
        let mut chip = Chip::filled(0xFF);
        let mut other = Durable::new(Eeprom::new(&mut chip, 0), layout);
        other.save(&record(&failed(2), 3)).unwrap();
        let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
        let mut loaded = Record::<ROOM>::new();
        assert_eq!(durable.load(&mut loaded).err(), Some(LoadError::Layout { has: layout }));
        durable.save(&record(&failed(0), 4)).unwrap();
        assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((4, CircuitState::Closed)));
    }
}

#[test]
fn a_layout_with_fewer_or_more_fields_is_named_as_well() {
    for fields in [0, ROOM - OVERHEAD + 1, 200] {
        let mut chip = Chip::filled(0xFF);
        let mut other = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT + 1);
        let mut fewer_or_more = Record::<256>::new();
        fewer_or_more.put_bytes(&[7; 200][..fields]).unwrap();
        other.save(&fewer_or_more).unwrap();
        other.save(&fewer_or_more).unwrap();
        let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
        let mut loaded = Record::<ROOM>::new();
        let why = durable.load(&mut loaded).err();
        assert_eq!(why, Some(LoadError::Layout { has: LAYOUT + 1 }), "{fields} bytes of fields");
        durable.save(&record(&failed(2), 4)).unwrap();
        assert_eq!(found(Eeprom::new(&mut chip, 0)), Some((4, CircuitState::Open)));
        // Nor does the other firmware, when it is back, take its own old state for the newest.
        let mut other = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT + 1);
        let mut loaded = Record::<256>::new();
        assert_eq!(other.load(&mut loaded).err(), Some(LoadError::Layout { has: LAYOUT }));
    }
}

/// The same snapshot as another version of the engine would write it.
fn of_version(version: u8, snapshot: &[u8]) -> Vec<u8> {
    let mut bytes = snapshot.to_vec();
    bytes[1] = version;
    let (body, sum) = bytes.split_last_chunk_mut::<4>().unwrap();
    *sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(body).to_le_bytes();
    bytes
}

#[test]
fn snapshots_of_an_older_or_newer_engine_are_named_one_by_one_and_nothing_is_taken_over() {
    for version in [0, 2, u8::MAX] {
        let refused = SnapshotError::Version { has: version };
        let (breaker, budget) = (failed(2), tokens());
        budget.borrow_mut().consume(3, at(1));
        let (mut circuit, mut retries) = ([0; Circuit::BYTES], [0; Tokens::BYTES]);
        breaker.borrow().snapshot(at(1), &mut circuit).unwrap();
        budget.borrow().snapshot(at(1), &mut retries).unwrap();
        let mut record = Record::<256>::new();
        record.put_bytes(&of_version(version, &circuit)).unwrap();
        record.put_bytes(&of_version(version, &retries)).unwrap();
        let mut chip = Chip::filled(0xFF);
        let mut durable = Durable::new(Eeprom::new(&mut chip, 0), LAYOUT);
        durable.save(&record).unwrap();

        let (breaker, budget) = (fresh(), tokens());
        let mut fields = durable.load(&mut record).unwrap();
        assert_eq!(fields.take(&breaker, at(1), None), Err(refused));
        assert_eq!(fields.take(&budget, at(1), None), Err(refused));
        assert_eq!(breaker.borrow().state(), CircuitState::Closed);
        assert_eq!(budget.borrow_mut().remaining(at(1)), 8);

        // And the suspended call, which is the last field of this state.
        let mut node = power_cut_state::state(3).unwrap();
        let call = 4 + Circuit::BYTES + Tokens::BYTES;
        let other = of_version(version, &node[call..]);
        node[call..].copy_from_slice(&other);
        assert_eq!(power_cut_state::restore(&node).err(), Some(refused));
    }
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
