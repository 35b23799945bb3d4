//! What survives a reset: [`Durable`], two slots of the EEPROM that are written in
//! turns, so that a power cut in the middle of one leaves the other.

use crc::{CRC_32_ISO_HDLC, Crc};
use embedded_storage::Storage;
use redress::{Duration, Instant, Shared, Snapshot, SnapshotError};

use crate::policy::{BUDGET, Budget, CALL_BYTES, NETWORK_BREAKER, NodeBreaker, SENSOR_BREAKER};
use crate::wall::between;

/// What the sensor measured. Start and number name it once and for all, so that the
/// service can tell a second copy from a second reading.
#[derive(Clone, Copy)]
pub struct Reading {
    /// Which start of the node it is from.
    pub boot: u32,
    /// Which reading of that start.
    pub number: u32,
    pub celsius: f32,
}

/// Where a call stands that waits for its next attempt.
#[derive(Clone, Copy)]
pub struct Pause {
    pub call: [u8; CALL_BYTES],
    /// When the breaker that belongs to it was saved, or restored.
    pub at: Instant,
    /// How long nothing ran until then, if that is known.
    pub off: Option<Duration>,
}

/// A reading whose post waits for its next attempt.
#[derive(Clone, Copy)]
pub struct InFlight {
    pub reading: Reading,
    pub pause: Pause,
}

/// What came back from the EEPROM.
pub struct Restored {
    /// How often this node has started, this time included.
    pub boot: u32,
    /// How long nothing ran, if that is known.
    pub off: Option<Duration>,
    /// A reading on its way.
    pub in_flight: Option<InFlight>,
}

/// Sequence, start, two words of wall time, whether a call is in flight, and its reading:
/// start, number, degrees.
const HEADER: usize = 8 * 4;
const BREAKER: usize = NodeBreaker::BYTES;
const RECORD: usize = HEADER + 2 * BREAKER + Budget::BYTES + CALL_BYTES + 4;
/// Distance of the slots: whole pages of the EEPROM.
const SLOT: u32 = 256;
const _: () = assert!(RECORD <= SLOT as usize);

const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The state of breakers, budget and of a call in flight, in a storage.
pub struct Durable<S> {
    storage: S,
    /// Of the newest record; its lowest bit says in which slot it is.
    sequence: u32,
    boot: u32,
    /// Whether the newest record has a call in flight.
    holds_call: bool,
}

impl<S: Storage> Durable<S> {
    pub const fn new(storage: S) -> Self {
        Self { storage, sequence: 0, boot: 0, holds_call: false }
    }

    /// Takes over the newest whole record; without one everything starts afresh.
    pub fn restore(&mut self, now: Instant, wall: Option<i64>) -> Restored {
        let mut newest: Option<Record> = None;
        for slot in 0..2 {
            let Some(record) = self.read(slot) else {
                defmt::warn!("EEPROM slot {=u32} is empty or torn", slot);
                continue;
            };
            if newest.as_ref().is_none_or(|other| record.sequence() > other.sequence()) {
                newest = Some(record);
            }
        }
        let Some(record) = newest else {
            defmt::warn!("no state in the EEPROM: a fresh start");
            self.boot = 1;
            return Restored { boot: 1, off: None, in_flight: None };
        };
        self.sequence = record.sequence();
        self.boot = record.word(4).saturating_add(1);
        let off = wall.and_then(|wall| between(record.wall()?, wall));
        let [sensor, network, budget] = record.states();
        note(SENSOR_BREAKER.with(|breaker| breaker.restore(sensor, now, off)));
        note(NETWORK_BREAKER.with(|breaker| breaker.restore(network, now, off)));
        note(BUDGET.with(|own| own.restore(budget, now, off)));
        let in_flight = record.in_flight(now, off);
        self.holds_call = in_flight.is_some();
        Restored { boot: self.boot, off, in_flight }
    }

    /// Whether a call in flight is written there.
    pub const fn holds_call(&self) -> bool {
        self.holds_call
    }

