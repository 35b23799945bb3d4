//! Where the two slots are: [`Slots`], with [`Eeprom`], [`Flash`] and [`Retained`].

use core::convert::Infallible;

use embedded_storage::Storage;
use embedded_storage::nor_flash::NorFlash;

/// Room for two records that can be written one without touching the other.
pub trait Slots {
    /// What the storage fails with.
    type Error;

    /// How many bytes a slot holds.
    fn size(&self) -> usize;

    /// Reads the beginning of a slot, 0 or 1.
    ///
    /// # Errors
    ///
    /// The storage's own.
    fn read(&mut self, slot: u8, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Writes the beginning of a slot. A power cut may leave anything in it, and must not
    /// change the other one.
    ///
    /// # Errors
    ///
    /// The storage's own.
    fn write(&mut self, slot: u8, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Slots in memory that keeps its content over a deep sleep: each takes half of it.
///
/// After a power loss it holds anything, which [`Durable::load`](super::Durable::load)
/// refuses. Where such memory lies is the linker script's business, and how a `static mut` of
/// a section that is not initialised becomes a slice is the firmware's:
///
/// ```
/// # use redress_embassy::durable::{Durable, Record, Retained};
/// # let memory = &mut [0_u8; 256][..];
/// let mut durable = Durable::new(Retained::new(memory), 1);
/// # assert!(durable.load(&mut Record::<64>::new()).is_err());
/// ```
#[derive(Debug)]
pub struct Retained<'m>(&'m mut [u8]);

impl<'m> Retained<'m> {
    /// Slots in the halves of `memory`.
    pub const fn new(memory: &'m mut [u8]) -> Self {
        Self(memory)
    }

    fn slot(&mut self, slot: u8) -> impl Iterator<Item = &mut u8> {
        let size = self.size();
        self.0.iter_mut().skip(size * usize::from(slot)).take(size)
    }
}

impl Slots for Retained<'_> {
    type Error = Infallible;

    fn size(&self) -> usize {
        self.0.len() / 2
    }

    fn read(&mut self, slot: u8, bytes: &mut [u8]) -> Result<(), Infallible> {
        for (byte, kept) in bytes.iter_mut().zip(self.slot(slot)) {
            *byte = *kept;
        }
        Ok(())
    }

    fn write(&mut self, slot: u8, bytes: &[u8]) -> Result<(), Infallible> {
        for (kept, byte) in self.slot(slot).zip(bytes) {
            *kept = *byte;
        }
        Ok(())
    }
}

/// Slots in a storage that writes bytes without erasing: an EEPROM, an FRAM.
#[derive(Clone, Debug)]
pub struct Eeprom<S> {
    storage: S,
    address: u32,
    distance: u32,
}

impl<S: Storage> Eeprom<S> {
    /// Slots of 256 bytes at `address` and 256 bytes after it: whole pages of all usual
    /// chips.
    pub const fn new(storage: S, address: u32) -> Self {
        Self::with_distance(storage, address, 256)
    }

    /// Slots of `distance` bytes at `address` and `distance` bytes after it. Take a multiple
    /// of the page, so that no write reaches into the other slot.
    pub const fn with_distance(storage: S, address: u32, distance: u32) -> Self {
        Self { storage, address, distance }
    }

    fn at(&self, slot: u8) -> u32 {
        self.address.saturating_add(self.distance.saturating_mul(u32::from(slot)))
    }
}

impl<S: Storage> Slots for Eeprom<S> {
    type Error = S::Error;

    fn size(&self) -> usize {
        self.distance as usize
    }

    fn read(&mut self, slot: u8, bytes: &mut [u8]) -> Result<(), S::Error> {
        self.storage.read(self.at(slot), bytes)
    }

    fn write(&mut self, slot: u8, bytes: &[u8]) -> Result<(), S::Error> {
        self.storage.write(self.at(slot), bytes)
    }
}

/// Slots in a flash that is erased before it is written: each takes one erase block or more.
///
/// Records are written and read in pieces of `WORDS` bytes, a multiple of the flash's
/// `WRITE_SIZE` and `READ_SIZE`; 16 does for nearly all.
#[derive(Clone, Debug)]
pub struct Flash<F, const WORDS: usize = 16> {
    chip: F,
    address: u32,
    distance: u32,
}

impl<F: NorFlash, const WORDS: usize> Flash<F, WORDS> {
    /// Slots at `address`, which must be the start of an erase block, and in the next erase
    /// block.
    pub const fn new(flash: F, address: u32) -> Self {
        const {
            assert!(WORDS.is_multiple_of(F::WRITE_SIZE) && WORDS.is_multiple_of(F::READ_SIZE));
        };
        Self { chip: flash, address, distance: F::ERASE_SIZE as u32 }
    }

    fn at(&self, slot: u8) -> u32 {
        self.address.saturating_add(self.distance.saturating_mul(u32::from(slot)))
    }
}

impl<F: NorFlash, const WORDS: usize> Slots for Flash<F, WORDS> {
    type Error = F::Error;

    fn size(&self) -> usize {
        self.distance as usize
    }

    fn read(&mut self, slot: u8, bytes: &mut [u8]) -> Result<(), F::Error> {
        let mut at = self.at(slot);
        for chunk in bytes.chunks_mut(WORDS) {
            let mut words = [0; WORDS];
            self.chip.read(at, &mut words)?;
            for (byte, read) in chunk.iter_mut().zip(words) {
                *byte = read;
            }
            at = at.saturating_add(WORDS as u32);
        }
        Ok(())
    }

    fn write(&mut self, slot: u8, bytes: &[u8]) -> Result<(), F::Error> {
        let mut at = self.at(slot);
        self.chip.erase(at, at.saturating_add(self.distance))?;
        for chunk in bytes.chunks(WORDS) {
            let mut words = [0xFF; WORDS];
            for (word, byte) in words.iter_mut().zip(chunk) {
                *word = *byte;
            }
            self.chip.write(at, &words)?;
            at = at.saturating_add(WORDS as u32);
        }
        Ok(())
    }
}
