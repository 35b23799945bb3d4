//! Delays at 1 MHz, the rate of embassy-time's mock driver. Those at 32,768 Hz are shown by the image
//! `ticks` of the firmware.

use std::task::{Context, Poll, Waker};

use embassy_time::{Duration as Ticks, MockDriver};
use redress::Duration;
use redress::time::Timer;
use redress_embassy::EmbassyTime;

#[test]
fn at_1_mhz_a_delay_ends_at_its_tick() {
    let (driver, mut time) = (MockDriver::get(), EmbassyTime);
    for micros in [1, 2, 999, 1_000, 20_000] {
        let mut sleep = std::pin::pin!(time.sleep(Duration::from_micros(micros)));
        let mut poll = || sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(poll(), Poll::Pending);
        driver.advance(Ticks::from_ticks(micros - 1));
        assert_eq!(poll(), Poll::Pending, "{micros} us");
        driver.advance(Ticks::from_ticks(1));
        assert_eq!(poll(), Poll::Ready(()), "{micros} us");
    }
}

#[test]
fn a_delay_beyond_all_ticks_never_ends() {
    let mut time = EmbassyTime;
    let mut sleep = std::pin::pin!(time.sleep(Duration::MAX));
    let poll = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(poll, Poll::Pending);
}
