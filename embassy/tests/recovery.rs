//! A bus that a device holds, and how it is freed. The device is a model on two lines of open drain: no
//! emulator has one that can be cut off in a byte.
#![cfg(feature = "embedded-hal")]

use core::ops::ControlFlow;
use std::cell::Cell;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex as Wires;
use embassy_time::{Duration, Instant, MockDriver};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use embedded_hal::i2c::ErrorKind;
use redress::random::NoRandom;
use redress::{Backoff, Last, Policy, policy};
use redress_embassy::{EmbassyTime, StuckBus, classify, recover_bus};

/// Two lines, and a device that was cut off while it sent a byte: its bits are low on SDA until they are
/// clocked out, the first of them already there.
#[derive(Debug)]
struct Lines {
    controller_sda: Cell<bool>,
    controller_scl: Cell<bool>,
    /// Bits of the byte that are still to come, the next one in the lowest place.
    bits: Cell<u32>,
    left: Cell<u32>,
    /// When the device lets SCL go that it stretches.
    stretched_until: Cell<u64>,
    clocks: Cell<u32>,
    stops: Cell<u32>,
}

impl Lines {
    /// A device with `left` bits to send.
    fn holding(bits: u32, left: u32) -> Self {
        Self {
            controller_sda: Cell::new(true),
            controller_scl: Cell::new(true),
            bits: Cell::new(bits),
            left: Cell::new(left),
            stretched_until: Cell::new(0),
            clocks: Cell::new(0),
            stops: Cell::new(0),
        }
    }

    fn scl(&self) -> bool {
        self.controller_scl.get() && Instant::now().as_micros() >= self.stretched_until.get()
    }

    fn sda(&self) -> bool {
        self.controller_sda.get() && (self.left.get() == 0 || self.bits.get() & 1 == 1)
    }

    /// The controller drives both lines so; what the device makes of it.
    fn drive(&self, sda: bool, scl: bool) {
        let (sda_before, scl_before) = (self.sda(), self.controller_scl.get());
        self.controller_sda.set(sda);
        self.controller_scl.set(scl);
        if scl_before && !scl {
            self.clocks.set(self.clocks.get() + 1);
            // The next bit, at a falling clock; an acknowledgement is not there, so the device lets go.
            self.bits.set(self.bits.get() >> 1);
            self.left.set(self.left.get().saturating_sub(1));
        }
        if scl && scl_before && !sda_before && self.sda() {
            self.stops.set(self.stops.get() + 1);
        }
    }
}

struct Sda<'l>(&'l Lines);
struct Scl<'l>(&'l Lines);

impl ErrorType for Sda<'_> {
    type Error = Infallible;
}

impl ErrorType for Scl<'_> {
    type Error = Infallible;
}

impl InputPin for Sda<'_> {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.sda())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.sda())
    }
}

impl InputPin for Scl<'_> {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.scl())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.scl())
    }
}

impl OutputPin for Sda<'_> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.drive(false, self.0.controller_scl.get());
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.drive(true, self.0.controller_scl.get());
        Ok(())
    }
}

impl OutputPin for Scl<'_> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.drive(self.0.controller_sda.get(), false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.drive(self.0.controller_sda.get(), true);
        Ok(())
    }
}

/// The driver's time is one for all: tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What recovery makes of the lines, and the microseconds that it takes.
fn recover(lines: &Lines) -> (Result<u8, StuckBus<Infallible>>, u64) {
    let (mut sda, mut scl, start) = (Sda(lines), Scl(lines), Instant::now());
    let mut recovery = pin!(recover_bus(&mut sda, &mut scl));
    loop {
        if let Poll::Ready(result) = recovery.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            return (result, start.elapsed().as_micros());
        }
        MockDriver::get().advance(Duration::from_micros(1));
    }
}

#[test]
fn a_bus_that_a_device_holds_is_freed_by_as_many_clocks_as_it_needs() {
    let _turn = turn();
    // A byte of zeros that has just begun; with a one in it, which is no end; with two, which are a STOP;
    // at its last bit; with an acknowledgement.
    for (bits, left, clocks) in [(0, 8, 8), (0b100, 8, 8), (0b11_0000, 8, 4), (0, 1, 1), (0, 9, 9)]
    {
        let lines = Lines::holding(bits, left);
        let (result, micros) = recover(&lines);
        assert_eq!(result, Ok(clocks), "{left} bits of {bits:b}");
        assert!(lines.sda() && lines.scl() && lines.stops.get() == 1, "{lines:?}");
        assert!(micros <= 20 * (u64::from(clocks) + 2), "{micros} us");
    }
}

#[test]
fn a_bus_that_is_free_gets_a_stop_and_no_more() {
    let _turn = turn();
    let lines = Lines::holding(0, 0);
    assert_eq!(recover(&lines).0, Ok(0));
    assert_eq!((lines.stops.get(), lines.sda(), lines.scl()), (1, true, true));
}

#[test]
fn a_bus_that_nothing_frees_is_an_error_that_names_the_line() {
    let _turn = turn();
    let lines = Lines::holding(0, u32::MAX);
    let (result, _) = recover(&lines);
    assert_eq!(result, Err(StuckBus::Data));
    assert_eq!(result.unwrap_err().to_string(), "SDA is low after nine clocks");
    assert_eq!(lines.clocks.get(), 9);
    assert!(lines.controller_sda.get() && lines.scl(), "both are let go");

    let lines = Lines::holding(0, 3);
    lines.stretched_until.set(u64::MAX);
    let (result, micros) = recover(&lines);
    assert_eq!(result, Err(StuckBus::Clock));
    assert_eq!(result.unwrap_err().to_string(), "SCL is low for 35 ms");
    assert!((35_000..36_000).contains(&micros), "{micros} us");
}

#[test]
fn a_device_may_stretch_a_clock() {
    let _turn = turn();
    let lines = Lines::holding(0, 4);
    lines.stretched_until.set((Instant::now() + Duration::from_millis(20)).as_micros());
    assert_eq!(recover(&lines).0, Ok(4));
}

#[test]
fn a_hook_before_the_retry_frees_the_bus_for_it() {
    const SENSOR: Policy =
        policy! { Policy::builder().backoff(Backoff::constant(redress::Duration::ZERO)) };
    let _turn = turn();
    let lines = Lines::holding(0, 5);
    let wires = Wires::<NoopRawMutex, _>::new((Sda(&lines), Scl(&lines)));
    let clocks = Cell::new(None);
    let mut sensor = SENSOR.on(EmbassyTime, NoRandom).classify(classify::i2c).before_retry_async(
        async |_, _: &Last<ErrorKind>| {
            let (sda, scl) = &mut *wires.lock().await;
            match recover_bus(sda, scl).await {
                Ok(used) => {
                    clocks.set(Some(used));
                    ControlFlow::Continue(())
                }
                Err(_) => ControlFlow::Break(()),
            }
        },
    );
    // A driver cannot start while SDA is low.
    let read = async |attempt: redress::Attempt| match wires.lock().await.0.is_high() {
        Ok(true) => Ok(attempt.number),
        _ => Err(ErrorKind::Bus),
    };
    let mut call = pin!(sensor.call_async(read));
    let result = loop {
        if let Poll::Ready(result) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            break result;
        }
        MockDriver::get().advance(Duration::from_micros(1));
    };
    assert_eq!(result, Ok(2));
    assert_eq!(clocks.get(), Some(5));
}
