//! The board's Ethernet port as a driver of embassy-net: the Stellaris controller hands
//! frames over through one register, 32 bits at a time.

use core::task::Context;

use cortex_m::peripheral::NVIC;
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState};
use embassy_sync::waitqueue::AtomicWaker;
use lm3s6965::{Interrupt, interrupt};

use crate::register::Register;

const fn register(offset: usize) -> Register {
    // SAFETY: the Ethernet controller lies here and reaches no memory by itself.
    unsafe { Register::at(0x4004_8000 + offset) }
}

/// Read: what happened. Written: what is acknowledged.
const STATUS: Register = register(0x00);
const INTERRUPT_MASK: Register = register(0x04);
const RECEIVE_CONTROL: Register = register(0x08);
const TRANSMIT_CONTROL: Register = register(0x0C);
const DATA: Register = register(0x10);
const ADDRESS_LOW: Register = register(0x14);
const ADDRESS_HIGH: Register = register(0x18);
/// How many frames wait.
const FRAMES: Register = register(0x34);
/// Bit 0: a frame is on its way out.
const REQUEST: Register = register(0x38);

const RECEIVED: u32 = 1 << 0;
const SENT: u32 = 1 << 2;
/// Of Ethernet: two addresses and a type.
const HEADER: usize = 14;
const LONGEST: usize = HEADER + 1500;

static WAKER: AtomicWaker = AtomicWaker::new();

/// The port. Only one may be made.
pub struct Ethernet {
    address: [u8; 6],
    buffer: [u8; LONGEST + 6],
}

impl Ethernet {
    /// Switches the port on.
    pub fn new(address: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = address;
        ADDRESS_LOW.write(u32::from_le_bytes([a, b, c, d]));
        ADDRESS_HIGH.write(u32::from_le_bytes([e, f, 0, 0]));
        // Reset the queue, then receive what is meant for us and frames to all.
        RECEIVE_CONTROL.write(1 << 4);
        RECEIVE_CONTROL.write(1 << 0 | 1 << 3);
        // Both ways at once, checksum and padding by the controller.
        TRANSMIT_CONTROL.write(1 << 0 | 1 << 1 | 1 << 2 | 1 << 4);
        STATUS.write(u32::MAX);
        INTERRUPT_MASK.write(RECEIVED | SENT);
        // SAFETY: the handler below is in place and touches only its waker.
        unsafe { NVIC::unmask(Interrupt::ETHERNET) };
        Self { address, buffer: [0; LONGEST + 6] }
    }
}

#[interrupt]
fn ETHERNET() {
    STATUS.write(STATUS.read());
    WAKER.wake();
}

impl Driver for Ethernet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Transmit;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Received<'_>, Transmit)> {
        WAKER.register(context.waker());
        let waits = FRAMES.read() & 0x3F > 0 && REQUEST.read() & 1 == 0;
        waits.then_some((Received(&mut self.buffer), Transmit))
    }

    fn transmit(&mut self, context: &mut Context<'_>) -> Option<Transmit> {
        WAKER.register(context.waker());
        (REQUEST.read() & 1 == 0).then_some(Transmit)
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        // The emulated controller has no PHY to ask: a cable that is out shows as
        // silence, and attempts run into their timeouts.
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = LONGEST;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address)
    }
}

/// A frame that waits in the controller.
pub struct Received<'a>(&'a mut [u8; LONGEST + 6]);

impl embassy_net_driver::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        // Two bytes of length that count themselves and four of checksum, the frame,
        // the checksum.
        let first = DATA.read().to_le_bytes();
        let all = usize::from(u16::from_le_bytes([first[0], first[1]]));
        let (mut place, mut rest) = (0, all.saturating_sub(4));
        let mut put = |byte: u8| {
            if let Some(free) = self.0.get_mut(place) {
                *free = byte;
            }
            place += 1;
        };
        put(first[2]);
        put(first[3]);
        while rest > 0 {
            DATA.read().to_le_bytes().into_iter().for_each(&mut put);
            rest = rest.saturating_sub(4);
        }
        let frame = all.saturating_sub(6).min(LONGEST);
        f(&mut self.0[..frame])
    }
}

/// Room for a frame in the controller.
pub struct Transmit;

impl embassy_net_driver::TxToken for Transmit {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut buffer = [0; LONGEST + 6];
        let result = f(&mut buffer[2..2 + len]);
        // The length counts what follows the header.
        let payload = len.saturating_sub(HEADER) as u16;
        buffer[..2].copy_from_slice(&payload.to_le_bytes());
        let (words, _) = buffer[..(2 + len).next_multiple_of(4)].as_chunks::<4>();
        for word in words {
            DATA.write(u32::from_le_bytes(*word));
        }
        REQUEST.write(1);
        result
    }
}
