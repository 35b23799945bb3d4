use embedded_hal_nb::nb;
use embedded_hal_nb::serial::ErrorKind;
use redress::ErrorClass::Transient;
use redress_embassy::classify;

#[test]
fn errors_of_a_serial_line_are_transient_and_so_is_one_that_is_not_ready() {
    for kind in [
        ErrorKind::Overrun,
        ErrorKind::FrameFormat,
        ErrorKind::Parity,
        ErrorKind::Noise,
        ErrorKind::Other,
    ] {
        assert_eq!(classify::serial(&kind).class, Transient, "{kind:?}");
        let other = classify::nb(&nb::Error::Other(kind), classify::serial);
        assert_eq!(other, classify::serial(&kind), "{kind:?}");
    }
    let blocks = classify::nb(&nb::Error::WouldBlock, classify::serial::<ErrorKind>);
    assert_eq!(blocks.class, Transient);
}
