//! The service with real servers under load, which fail one after another, and what must hold of it.

mod faults;
mod load;
mod report;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use redress_hosts::Failure;
use tokio::runtime::Builder;

use crate::report::Report;
use crate::stage::Stage;

/// Starts the service with `PostgreSQL`, Redis, Prometheus, an HTTP and a gRPC server, and has each
/// of them fail under load.
///
/// Ends with `N checks passed, N failed`; exit code 0 if none failed, 1 if one did.
#[derive(Parser)]
struct Arguments {
    /// For how many seconds the load runs in each phase at least
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// Runs the service itself with this file of settings
    #[arg(long, hide = true)]
    service: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.service {
        return match Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(redress_axum_service::run(file)),
            Err(why) => failed(&why.into()),
        };
    }
    // On one thread, which is the main one: the system ends the servers with the thread that has
    // started them.
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return failed(&why.into()),
    };
    let run = runtime.block_on(async {
        tokio::select! {
            run = demo(arguments.seconds) => run,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        }
    });
    match run {
        Ok(report) => report.close(),
        Err(why) => failed(&why),
    }
}

fn failed(why: &Failure) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}

async fn demo(seconds: u64) -> Result<Report, Failure> {
    let mut report = Report::default();
    let mut stage = Stage::start(seconds).await?;
    println!("{}", stage.addresses());
    faults::all(&mut stage, &mut report).await?;
    Ok(report)
}
