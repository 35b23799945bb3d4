//! The job: read a temperature, post it, come what may.

use embassy_rp::clocks::RoscRng;
use embassy_time::{Duration, Ticker};
use embedded_hal::i2c::I2c;
use embedded_storage::nor_flash::NorFlash;
use lm75::Lm75;
use lm75::ic::Lm75 as Chip;
use redress::{Classification, Retry};
use redress_embassy::EmbassyTime;
use redress_embassy::durable::Transitions;
use redress_embassy::random::RandCore09;

use crate::failure;
use crate::log::Log;
use crate::policy::{BUDGET, NETWORK_BREAKER, Network, SENSOR_BREAKER, Sensor};
use crate::service::{Reading, Service};
use crate::state::State;

/// From one reading to the next.
const PERIOD: Duration = Duration::from_secs(10);

/// Reads and posts for ever. The state is written when a breaker has changed: each reading, or
/// each start of a node that starts again and again, would wear the flash out.
pub async fn run<B: I2c, F: NorFlash>(
    mut sensor: Lm75<B, Chip>,
    mut service: Service<'_>,
    mut state: State<F>,
) -> ! {
    let changes = Transitions::new();
    let mut read = Retry::new(Sensor, EmbassyTime, RandCore09(RoscRng))
        .breaker(&SENSOR_BREAKER)
        .budget(&BUDGET)
        .classify(failure::of_sensor::<B::Error>)
        .observer(Log)
        .observer(&changes)
        .operation("read sensor");
    let mut post = Retry::new(Network, EmbassyTime, RandCore09(RoscRng))
        .breaker(&NETWORK_BREAKER)
        .budget(&BUDGET)
        .classify(|class: &Classification| *class)
        .observer(Log)
        .observer(&changes)
        .operation("post reading");

    // A number by chance tells starts apart and needs no write.
    let start = RoscRng.next_u32();
    defmt::info!("start {=u32}", start);
    let mut ticker = Ticker::every(PERIOD);
    let mut number = 0;
    loop {
        if let Ok(celsius) = read.call_async(async |_| sensor.read_temperature()).await {
            number += 1;
            let reading = Reading { start, number, celsius };
            // Not sent, and not kept: the next reading is newer. The log has said why.
            if let Ok(status) = post.call_async(async |_| service.post(&reading).await).await {
                defmt::info!("reading {=u32} of {=f32} C posted: {=u16}", number, celsius, status);
            }
        }
        if changes.take() {
            state.save();
        }
        ticker.next().await;
    }
}
