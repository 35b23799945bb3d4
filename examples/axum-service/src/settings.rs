//! The file of settings: [`Settings`].

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use redress::Duration;
use redress_tokio::UpstreamSettings;
use serde::Deserialize;

use crate::Failure;

/// The file, of which nothing is used before all of it has been checked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    longest_request_ms: u32,
    drain_ms: u32,
    pub(crate) addresses: Addresses,
    pub(crate) upstreams: OfUpstreams,
}

/// Where the upstreams are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Addresses {
    pub(crate) postgres: String,
    pub(crate) redis: String,
    pub(crate) prices: String,
    pub(crate) stock: String,
}

/// The settings of each upstream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfUpstreams {
    pub(crate) orders: UpstreamSettings,
    pub(crate) prices: UpstreamSettings,
    pub(crate) cache: UpstreamSettings,
    pub(crate) stock: UpstreamSettings,
}

impl OfUpstreams {
    pub(crate) fn all(&self) -> [(&'static str, &UpstreamSettings); 4] {
        [
            ("orders", &self.orders),
            ("prices", &self.prices),
            ("cache", &self.cache),
            ("stock", &self.stock),
        ]
    }
}

impl Settings {
    /// Reads and checks the file.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|why| format!("{name}: {why}"))?;
        let settings: Self = toml::from_str(&text).map_err(|why| format!("{name}: {why}"))?;
        for (upstream, own) in settings.upstreams.all() {
            own.policy().map_err(|why| format!("{name}: upstreams.{upstream}.{why}"))?;
        }
        for (field, value) in
            [("longestRequestMs", settings.longest_request_ms), ("drainMs", settings.drain_ms)]
        {
            if !(1..=600_000).contains(&value) {
                return Err(format!("{name}: {field}: {value} is out of range: 1 to 600000").into());
            }
        }
        Ok(settings)
    }

    pub(crate) fn longest_request(&self) -> Duration {
        Duration::from_millis(self.longest_request_ms.into())
    }

    pub(crate) fn drain(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.drain_ms.into())
    }
}
