//! The job: read a temperature, post it, come what may.

use embassy_time::{Duration, Timer};
use embedded_hal::i2c::I2c;
use embedded_storage::Storage;
use lm75::Lm75;
use lm75::ic::Lm75 as Chip;
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng as _;
use redress::budget::Budget as _;
use redress::event::CircuitState;
use redress::{Clock as _, Shared as _};
use redress_embassy::EmbassyTime;
use redress_embassy::random::Seed;

use crate::durable::{Durable, InFlight, Reading, Restored};
use crate::failure;
use crate::log::Log;
use crate::mqtt::Readings;
use crate::policy::{BUDGET, NETWORK_BREAKER, SENSOR, SENSOR_BREAKER};
use crate::upload::{self, Web};
use crate::wall::WallClock;

/// Between two readings.
const PAUSE: Duration = Duration::from_millis(250);

/// The sensor, the way to the service, and the state that survives a reset.
pub struct Node<B: I2c, S> {
    sensor: Lm75<B, Chip>,
    wall: WallClock<B>,
    durable: Durable<S>,
    rng: Xoshiro128PlusPlus,
    boot: u32,
    off: Option<redress::Duration>,
    number: u32,
    saved: [CircuitState; 2],
}

impl<B: I2c, S: Storage> Node<B, S> {
    /// A node that goes on where it was, with the reading that was on its way.
    pub fn new(sensor: B, wall: B, storage: S, node: &[u8]) -> (Self, Option<InFlight>) {
        let mut durable = Durable::new(storage);
        let mut wall = WallClock::new(wall);
        let Restored { boot, off, in_flight } = durable.restore(now(), wall.now());
        // No two nodes and no two starts jitter alike.
        let seed = Seed::new(node, boot).finish();
        let node = Self {
            sensor: Lm75::new(sensor, 0x49_u8),
            wall,
            durable,
            rng: Xoshiro128PlusPlus::seed_from_u64(seed),
            boot,
            off,
            number: 0,
            saved: states(),
        };
        (node, in_flight)
    }

    /// Reads and posts for ever, after the reading that was on its way; a broker gets readings, too, if
    /// there is one.
    pub async fn run(
        &mut self,
        web: &mut Web<'_>,
        broker: Option<&Readings>,
        in_flight: Option<InFlight>,
    ) -> ! {
        self.introduce(in_flight.is_some());
        // The start is counted before anything else.
        self.durable.save(now(), self.wall.now(), in_flight.as_ref());
        if let Some(InFlight { reading, pause }) = in_flight {
            let Self { rng, durable, wall, .. } = self;
            upload::post(web, rng, durable, wall, &reading, Some(pause)).await;
        }
        self.save_changes();
        loop {
            if let Some(celsius) = self.read().await {
                self.number += 1;
                let reading = Reading { boot: self.boot, number: self.number, celsius };
                if let Some(broker) = broker {
                    broker.add(reading);
                }
                let Self { rng, durable, wall, .. } = self;
                upload::post(web, rng, durable, wall, &reading, None).await;
            }
            self.save_changes();
            Timer::after(PAUSE).await;
        }
    }

    /// Says what the reset has left.
    fn introduce(&self, in_flight: bool) {
        match self.off {
            Some(off) => defmt::info!("start {=u32} after {=u64} s", self.boot, off.as_secs()),
            None => defmt::info!("start {=u32}", self.boot),
        }
        for (name, breaker) in [("sensor", &SENSOR_BREAKER), ("network", &NETWORK_BREAKER)] {
            breaker.with(|breaker| {
                let state = breaker.state();
                if state != CircuitState::Closed {
                    let wait = breaker
                        .check(now())
                        .err()
                        .and_then(|open| open.retry_after)
                        .unwrap_or_default()
                        .as_millis();
                    defmt::warn!(
                        "restored: {=str} breaker {=str}, next probe in {=u64} ms",
                        name,
                        state.as_str(),
                        wait
                    );
                }
            });
        }
        let retries = BUDGET.with(|budget| budget.remaining(now())).unwrap_or(0);
        let call = if in_flight { "a call in flight" } else { "no call in flight" };
        defmt::info!("restored: {=u32} retries, {=str}", retries, call);
    }

    async fn read(&mut self) -> Option<f32> {
        let Self { sensor, rng, .. } = self;
        let reading = SENSOR
            .on(EmbassyTime, rng)
            .breaker(&SENSOR_BREAKER)
            .budget(&BUDGET)
            .classify(failure::of_sensor::<B::Error>)
            .observer(Log)
            .operation("read sensor")
            .call_async(async |_| sensor.read_temperature())
            .await;
        reading.ok()
    }

    /// Writes the state if a breaker has changed, or a call ended that is written there:
    /// every reading would wear the EEPROM out.
    fn save_changes(&mut self) {
        let states = states();
        let changed = states != self.saved || self.durable.holds_call();
        if changed && self.durable.save(now(), self.wall.now(), None) {
            self.saved = states;
            defmt::info!(
                "state saved: sensor breaker {=str}, network breaker {=str}",
                states[0].as_str(),
                states[1].as_str()
            );
        }
    }
}

fn now() -> redress::Instant {
    EmbassyTime.now()
}

fn states() -> [CircuitState; 2] {
    [&SENSOR_BREAKER, &NETWORK_BREAKER]
        .map(|breaker| breaker.with(|breaker| breaker.state()).unwrap_or(CircuitState::Closed))
}
