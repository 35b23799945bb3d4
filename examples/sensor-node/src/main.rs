#![no_std]
#![no_main]

mod ethernet;
mod durable;
mod executor;
mod i2c;
mod embassy_time_stub;
mod log;
mod node;
mod policy;
mod register;
mod systick;
mod upload;

use defmt_semihosting as _;
use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use static_cell::StaticCell;
use core::cell::RefCell;
use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_time::Delay;
use eeprom24x::{Eeprom24x, SlaveAddr};
use embedded_hal_bus::i2c::RefCellDevice;

use crate::ethernet::Ethernet;
use crate::i2c::I2c0;
use crate::node::Node;
use crate::upload::{Tcp, Web};

/// Of this node alone, from the range for private use.
const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x2A];

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
            dns_servers: Default::default(),
        });
        let ethernet = Ethernet::new(ADDRESS);
        let (stack, runner) = embassy_net::new(ethernet, config, RESOURCES.init(StackResources::new()), 7);
        spawner.spawn(net(runner).unwrap());
        spawner.spawn(node(stack).unwrap());
    })
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn node(stack: Stack<'static>) -> ! {
    let arguments = semihosting::experimental::env::args::<64>();
    let service = match &arguments {
        Ok(arguments) => arguments.into_iter().nth(1).and_then(Result::ok),
        Err(_) => None,
    };
    let service = service.unwrap_or("10.0.2.2:80");

    static BUS: StaticCell<RefCell<I2c0>> = StaticCell::new();
    let bus: &RefCell<I2c0> = BUS.init(RefCell::new(I2c0::new()));
    let eeprom = Eeprom24x::new_24x32(RefCellDevice::new(bus), SlaveAddr::default());
    let storage = eeprom24x::Storage::new(eeprom, Delay);
    let (mut node, in_flight) = Node::new(RefCellDevice::new(bus), storage, u64::from_le_bytes([0x02, 0, 0, 0, 0, 0x2A, 0, 0]));

    let state = TcpClientState::new();
    let tcp: Tcp<'_> = TcpClient::new(stack, &state);
    let dns = DnsSocket::new(stack);
    let mut web = Web::new(&tcp, &dns, service);
    node.run(&mut web, in_flight).await
}
