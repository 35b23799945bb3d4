//! Maps and queues in flash by sequential-storage.

use embedded_storage::nor_flash::NorFlashError;
use redress::{Classification, ErrorClass};
use sequential_storage::Error;

use super::{flash, of};

/// An error of a map or queue of sequential-storage.
///
/// | class | errors |
/// | --- | --- |
/// | as [`flash`] | `Storage`, by its kind |
/// | PERMANENT | `FullStorage`, `Corrupted` (erase it), `BufferTooBig`, `BufferTooSmall`, `SerializationError`, `ItemTooBig`, `LogicBug` |
/// | UNKNOWN | what comes later |
pub fn sequential_storage<S: NorFlashError>(error: &Error<S>) -> Classification {
    let detail = match error {
        Error::Storage { value, .. } => return flash(value),
        Error::FullStorage => "storage is full",
        Error::Corrupted { .. } => "storage is corrupted",
        Error::BufferTooBig => "buffer too big",
        Error::BufferTooSmall(_) => "buffer too small",
        Error::SerializationError(_) => "item is not serialized",
        Error::ItemTooBig => "item too big",
        Error::LogicBug { .. } => "a fault in sequential-storage",
        _ => return of(ErrorClass::Unknown, "unknown error of the storage"),
    };
    of(ErrorClass::Permanent, detail)
}
