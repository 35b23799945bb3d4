#![no_std]
#![no_main]

mod ethernet;
mod executor;
mod i2c;
mod embassy_time_stub;
mod log;
mod node;
mod policy;
mod register;
mod systick;

use defmt_semihosting as _;
use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use static_cell::StaticCell;

use crate::ethernet::Ethernet;
use crate::i2c::I2c0;

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
        let ethernet = Ethernet::new([0x02, 0, 0, 0, 0, 0x2A]);
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
    defmt::info!("boot: readings go to {=str}", service);
    node::run(I2c0::new(), stack, service).await
}
