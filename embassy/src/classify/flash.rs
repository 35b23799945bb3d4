//! Flash, by the kinds of embedded-storage.

use redress::{Classification, ErrorClass};

use super::of;

/// An error of a NOR flash, by its kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | `Other`: a chip that is busy or on a bus that fails |
/// | PERMANENT | `NotAligned`, `OutOfBounds` |
/// | UNKNOWN | what comes later |
pub fn flash<E: embedded_storage::nor_flash::NorFlashError>(error: &E) -> Classification {
    use embedded_storage::nor_flash::NorFlashErrorKind;
    match error.kind() {
        NorFlashErrorKind::Other => of(ErrorClass::Transient, "another error of the flash"),
        NorFlashErrorKind::NotAligned => of(ErrorClass::Permanent, "not aligned"),
        NorFlashErrorKind::OutOfBounds => of(ErrorClass::Permanent, "out of bounds"),
        _ => of(ErrorClass::Unknown, "unknown error of the flash"),
    }
}
