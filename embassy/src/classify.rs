//! What the errors of drivers and stacks are, for `Retry::classify`.
//!
//! Each takes the error by reference and gives a class with a detail for the log:
//!
//! ```
//! # #[cfg(feature = "embedded-hal")] {
//! use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
//! use redress::ErrorClass;
//!
//! let error = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
//! let classification = redress_embassy::classify::i2c(&error);
//! assert_eq!(classification.class, ErrorClass::Transient);
//! assert_eq!(classification.detail, Some("no device acknowledges the address"));
//! # }
//! ```
//!
//! Classes are those of a device or peer that is meant to be there: a missing acknowledge
//! may come from a loose plug or from a sensor that still starts, and is retried. Where you
//! know better, say so in a closure of your own and leave the rest to these.
//!
//! | errors of | function | feature |
//! | --- | --- | --- |
//! | I2C, SPI | [`i2c`], [`spi`] | `embedded-hal` |
//! | UARTs, sockets, modems through embedded-io | [`io`] | `embedded-io` |
//! | UARTs through embedded-hal-nb | [`serial`], [`nb`] | `embedded-hal-nb` |
//! | CAN | [`can`] | `embedded-can` |
//! | embassy-time | [`timeout()`] | |
//! | embassy-net | [`tcp`], [`connect`], [`dns`]; [`udp_send`], [`udp_receive`] | `embassy-net`; `embassy-net-udp` |
//! | reqwless | [`web`] | `reqwless` |
//! | MQTT | [`rust_mqtt()`]; [`minimq()`], [`minimq_publish`] | `rust-mqtt`; `minimq` |
//! | Wi-Fi of a CYW43439 | [`cyw43_join`] | `cyw43` |
//! | modems through AT commands | [`atat()`], [`cme`], [`cms`] | `atat` |
//! | flash | [`flash`]; [`sequential_storage()`] | `storage`; `sequential-storage` |
//!
//! For Bluetooth LE (trouble-host), `LoRaWAN` (lorawan-device) and `CoAP` there are
//! [recipes](https://github.com/redress-rs/redress/blob/main/embassy/RECIPES.md): their crates build only with
//! a role or a region that the program chooses.

#[cfg(feature = "atat")]
mod atat;
#[cfg(feature = "embedded-hal")]
mod bus;
#[cfg(feature = "embedded-can")]
mod can;
#[cfg(feature = "cyw43")]
mod cyw43;
#[cfg(any(feature = "storage", feature = "sequential-storage"))]
mod flash;
#[cfg(feature = "embedded-io")]
mod io;
#[cfg(feature = "minimq")]
mod minimq;
#[cfg(feature = "embassy-net")]
mod net;
#[cfg(feature = "rust-mqtt")]
mod rust_mqtt;
#[cfg(feature = "sequential-storage")]
mod sequential_storage;
#[cfg(feature = "embedded-hal-nb")]
mod serial;
#[cfg(feature = "reqwless")]
mod web;

use redress::{Classification, ErrorClass};

#[cfg(feature = "atat")]
pub use atat::{atat, cme, cms};
#[cfg(feature = "embedded-hal")]
pub use bus::{i2c, spi};
#[cfg(feature = "embedded-can")]
pub use can::can;
#[cfg(feature = "cyw43")]
pub use cyw43::cyw43_join;
#[cfg(any(feature = "storage", feature = "sequential-storage"))]
pub use flash::flash;
#[cfg(feature = "embedded-io")]
pub use io::io;
#[cfg(feature = "minimq")]
pub use minimq::{minimq, minimq_publish};
#[cfg(feature = "embassy-net")]
pub use net::{connect, dns, tcp};
#[cfg(feature = "embassy-net-udp")]
pub use net::{udp_receive, udp_send};
#[cfg(feature = "rust-mqtt")]
pub use rust_mqtt::rust_mqtt;
#[cfg(feature = "sequential-storage")]
pub use sequential_storage::sequential_storage;
#[cfg(feature = "embedded-hal-nb")]
pub use serial::{nb, serial};
#[cfg(feature = "reqwless")]
pub use web::web;

const fn of(class: ErrorClass, detail: &'static str) -> Classification {
    Classification::new(class).detail(detail)
}

/// A timeout of embassy-time: TRANSIENT.
pub fn timeout(_: &embassy_time::TimeoutError) -> Classification {
    of(ErrorClass::Transient, "timed out")
}

/// A reason code of MQTT 5: its class, and TRANSIENT for a broker that ends a connection without an
/// error.
#[cfg(any(feature = "rust-mqtt", feature = "minimq"))]
const fn mqtt5(reason: u8) -> Classification {
    match redress::classify::mqtt5_code(reason) {
        Some(class) => of(class, "refused by the broker"),
        None if reason < 0x80 => of(ErrorClass::Transient, "disconnected by the broker"),
        None => of(ErrorClass::Unknown, "unspecified error of the broker"),
    }
}
