//! Delays of `EmbassyTime` at a rate at which they are converted: none is short, wherever in its
//! tick the clock is when it starts.

#![no_std]
#![no_main]

use embassy_time::TICK_HZ;
use prices::embassy_executor;
use prices::semihosting::{self, eprintln};
use redress::time::Timer;
use redress::{Clock, Duration};
use redress_embassy::EmbassyTime;

const SPANS: [u64; 9] = [1, 30, 31, 61, 62, 999, 1_000, 1_000_000, 86_400_000_000];

fn ticks() -> u64 {
    embassy_time::Instant::now().as_ticks()
}

/// Whether a delay of `span` us is neither short, wherever in its tick the clock is, nor two ticks
/// long.
async fn holds(span: u64) -> bool {
    let (clock, start) = (EmbassyTime.now(), ticks());
    EmbassyTime.sleep(Duration::from_micros(span)).await;
    let ticks = ticks() - start;
    let (wanted, second) = (u128::from(span) * u128::from(TICK_HZ), 1_000_000);
    // Of the first tick all but an instant may have been over.
    let surely = u128::from(ticks - 1) * second;
    let holds = surely >= wanted
        && surely < wanted + second
        && EmbassyTime.now().since(clock).as_micros() >= span;
    let word = if holds { "ok" } else { "FAILED" };
    eprintln!("{} a delay is never short, of {} us: {} ticks of {} Hz", word, span, ticks, TICK_HZ);
    holds
}

#[embassy_executor::task]
async fn job() {
    let mut passed = 0;
    for span in SPANS {
        passed += usize::from(holds(span).await);
    }
    eprintln!("{} passed, {} failed", passed, SPANS.len() - passed);
    semihosting::process::exit(i32::from(passed != SPANS.len()))
}

#[prices::entry]
fn start() -> ! {
    prices::run(|spawner| {
        if let Ok(token) = job() {
            spawner.spawn(token);
        }
    })
}
