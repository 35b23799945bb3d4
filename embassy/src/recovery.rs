//! An I2C bus that a device holds: [`recover_bus`].

use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use redress::Duration;
use redress::time::Timer;

use crate::EmbassyTime;

/// Half a period of the slowest bus, 100 kHz.
const HALF_PERIOD: Duration = Duration::from_micros(5);

/// For how long a device may stretch a clock: the longest time-out of `SMBus`.
const STRETCH: Duration = Duration::from_millis(35);

/// Clocks that the longest byte may lack, with its acknowledgement.
const CLOCKS: u8 = 9;

/// Why a bus is not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum StuckBus<E> {
    /// Something holds SDA low after nine clocks: a device that needs a reset or its power switched
    /// off, or a short circuit.
    Data,
    /// Something holds SCL low for 35 ms: no controller can free this bus.
    Clock,
    /// A pin cannot be read or driven.
    Pin(E),
}

impl<E: core::fmt::Debug> core::fmt::Display for StuckBus<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Data => f.write_str("SDA is low after nine clocks"),
            Self::Clock => f.write_str("SCL is low for 35 ms"),
            Self::Pin(error) => write!(f, "a pin of the bus fails: {error:?}"),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for StuckBus<E> {}

/// Frees an I2C bus: up to nine clocks, until the device that was cut off in a byte lets SDA go for
/// a STOP, after which every device waits for the next START.
///
/// Returns how many clocks it took, 0 for a bus that no device held. It takes 15 us for each clock at most, at
/// 32,768 Hz 185 us, and 35 ms more for a device that stretches one.
///
/// An attempt that is dropped in the middle of a byte leaves the device waiting for clocks, with SDA low if
/// the bit is a zero: no driver can send a START then. Call it in the hook
/// [before the retry](redress::Retry::before_retry_async), while no driver has the pins. Pins must be open drain with
/// input, which HALs call `Flex`, `OutputOpenDrain`, or `set_as_input_output`:
///
/// ```
/// # use core::{cell::RefCell, ops::ControlFlow};
/// # use embedded_hal::digital::{InputPin, OutputPin};
/// # use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::Mutex};
/// # use redress::random::NoRandom;
/// # use redress::{Backoff, Duration, Last, Policy, policy};
/// # use redress_embassy::{EmbassyTime, classify, recover_bus};
/// # const SENSOR: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };
/// # struct Wires<P>(P, P);
/// # impl<P> Wires<P> { fn open_drain(&mut self) -> (&mut P, &mut P) { (&mut self.0, &mut self.1) } }
/// # async fn read<P: InputPin + OutputPin>(wires: Wires<P>) {
/// let wires = Mutex::<NoopRawMutex, _>::new(wires);
/// let mut sensor = SENSOR
///     .on(EmbassyTime, NoRandom)
///     .classify(classify::i2c)
///     .before_retry_async(async |_, _: &Last<_>| {
///         let mut wires = wires.lock().await;
///         let (sda, scl) = wires.open_drain();
///         match recover_bus(sda, scl).await {
///             Ok(_) => ControlFlow::Continue(()),
///             // No attempt succeeds on such a bus.
///             Err(_stuck) => ControlFlow::Break(()),
///         }
///     });
/// # let _ = sensor.call_async(async |_| Err::<(), _>(embedded_hal::i2c::ErrorKind::Bus)).await;
/// # }
/// ```
///
/// With the pins of an nRF52840 and its driver it is the program at the top of [this crate](crate).
///
/// Source: NXP UM10204, section 3.1.16, "Bus clear".
///
/// # Errors
///
/// [`StuckBus`]: both lines are released then, too.
pub async fn recover_bus<D, C>(sda: &mut D, scl: &mut C) -> Result<u8, StuckBus<D::Error>>
where
    D: InputPin + OutputPin,
    C: InputPin + OutputPin + ErrorType<Error = D::Error>,
{
    sda.set_high().map_err(StuckBus::Pin)?;
    release(scl).await?;
    let mut clocks = 0;
    loop {
        let held = sda.is_low().map_err(StuckBus::Pin)?;
        if clocks > CLOCKS || (held && clocks == CLOCKS) {
            return Err(StuckBus::Data);
        }
        scl.set_low().map_err(StuckBus::Pin)?;
        half_a_period().await;
        if held {
            release(scl).await?;
        } else {
            // A STOP: SDA rises while SCL is high. In the middle of a byte that is another bit for
            // the device, and if it is a zero, no STOP.
            sda.set_low().map_err(StuckBus::Pin)?;
            half_a_period().await;
            release(scl).await?;
            sda.set_high().map_err(StuckBus::Pin)?;
            half_a_period().await;
            if sda.is_high().map_err(StuckBus::Pin)? {
                return Ok(clocks);
            }
        }
        clocks += 1;
    }
}

async fn half_a_period() {
    EmbassyTime.sleep(HALF_PERIOD).await;
}

/// Lets SCL go, and waits for a device that stretches the clock.
async fn release<C: InputPin + OutputPin>(scl: &mut C) -> Result<(), StuckBus<C::Error>> {
    scl.set_high().map_err(StuckBus::Pin)?;
    half_a_period().await;
    if scl.is_low().map_err(StuckBus::Pin)? {
        EmbassyTime.sleep(STRETCH).await;
        if scl.is_low().map_err(StuckBus::Pin)? {
            return Err(StuckBus::Clock);
        }
    }
    Ok(())
}
