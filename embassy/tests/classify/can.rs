use embedded_can::ErrorKind;
use redress::ErrorClass::Transient;
use redress_embassy::classify;

#[test]
fn a_can_bus_without_an_acknowledgement_is_transient_as_are_its_other_errors() {
    for kind in [
        ErrorKind::Overrun,
        ErrorKind::Bit,
        ErrorKind::Stuff,
        ErrorKind::Crc,
        ErrorKind::Form,
        ErrorKind::Acknowledge,
        ErrorKind::Other,
    ] {
        assert_eq!(classify::can(&kind).class, Transient, "{kind:?}");
    }
}
