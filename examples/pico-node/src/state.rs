//! What survives a reset, in the last two erase blocks of the flash: [`State`].

use embedded_storage::nor_flash::NorFlash;
use redress::Clock as _;
use redress::snapshot::{Snapshot as _, SnapshotError};
use redress_embassy::EmbassyTime;
use redress_embassy::durable::{Durable, Flash, LoadError, OVERHEAD, Record};

use crate::policy::{
    BUDGET, Budget, NETWORK_BREAKER, NetworkBreaker, SENSOR_BREAKER, SensorBreaker,
};

/// Both breakers and the budget.
const FIELDS: usize = SensorBreaker::BYTES + NetworkBreaker::BYTES + Budget::BYTES;
type Fields = Record<{ OVERHEAD + FIELDS }>;

/// Counts up when the fields change.
const LAYOUT: u16 = 1;

/// Breakers and budget in a flash.
pub struct State<F: NorFlash>(Durable<Flash<F>>);

impl<F: NorFlash> State<F> {
    /// Takes over what the last start has left in the two erase blocks from `address` on; what
    /// does not fit starts afresh, and the log says so.
    pub fn restore(flash: F, address: u32) -> Self {
        let mut durable = Durable::new(Flash::new(flash, address), LAYOUT);
        let mut record = Fields::new();
        match durable.load(&mut record) {
            Ok(mut fields) => {
                if fields.may_be_older() {
                    defmt::warn!("half of the flash is not read: the state may be an older one");
                }
                let now = EmbassyTime.now();
                // This board has no clock that runs on: the time off is not known, and a
                // breaker stays open for the rest of its time as it was saved.
                note("sensor breaker", fields.take(&SENSOR_BREAKER, now, None));
                note("network breaker", fields.take(&NETWORK_BREAKER, now, None));
                note("budget", fields.take(&BUDGET, now, None));
            }
            Err(LoadError::Empty) => defmt::warn!("no state in the flash: a fresh start"),
            Err(LoadError::Layout { has }) => {
                defmt::warn!("the state has layout {=u16}: a fresh start", has);
            }
            Err(LoadError::Storage(_)) => defmt::warn!("the flash is not read: a fresh start"),
        }
        Self(durable)
    }

    /// Writes the state over the older of the two records.
    pub fn save(&mut self) {
        let mut record = Fields::new();
        if let Err(why) = put(&mut record) {
            defmt::warn!("state not saved: {}", why);
        } else if self.0.save(&record).is_err() {
            defmt::warn!("state not saved: the flash does not take it");
        } else {
            defmt::info!("state saved");
        }
    }
}

fn put(record: &mut Fields) -> Result<(), SnapshotError> {
    let now = EmbassyTime.now();
    record.put(&SENSOR_BREAKER, now)?;
    record.put(&NETWORK_BREAKER, now)?;
    record.put(&BUDGET, now)
}

fn note(name: &str, restored: Result<redress::snapshot::Restored, SnapshotError>) {
    match restored {
        Ok(_) => defmt::info!("{=str} restored", name),
        Err(why) => defmt::warn!("{=str} starts afresh: {}", name, why),
    }
}
