//! A sensor node on an LM3S6965 (Cortex-M3): reads a temperature over I2C and posts it
//! over Ethernet, each under its own policy, with one retry budget for both.
//!
//! | module | what it is about |
//! | --- | --- |
//! | `policy` | what each failure deserves: what a user of redress writes |
//! | `node` | the job |
//! | `upload` | one post, which goes on after a reset |
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
use redress_embassy::random::Seed;
use static_cell::StaticCell;

use crate::ethernet::Ethernet;
use crate::i2c::I2c0;
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
        static RESOURCES: StaticCell<StackResources<3>> = StaticCell::new();
        let config = Config::ipv4_static(StaticConfigV4 {
            address: Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, 15), 24),
            gateway: Some(Ipv4Address::new(10, 0, 2, 2)),
            dns_servers: heapless::Vec::new(),
        });
        let resources = RESOURCES.init(StackResources::new());
        // For the local ports, which need not differ from start to start.
        let seed = Seed::new(&MAC, 0).finish();
        let (stack, runner) = embassy_net::new(Ethernet::new(MAC), config, resources, seed);
        // Each task has room for one, and is spawned once.
        let (Ok(net), Ok(node)) = (net(runner), node(stack)) else {
            defmt::panic!("no room for a task");
        };
        spawner.spawn(net);
        spawner.spawn(node);
    })
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn node(stack: Stack<'static>) -> ! {
    // The emulator says where the service is; on hardware it would be configuration.
    let arguments = semihosting::experimental::env::args::<64>();
    let service = match &arguments {
        Ok(arguments) => arguments.into_iter().nth(1).and_then(Result::ok),
        Err(_) => None,
    };
    let service = service.unwrap_or("10.0.2.2:80");

    let bus = RefCell::new(I2c0::new());
    let eeprom = Eeprom24x::new_24x32(RefCellDevice::new(&bus), SlaveAddr::default());
    let storage = eeprom24x::Storage::new(eeprom, Delay);
    let (sensor, wall) = (RefCellDevice::new(&bus), RefCellDevice::new(&bus));
    let (mut node, in_flight) = Node::new(sensor, wall, storage, &MAC);

    let state = TcpClientState::new();
    let tcp: Tcp<'_> = TcpClient::new(stack, &state);
    let dns = DnsSocket::new(stack);
    let mut web = Web::new(&tcp, &dns, service);
    node.run(&mut web, in_flight).await
}
