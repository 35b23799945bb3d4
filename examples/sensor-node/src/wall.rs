//! The wall clock: a DS1338 on the bus, which runs on its battery while the board has no
//! power.

use ds1307::{DateTimeAccess as _, Ds1307};
use embedded_hal::i2c::I2c;
use redress::Duration;

/// Seconds since 1970, as whole as the chip counts them.
pub struct WallClock<B>(Ds1307<B>);

impl<B: I2c> WallClock<B> {
    pub fn new(bus: B) -> Self {
        Self(Ds1307::new(bus))
    }

    /// The time; `None` if the chip does not answer or was never set.
    pub fn now(&mut self) -> Option<i64> {
        self.0.datetime().ok().map(|time| time.and_utc().timestamp())
    }
}

/// The time between two readings, for what was due meanwhile: a second less, for both are
/// rounded down, and a breaker must not open its door too early. `None` for a clock that
/// was set back.
pub fn between(earlier: i64, later: i64) -> Option<Duration> {
    let secs = u64::try_from(later.checked_sub(earlier)?).ok()?;
    Some(Duration::from_secs(secs.saturating_sub(1)))
}
