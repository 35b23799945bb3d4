//! Tasks of RTIC: a call is asynchronous, the monotonic is its delay and its clock, and the bus is a
//! resource that an attempt locks.

#![no_std]
#![no_main]

use rtic_monotonics::systick::prelude::*;

// 1 kHz in 32 bits: it wraps after 49 days.
systick_monotonic!(Mono, 1_000);

#[rtic::app(device = lm3s6965, dispatchers = [UART0, UART1])]
mod app {
    use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
    use loops::i2c::I2c0;
    use loops::{Circuit, INDOOR, OUTDOOR, ROUNDS, Rule, Thermometer, end, log, read, show};
    use redress::Retry;
    use redress::driver::WithDelay;
    use redress::random::NoRandom;
    use redress::time::Widened;
    use redress_embassy::{Locked, classify};

    use super::{ExtU32 as _, Mono, Timebase as _};

    /// Shared by tasks of any priority.
    static BREAKER: Locked<CriticalSectionRawMutex, Circuit> = Locked::new(Circuit::fixed(Rule));

    #[shared]
    struct Shared {
        bus: I2c0,
    }

    #[local]
    struct Local {}

    #[init]
    fn init(context: init::Context) -> (Shared, Local) {
        Mono::start(context.core.SYST, 12_500_000);
        if indoor::spawn().is_err() || outdoor::spawn().is_err() {
            end();
        }
        (Shared { bus: I2c0::new() }, Local {})
    }

    /// The monotonic as the time of a call. A clock for each task, as it keeps what it has read last.
    fn time() -> WithDelay<Widened<fn() -> u32>, Mono> {
        let ticks: fn() -> u32 = || Mono::now().as_ticks();
        WithDelay { clock: Widened::new(ticks, 1_000), delay: Mono }
    }

    #[task(priority = 1, shared = [bus])]
    async fn indoor(context: indoor::Context) {
        let mut bus = context.shared.bus;
        let mut retry = Retry::new(Thermometer, time(), NoRandom)
            .classify(classify::i2c)
            .operation("indoor")
            .on_event(log);
        loop {
            let call = retry.call_async(async |_| bus.lock(|bus| read(bus, INDOOR)));
            show("indoor", call.await.ok());
            Mono::delay(1.secs()).await;
        }
    }

    #[task(priority = 2, shared = [bus])]
    async fn outdoor(context: outdoor::Context) {
        let mut bus = context.shared.bus;
        let mut retry = Retry::new(Thermometer, time(), NoRandom)
            .classify(classify::i2c)
            .breaker(&BREAKER)
            .operation("outdoor")
            .on_event(log);
        for _ in 0..ROUNDS {
            let call = retry.call_async(async |_| bus.lock(|bus| read(bus, OUTDOOR)));
            show("outdoor", call.await.ok());
            Mono::delay(1.secs()).await;
        }
        end()
    }
}
