//! SIGHUP reads the settings again; SIGTERM ends the service.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::settings::Settings;
use crate::upstreams::Upstreams;

/// At each SIGHUP: a file that cannot be used is refused as a whole, and the settings stay.
pub(crate) fn reload(
    file: PathBuf,
    upstreams: Upstreams,
) -> io::Result<impl Future<Output = ()> + Send> {
    let mut hangups = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangups.recv().await.is_some() {
            let updated = Settings::read(&file).and_then(|settings| {
                upstreams.update(&settings.upstreams)?;
                Ok(())
            });
            match updated {
                Ok(()) => tracing::info!("new settings"),
                Err(why) => tracing::error!("the settings stay: {why}"),
            }
        }
    })
}

/// At SIGTERM: `/readyz` says so for the time that load balancers need to see it, while requests
/// are still answered; then the future is ready.
pub(crate) fn stop(
    is_stopping: Arc<AtomicBool>,
    drain: Duration,
) -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminations = signal(SignalKind::terminate())?;
    Ok(async move {
        terminations.recv().await;
        is_stopping.store(true, Ordering::Relaxed);
        tracing::info!("stopping: not ready for {} ms, then no new connections", drain.as_millis());
        tokio::time::sleep(drain).await;
    })
}
