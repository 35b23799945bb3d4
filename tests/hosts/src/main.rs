//! Has real Rust clients fail, and gives the errors that they return to the classifiers of
//! redress-tokio.
//!
//! `cargo run -p redress-hosts` starts `PostgreSQL`, `MariaDB` and Redis of the system on free ports and in
//! a temporary folder, and servers of HTTP, gRPC and plain TCP in its own process. It prints each
//! row that fails, compares TABLE.md, and closes with `N passed, N failed, N skipped`.

mod clients;
mod rows;

use std::process::ExitCode;

use clap::Parser;
use redress_hosts::{Failure, servers};

use crate::rows::Rows;

#[derive(Parser)]
struct Arguments {
    /// Writes TABLE.md in place of comparing it
    #[arg(long)]
    write: bool,

    /// Prints each error
    #[arg(long)]
    verbose: bool,
}

/// On one thread, which is the main one: the system ends the servers with the thread that has
/// started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut rows = Rows::new(arguments.verbose);
    let run = tokio::select! {
        run = clients::run(&mut rows) => run,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    if let Err(why) = run {
        eprintln!("error: {why}");
        return ExitCode::FAILURE;
    }
    if let Err(why) = rows.table(arguments.write) {
        println!("FAILED TABLE.md: {why}");
        rows.failed += 1;
    }
    println!("{} passed, {} failed, 0 skipped", rows.passed, rows.failed);
    if rows.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
