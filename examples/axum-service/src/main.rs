//! The service: `redress-axum-service upstreams.toml`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Orders over HTTP, with `PostgreSQL`, Redis and two services behind redress.
#[derive(Parser)]
struct Arguments {
    /// The file of settings
    #[arg(default_value = "upstreams.toml")]
    settings: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    redress_axum_service::run(&Arguments::parse().settings).await
}
