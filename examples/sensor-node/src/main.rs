//! A sensor node on an LM3S6965 (Cortex-M3): reads a temperature over I2C and posts it
//! over Ethernet, each under its own policy, with one retry budget for both.
//!
//! | module | what it is about |
//! | --- | --- |
//! | `policy` | what each failure deserves: what a user of redress writes |
//! | `node` | the job |
//! | `upload` | one post, which goes on after a reset |
//! | `mqtt` | a session with a broker that stays |
//! | `failure` | what the errors of the drivers are |
//! | `durable` | what survives a reset |
//! | `wall` | the time that nothing ran |
//! | `log` | every decision in one line |
//! | `ethernet`, `i2c`, `systick`, `executor`, `register` | the chip |

#![no_std]
#![no_main]

mod durable;
mod ethernet;
mod executor;
mod failure;
mod i2c;
mod log;
mod mqtt;
mod node;
mod policy;
mod register;
mod systick;
mod upload;
mod wall;

use core::cell::RefCell;

use defmt_semihosting as _;
use eeprom24x::{Eeprom24x, SlaveAddr};
use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use embassy_time::Delay;
use embedded_hal_bus::i2c::RefCellDevice;
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng as _;
use redress_embassy::random::Seed;
use static_cell::StaticCell;

use crate::ethernet::Ethernet;
use crate::i2c::I2c0;
use crate::mqtt::Broker;
use crate::node::Node;
use crate::upload::{Tcp, Web};

/// Of this node alone, from the range for private use.
const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x2A];

defmt::timestamp!("{=u64:us}", embassy_time::Instant::now().as_micros());

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("panicked: {}", defmt::Display2Format(info));
    semihosting::process::exit(101)
}

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Some(mut peripherals) = cortex_m::Peripherals::take() {
        systick::start(&mut peripherals);
    }
    executor::run(|spawner| {
        static RESOURCES: StaticCell<StackResources<5>> = StaticCell::new();
        let config = Config::ipv4_static(StaticConfigV4 {
            address: Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, 15), 24),
            gateway: Some(Ipv4Address::new(10, 0, 2, 2)),
            // The host: the emulator hands on what is asked there.
            dns_servers: heapless::Vec::from_array([Ipv4Address::new(10, 0, 2, 2)]),
        });
        let resources = RESOURCES.init(StackResources::new());
        // For the local ports, which need not differ from start to start.
        let seed = Seed::new(&MAC, 0).finish();
        let (stack, runner) = embassy_net::new(Ethernet::new(MAC), config, resources, seed);
        // Each task has room for one, and is spawned once.
        let (Ok(net), Ok(node), Ok(broker)) = (net(runner), node(stack), broker(stack)) else {
            defmt::panic!("no room for a task");
        };
        spawner.spawn(net);
        spawner.spawn(node);
        spawner.spawn(broker);
    })
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

/// With a third argument, `name:port:password` of a broker.
#[embassy_executor::task]
async fn broker(stack: Stack<'static>) {
    let arguments = semihosting::experimental::env::args::<128>();
    let Ok(arguments) = &arguments else { return };
    let Some(Ok(broker)) = arguments.into_iter().nth(2) else { return };
    let Some(broker) = Broker::parse(broker) else {
        defmt::error!("{=str}: a broker is name:port:password", broker);
        return;
    };
    let seed = Seed::new(&MAC, 1).finish();
    mqtt::stay_connected(stack, broker, Xoshiro128PlusPlus::seed_from_u64(seed)).await
}

#[embassy_executor::task]
async fn node(stack: Stack<'static>) -> ! {
    // The emulator says where the service and the broker are; on hardware it would be configuration.
    let arguments = semihosting::experimental::env::args::<128>();
    // They are read once, from the first to the last.
    let mut arguments = arguments.iter().flatten().skip(1);
    let service = arguments.next().and_then(Result::ok).unwrap_or("10.0.2.2:80");
    let readings = arguments.next().map(|_| &mqtt::READINGS);

    let bus = RefCell::new(I2c0::new());
    let eeprom = Eeprom24x::new_24x32(RefCellDevice::new(&bus), SlaveAddr::default());
    let storage = eeprom24x::Storage::new(eeprom, Delay);
    let (sensor, wall) = (RefCellDevice::new(&bus), RefCellDevice::new(&bus));
    let (mut node, in_flight) = Node::new(sensor, wall, storage, &MAC);

    let state = TcpClientState::new();
    let tcp: Tcp<'_> = TcpClient::new(stack, &state);
    let dns = DnsSocket::new(stack);
    let mut web = Web::new(&tcp, &dns, service);
    node.run(&mut web, readings, in_flight).await
}
