//! The EEPROM's file, read without the code under test.

use std::path::{Path, PathBuf};

use crc::{CRC_32_ISO_HDLC, Crc};
use power_cut_state::{BYTES, restore, state};

/// Sequence, layout, length; then the state, then the checksum.
const SLOT: usize = 8 + BYTES + 4;

/// Bytes on the bus for a slot: in each page of 32 an address of two goes before.
pub(crate) const WRITE_BYTES: usize = SLOT + 2 * SLOT.div_ceil(32);

/// Bytes on the bus from the start to the end of the second save: each slot is read before, and
/// twice if there is none; each save is read back. Reading sends an address of two.
pub(crate) const fn bytes_of_two_saves(any: bool) -> usize {
    let loads = if any { 1 } else { 2 };
    loads * 2 * (2 + SLOT) + 2 * (WRITE_BYTES + 2 + SLOT)
}

/// What a board says that has found this state.
pub(crate) fn as_found(number: u32) -> Result<String, String> {
    let found = state(number).and_then(|bytes| restore(&bytes));
    found.map(|found| format!("found {found}")).map_err(|why| why.to_string())
}

/// A file that is removed in the end.
pub(crate) struct File(PathBuf);

impl File {
    /// As it comes from the factory.
    pub(crate) fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("power-cut-{}", std::process::id()));
        std::fs::write(&path, [0xFF; 4096]).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Which of the two slots are whole.
    pub(crate) fn whole(&self) -> Result<[bool; 2], String> {
        Ok(self.slots()?.map(|slot| slot.is_some()))
    }

    /// The number of the newest whole state, which must be that state in each byte.
    pub(crate) fn newest(&self) -> Result<Option<u32>, String> {
        let newest = self.slots()?.into_iter().flatten().max_by_key(|(sequence, _)| *sequence);
        let Some((_, fields)) = newest else { return Ok(None) };
        let number = u32::from_le_bytes([fields[0], fields[1], fields[2], fields[3]]);
        let whole = state(number).map_err(|why| why.to_string())?;
        if fields == whole { Ok(Some(number)) } else { Err(format!("a third state: {fields:?}")) }
    }

    /// Sequence and state of each slot that is whole.
    fn slots(&self) -> Result<[Option<(u32, Vec<u8>)>; 2], String> {
        let bytes = std::fs::read(&self.0).map_err(|why| why.to_string())?;
        Ok([0, 256].map(|at| {
            let (fields, sum) = bytes.get(at..at + SLOT)?.split_at(SLOT - 4);
            let checksum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(fields);
            let sequence = u32::from_le_bytes(*fields.first_chunk()?);
            (sum == checksum.to_le_bytes()).then(|| (sequence, fields[8..].to_vec()))
        }))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
