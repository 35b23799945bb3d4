//! A sensor node on a W5500-EVB-Pico (RP2040 and W5500): reads a temperature over I2C and
//! posts it over Ethernet, each under its own policy, with one retry budget for both.
//!
//! | module | what it is about |
//! | --- | --- |
//! | `policy` | what each failure deserves: what a user of redress writes |
//! | `node` | the job |
//! | `service` | one attempt to post |
//! | `failure` | what the errors of the sensor are (of the other sensor node) |
//! | `state` | what survives a reset |
//! | `log` | every decision in one line (of the other sensor node) |

#![no_std]
#![no_main]

#[path = "../../sensor-node/src/failure.rs"]
mod failure;
#[path = "../../sensor-node/src/log.rs"]
mod log;
mod node;
mod policy;
mod service;
mod state;

use defmt_rtt as _;
use embassy_executor::Spawner;
use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_net::{Config, StackResources};
use embassy_net_wiznet::chip::W5500;
use embassy_net_wiznet::{Device, Runner};
use embassy_rp::clocks::RoscRng;
use embassy_rp::flash::{Blocking, ERASE_SIZE, Flash};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::i2c::I2c;
use embassy_rp::peripherals::{DMA_CH0, DMA_CH1, SPI0};
use embassy_rp::spi::{Async, Spi};
use embassy_rp::watchdog::Watchdog;
use embassy_rp::{bind_interrupts, dma, i2c, spi};
use embassy_time::{Delay, Duration, Timer, with_timeout};
use embedded_hal_bus::spi::ExclusiveDevice;
use lm75::{Address, Lm75};
use panic_probe as _;
use static_cell::StaticCell;

use crate::service::Service;
use crate::state::State;

/// As large as `memory.x` says.
const FLASH_SIZE: usize = 2 * 1024 * 1024;
/// What `memory.x` leaves to the state.
const STATE: u32 = (FLASH_SIZE - 2 * ERASE_SIZE) as u32;

type Chip = ExclusiveDevice<Spi<'static, SPI0, Async>, Output<'static>, Delay>;
type Ethernet = Runner<'static, W5500, Chip, Input<'static>, Output<'static>>;

bind_interrupts!(struct Interrupts {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

defmt::timestamp!("{=u64:us}", embassy_time::Instant::now().as_micros());

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let board = embassy_rp::init(Default::default());
    spawner.spawn(defmt::unwrap!(watch(Watchdog::new(board.WATCHDOG))));

    let mut flash = Flash::<_, Blocking, FLASH_SIZE>::new_blocking(board.FLASH);
    let mut id = [0; 8];
    defmt::unwrap!(flash.blocking_unique_id(&mut id));
    // Of this node alone: the number of its flash, in the range for private use.
    let mac = [0x02, id[3], id[4], id[5], id[6], id[7]];

    let mut config = spi::Config::default();
    config.frequency = 50_000_000;
    let (clock, mosi, miso) = (board.PIN_18, board.PIN_19, board.PIN_16);
    let bus =
        Spi::new(board.SPI0, clock, mosi, miso, board.DMA_CH0, board.DMA_CH1, Interrupts, config);
    let select = Output::new(board.PIN_17, Level::High);
    let interrupt = Input::new(board.PIN_21, Pull::Up);
    let reset = Output::new(board.PIN_20, Level::High);
    static FRAMES: StaticCell<embassy_net_wiznet::State<4, 4>> = StaticCell::new();
    let frames = FRAMES.init(embassy_net_wiznet::State::new());
    let Ok(chip) = ExclusiveDevice::new(bus, select, Delay);
    let started = embassy_net_wiznet::new(mac, frames, chip, interrupt, reset).await;
    let Ok((device, ethernet)) = started else {
        // The watchdog resets a node that has panicked, and it tries again.
        defmt::panic!("the W5500 does not answer");
    };
    spawner.spawn(defmt::unwrap!(drive(ethernet)));

    static SOCKETS: StaticCell<StackResources<4>> = StaticCell::new();
    let sockets = SOCKETS.init(StackResources::new());
    let config = Config::dhcpv4(Default::default());
    let (stack, net) = embassy_net::new(device, config, sockets, RoscRng.next_u64());
    spawner.spawn(defmt::unwrap!(talk(net)));
    // A cable that is out is a failure as any other, and the sensor is read all the same.
    match with_timeout(Duration::from_secs(10), stack.wait_config_up()).await {
        Ok(()) => defmt::info!("address: {}", stack.config_v4().map(|config| config.address)),
        Err(_) => defmt::warn!("no address yet"),
    }

    defmt::info!("readings go to {=str}", service::URL);
    static TCP: StaticCell<TcpClientState<1, 1024, 1024>> = StaticCell::new();
    let tcp = TcpClient::new(stack, TCP.init(TcpClientState::new()));
    let dns = DnsSocket::new(stack);
    let sensor = I2c::new_blocking(board.I2C0, board.PIN_5, board.PIN_4, i2c::Config::default());
    let sensor = Lm75::new(sensor, Address::default());
    node::run(sensor, Service::new(&tcp, &dns), State::restore(flash, STATE)).await
}

#[embassy_executor::task]
async fn drive(ethernet: Ethernet) -> ! {
    ethernet.run().await
}

#[embassy_executor::task]
async fn talk(mut net: embassy_net::Runner<'static, Device<'static>>) -> ! {
    net.run().await
}

/// Resets the chip when no task has had a turn for eight seconds: a bus that a device holds
/// keeps the blocking I2C driver waiting for ever. State is kept, and the node starts again.
#[embassy_executor::task]
async fn watch(mut watchdog: Watchdog) -> ! {
    let patience = Duration::from_secs(8);
    watchdog.start(patience);
    loop {
        watchdog.feed(patience);
        Timer::after_secs(1).await;
    }
}
