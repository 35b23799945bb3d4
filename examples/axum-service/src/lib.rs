//! A service of orders whose upstreams are all behind `redress-tokio`: `PostgreSQL` (sqlx), Redis,
//! a service of prices (reqwest) and one of the stock (tonic).
//!
//! | module | what is in it |
//! | --- | --- |
//! | `settings` | the file of settings, checked before anything of it is used |
//! | `upstreams` | an `Upstream` for each, and the clients behind them |
//! | `orders` | the routes that call them |
//! | `probes` | liveness, readiness, metrics |
//! | `signals` | SIGHUP reads the settings again, SIGTERM ends the service |

mod orders;
mod probes;
mod settings;
mod signals;
mod upstreams;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use redress_tokio::layer::DeadlineLayer;
use tokio::net::TcpListener;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use settings::Settings;
use upstreams::{Clients, Upstreams};

/// Why the service does not start.
type Failure = Box<dyn std::error::Error>;

/// What each request has: clones share everything.
#[derive(Clone)]
struct App {
    upstreams: Upstreams,
    clients: Clients,
    prometheus: PrometheusHandle,
    /// The service has been told to end.
    is_stopping: Arc<AtomicBool>,
}

/// Runs the service with this file of settings until SIGTERM. Without one that can be used it says
/// what is wrong, and starts nothing.
pub async fn run(file: &Path) -> ExitCode {
    // What redress decides is all there; of the clients, what is worth a line.
    let levels =
        Targets::new().with_default(Level::INFO).with_target("redress_tokio", Level::DEBUG);
    let console = tracing_subscriber::fmt::layer().with_ansi(false).with_filter(levels);
    tracing_subscriber::registry().with(console).init();
    match serve(file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("not started: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(file: &Path) -> Result<(), Failure> {
    let settings = Settings::read(file)?;
    let prometheus = PrometheusBuilder::new().install_recorder()?;
    let app = App {
        upstreams: Upstreams::new(&settings.upstreams)?,
        clients: Clients::new(&settings.addresses).await?,
        prometheus,
        is_stopping: Arc::default(),
    };
    tokio::spawn(probes::upkeep(app.prometheus.clone()));
    tokio::spawn(signals::reload(file.to_owned(), app.upstreams.clone())?);
    let stopped = signals::stop(app.is_stopping.clone(), settings.drain())?;
    let limit = DeadlineLayer::new().at_most(settings.longest_request());
    let routes = Router::new().merge(orders::routes()).layer(limit).merge(probes::routes());
    let listener = TcpListener::bind(settings.listen).await?;
    tracing::info!("listening on {}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(app)).with_graceful_shutdown(stopped).await?;
    tracing::info!("every request has been answered");
    Ok(())
}
