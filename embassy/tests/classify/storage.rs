use embedded_storage::nor_flash::NorFlashErrorKind;
use redress::ErrorClass::{Permanent, Transient};
use redress_embassy::classify;
use sequential_storage::Error;
use sequential_storage::map::SerializationError;

#[test]
fn a_flash_that_fails_is_transient_and_one_that_is_full_is_not() {
    for (kind, class) in [
        (NorFlashErrorKind::Other, Transient),
        (NorFlashErrorKind::NotAligned, Permanent),
        (NorFlashErrorKind::OutOfBounds, Permanent),
    ] {
        assert_eq!(classify::flash(&kind).class, class, "{kind:?}");
        let error = Error::Storage { value: kind };
        assert_eq!(classify::sequential_storage(&error).class, class, "{error:?}");
    }
    for error in [
        Error::FullStorage,
        Error::Corrupted {},
        Error::LogicBug {},
        Error::BufferTooBig,
        Error::BufferTooSmall(8),
        Error::SerializationError(SerializationError::InvalidFormat),
        Error::ItemTooBig,
    ] {
        let error: Error<NorFlashErrorKind> = error;
        assert_eq!(classify::sequential_storage(&error).class, Permanent, "{error:?}");
    }
}
