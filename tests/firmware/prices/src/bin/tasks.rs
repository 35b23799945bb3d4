//! redress, four tasks, each with an operation under a policy and behind a breaker of its own. Each
//! spawns the next, as the time that jumps wakes one task at a time.

#![no_std]
#![no_main]

use prices::embassy_executor::{self, Spawner};
use prices::operation;
use prices::semihosting;
use prices::sensor::{Sensor, script};

operation!(temperature, 50, 1_000);
operation!(humidity, 80, 2_000);
operation!(pressure, 120, 5_000);
operation!(light, 20, 500);

/// A task that reads twice, the second time after two failures, and goes on with `$next`.
macro_rules! task {
    ($name:ident: $operation:ident, then $next:expr) => {
        #[embassy_executor::task]
        async fn $name(spawner: Spawner) {
            let mut sensor = Sensor::slow();
            script(prices::SCRIPT);
            let first = $operation::call(&mut sensor).await;
            let second = $operation::call(&mut sensor).await;
            if first != Some(21) || second != Some(21) {
                semihosting::process::exit(1);
            }
            let next: fn(Spawner) = $next;
            next(spawner);
        }
    };
}

task!(job: temperature, then |spawner| spawn(spawner, second(spawner)));
task!(second: humidity, then |spawner| spawn(spawner, third(spawner)));
task!(third: pressure, then |spawner| spawn(spawner, fourth(spawner)));
task!(fourth: light, then |_| semihosting::process::exit(0));

fn spawn<S>(
    spawner: Spawner,
    token: Result<embassy_executor::SpawnToken<S>, embassy_executor::SpawnError>,
) {
    match token {
        Ok(token) => spawner.spawn(token),
        Err(_) => semihosting::process::exit(2),
    }
}

#[prices::entry]
fn start() -> ! {
    prices::run(|spawner| spawn(spawner, job(spawner)))
}