    /// Writes the state into the older slot; says whether it is there. If not, the newest
    /// record stays the newest, and the next save tries the same slot again.
    pub fn save(&mut self, now: Instant, wall: Option<i64>, in_flight: Option<&InFlight>) -> bool {
        let sequence = self.sequence.wrapping_add(1);
        let record = Record::new(sequence, self.boot, now, wall, in_flight);
        let slot = sequence & 1;
        if self.storage.write(slot * SLOT, &record.0).is_err() {
            defmt::warn!("state not saved: the EEPROM does not answer");
            return false;
        }
        self.sequence = sequence;
        self.holds_call = in_flight.is_some();
        true
    }

    fn read(&mut self, slot: u32) -> Option<Record> {
        let mut record = Record([0; RECORD]);
        self.storage.read(slot * SLOT, &mut record.0).ok()?;
        record.is_whole().then_some(record)
    }
}

/// The parts of a slot, one after the other.
struct Record([u8; RECORD]);

impl Record {
    fn new(
        sequence: u32,
        boot: u32,
        now: Instant,
        wall: Option<i64>,
        in_flight: Option<&InFlight>,
    ) -> Self {
        let mut record = Self([0; RECORD]);
        record.put(0, sequence);
        record.put(4, boot);
        // Zero, the start of 1970, stands for a time that is not known.
        let wall = wall.unwrap_or(0) as u64;
        record.put(8, wall as u32);
        record.put(12, (wall >> 32) as u32);
        let (_, rest) = record.0.split_at_mut(HEADER);
        let (sensor, rest) = rest.split_at_mut(BREAKER);
        let (network, rest) = rest.split_at_mut(BREAKER);
        let (budget, rest) = rest.split_at_mut(Budget::BYTES);
        SENSOR_BREAKER.with(|breaker| breaker.snapshot(now, sensor));
        NETWORK_BREAKER.with(|breaker| breaker.snapshot(now, network));
        BUDGET.with(|own| own.snapshot(now, budget));
        if let Some(flight) = in_flight {
            rest[..CALL_BYTES].copy_from_slice(&flight.pause.call);
            record.put(16, 1);
            record.put(20, flight.reading.boot);
            record.put(24, flight.reading.number);
            record.put(28, flight.reading.celsius.to_bits());
        }
        let checksum = CHECKSUM.checksum(&record.0[..RECORD - 4]);
        record.put(RECORD - 4, checksum);
        record
    }

    fn is_whole(&self) -> bool {
        self.word(RECORD - 4) == CHECKSUM.checksum(&self.0[..RECORD - 4])
    }

    fn sequence(&self) -> u32 {
        self.word(0)
    }

    fn states(&self) -> [&[u8]; 3] {
        let (sensor, rest) = self.0[HEADER..].split_at(BREAKER);
        let (network, rest) = rest.split_at(BREAKER);
        [sensor, network, &rest[..Budget::BYTES]]
    }

    fn wall(&self) -> Option<i64> {
        let wall = u64::from(self.word(12)) << 32 | u64::from(self.word(8));
        (wall != 0).then_some(wall as i64)
    }

    fn in_flight(&self, at: Instant, off: Option<Duration>) -> Option<InFlight> {
        let call = *self.0[RECORD - 4 - CALL_BYTES..].first_chunk()?;
        let celsius = f32::from_bits(self.word(28));
        let reading = Reading { boot: self.word(20), number: self.word(24), celsius };
        (self.word(16) == 1).then_some(InFlight { reading, pause: Pause { call, at, off } })
    }

    fn word(&self, at: usize) -> u32 {
        self.0[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    fn put(&mut self, at: usize, word: u32) {
        self.0[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
}

/// A state that does not fit this firmware starts afresh, and the log says so.
fn note(restored: Option<Result<redress::Restored, SnapshotError>>) {
    if let Some(Err(why)) = restored {
        defmt::warn!("a state is not taken over: {}", why);
    }
}
