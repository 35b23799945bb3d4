//! What the service calls: [`Upstreams`] say how often and how long, [`Clients`] are what is called.

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redress_tokio::observe::{Metrics, Tracing};
use redress_tokio::{Prepared, SettingsError, Upstream};
use reqwest::Url;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tonic::transport::{Channel, Endpoint};

use crate::Failure;
use crate::settings::{Addresses, OfUpstreams};

/// An upstream with a log and metrics.
pub(crate) type Observed = Upstream<(Tracing, Metrics)>;

/// Policy, breakers and budget of each upstream.
#[derive(Clone)]
pub(crate) struct Upstreams {
    pub(crate) orders: Observed,
    pub(crate) prices: Observed,
    pub(crate) cache: Observed,
    pub(crate) stock: Observed,
}

impl Upstreams {
    pub(crate) fn new(settings: &OfUpstreams) -> Result<Self, SettingsError> {
        let observed = |(name, own)| {
            let upstream = Upstream::from_settings(own)?.named(name).forward_deadline();
            Ok::<_, SettingsError>(upstream.observer((Tracing::new(), Metrics::new())))
        };
        let [orders, prices, cache, stock] = settings.all().map(observed);
        Ok(Self { orders: orders?, prices: prices?, cache: cache?, stock: stock? })
    }

    /// Replaces the settings of all upstreams, or of none, under running calls, which keep theirs.
    pub(crate) fn update(&self, settings: &OfUpstreams) -> Result<(), SettingsError> {
        let all = self.all().into_iter().zip(settings.all());
        let prepare = |((name, upstream), (_, own)): ((_, &Observed), (_, _))| {
            upstream.prepare(own).map_err(|why| why.under(&format!("upstreams.{name}")))
        };
        let prepared: Result<Vec<_>, _> = all.map(prepare).collect();
        prepared?.into_iter().for_each(Prepared::apply);
        Ok(())
    }

    /// In the order of [`OfUpstreams::all`].
    pub(crate) fn all(&self) -> [(&'static str, &Observed); 4] {
        [
            ("orders", &self.orders),
            ("prices", &self.prices),
            ("cache", &self.cache),
            ("stock", &self.stock),
        ]
    }
}

/// The clients, none of which retries by itself.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) postgres: PgPool,
    pub(crate) redis: ConnectionManager,
    pub(crate) http: reqwest::Client,
    pub(crate) prices: Url,
    pub(crate) stock: Channel,
}

const SCHEMA: &str = "
    create table if not exists orders (
        id bigint generated always as identity primary key,
        item text not null,
        quantity int not null,
        key text unique
    )";

impl Clients {
    /// `PostgreSQL` must be there, for the table; the others may come later.
    pub(crate) async fn new(addresses: &Addresses) -> Result<Self, Failure> {
        let wrong = |field: &str, why: &dyn std::fmt::Display| format!("addresses.{field}: {why}");
        // A pool waits for a connection as long as an attempt, or the upstream's timeout ends it.
        let pool = PgPoolOptions::new().max_connections(6);
        let postgres = pool.connect(&addresses.postgres).await;
        let postgres = postgres.map_err(|why| wrong("postgres", &why))?;
        sqlx::query(SCHEMA).execute(&postgres).await?;
        let redis = redis::Client::open(&*addresses.redis).map_err(|why| wrong("redis", &why))?;
        let once = ConnectionManagerConfig::new().set_number_of_retries(0);
        let redis = ConnectionManager::new_lazy_with_config(redis, once)?;
        // An error if there is one already: then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().retry(reqwest::retry::never()).build()?;
        let prices = addresses.prices.parse::<Url>().map_err(|why| wrong("prices", &why))?;
        let stock = Endpoint::from_shared(addresses.stock.clone());
        let stock = stock.map_err(|why| wrong("stock", &why))?.connect_lazy();
        Ok(Self { postgres, redis, http, prices, stock })
    }
}
