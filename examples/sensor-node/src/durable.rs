//! What survives a reset, and in which order it is written: [`Durable`].

use embedded_storage::Storage;
use redress::snapshot::{Snapshot as _, SnapshotError, Suspended};
use redress::{Duration, Instant};
use redress_embassy::durable::{self, Eeprom, Fields, LoadError, OVERHEAD};

use crate::policy::{BUDGET, Budget, NETWORK_BREAKER, NodeBreaker, SENSOR_BREAKER};
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
    pub call: [u8; Suspended::BYTES],
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

/// Start and wall time, both breakers and the budget, and a call in flight: whether there is
/// one, its reading (start, number, degrees) and its state.
const FIELDS: usize = 4 + 8 + 2 * NodeBreaker::BYTES + Budget::BYTES + 1 + 3 * 4 + Suspended::BYTES;
type Record = durable::Record<{ OVERHEAD + FIELDS }>;

/// Counts up when the fields change.
const LAYOUT: u16 = 1;

/// The state of breakers, budget and of a call in flight, in an EEPROM.
pub struct Durable<S> {
    slots: durable::Durable<Eeprom<S>>,
    boot: u32,
    /// Whether the newest record has a call in flight.
    holds_call: bool,
}

impl<S: Storage> Durable<S> {
    pub const fn new(storage: S) -> Self {
        let slots = durable::Durable::new(Eeprom::new(storage, 0), LAYOUT);
        Self { slots, boot: 0, holds_call: false }
    }

    /// Takes over the newest whole record; what does not fit starts afresh, and the log says
    /// so.
    pub fn restore(&mut self, now: Instant, wall: Option<i64>) -> Restored {
        let mut restored = Restored { boot: 1, off: None, in_flight: None };
        let mut record = Record::new();
        match self.slots.load(&mut record) {
            Ok(mut fields) => {
                if fields.may_be_older() {
                    defmt::warn!(
                        "half of the EEPROM does not answer: the state may be an older one"
                    );
                }
                if let Err(why) = take(&mut fields, &mut restored, now, wall) {
                    defmt::warn!("the state is not taken over: {}", why);
                }
            }
            Err(LoadError::Empty) => defmt::warn!("no state in the EEPROM: a fresh start"),
            Err(LoadError::Layout { has }) => {
                defmt::warn!("the state has layout {=u16}: a fresh start", has);
            }
            Err(LoadError::Storage(_)) => {
                defmt::warn!("the EEPROM does not answer: a fresh start");
            }
        }
        self.boot = restored.boot;
        self.holds_call = restored.in_flight.is_some();
        restored
    }

    /// Whether a call in flight is written there.
    pub const fn holds_call(&self) -> bool {
        self.holds_call
    }

    /// Writes the state into the older slot; says whether it is there. If not, the newest
    /// record stays the newest, and the next save tries the same slot again.
    pub fn save(&mut self, now: Instant, wall: Option<i64>, in_flight: Option<&InFlight>) -> bool {
        let mut record = Record::new();
        if let Err(why) = put(&mut record, self.boot, now, wall, in_flight) {
            defmt::warn!("state not saved: {}", why);
            return false;
        }
        if self.slots.save(&record).is_err() {
            defmt::warn!("state not saved: the EEPROM does not take it");
            return false;
        }
        self.holds_call = in_flight.is_some();
        true
    }
}

fn put(
    record: &mut Record,
    boot: u32,
    now: Instant,
    wall: Option<i64>,
    in_flight: Option<&InFlight>,
) -> Result<(), SnapshotError> {
    record.put_bytes(&boot.to_le_bytes())?;
    // Zero, the start of 1970, stands for a time that is not known.
    record.put_bytes(&wall.unwrap_or(0).to_le_bytes())?;
    record.put(&SENSOR_BREAKER, now)?;
    record.put(&NETWORK_BREAKER, now)?;
    record.put(&BUDGET, now)?;
    record.put_bytes(&[u8::from(in_flight.is_some())])?;
    if let Some(InFlight { reading, pause }) = in_flight {
        record.put_bytes(&reading.boot.to_le_bytes())?;
        record.put_bytes(&reading.number.to_le_bytes())?;
        record.put_bytes(&reading.celsius.to_le_bytes())?;
        record.put_bytes(&pause.call)?;
    }
    Ok(())
}

fn take(
    fields: &mut Fields<'_>,
    restored: &mut Restored,
    now: Instant,
    wall: Option<i64>,
) -> Result<(), SnapshotError> {
    restored.boot = u32::from_le_bytes(fields.take_bytes()?).saturating_add(1);
    let saved = i64::from_le_bytes(fields.take_bytes()?);
    let off = wall.filter(|_| saved != 0).and_then(|wall| between(saved, wall));
    restored.off = off;
    // One state that does not fit does not take the others along.
    note(fields.take(&SENSOR_BREAKER, now, off));
    note(fields.take(&NETWORK_BREAKER, now, off));
    note(fields.take(&BUDGET, now, off));
    if fields.take_bytes()? == [1] {
        let reading = Reading {
            boot: u32::from_le_bytes(fields.take_bytes()?),
            number: u32::from_le_bytes(fields.take_bytes()?),
            celsius: f32::from_le_bytes(fields.take_bytes()?),
        };
        let pause = Pause { call: fields.take_bytes()?, at: now, off };
        restored.in_flight = Some(InFlight { reading, pause });
    }
    Ok(())
}

fn note(restored: Result<redress::snapshot::Restored, SnapshotError>) {
    if let Err(why) = restored {
        defmt::warn!("a state starts afresh: {}", why);
    }
}
