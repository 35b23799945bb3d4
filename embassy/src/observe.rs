//! Every decision in one line of the log: [`DefmtObserver`] and [`LogObserver`].

#[cfg(any(feature = "defmt", feature = "log"))]
use redress::{Event, Observer, StopReason};

/// How loud an event is: a success is a debug line, a retry and a changing breaker warn, a
/// call that ends without a success is an error; one that was deferred or aborted is information.
#[cfg(any(feature = "defmt", feature = "log"))]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[cfg(any(feature = "defmt", feature = "log"))]
fn level(event: &Event<'_>) -> Level {
    use redress::EventKind;
    match (event.kind, event.stop_reason) {
        (EventKind::Success, _) => Level::Debug,
        (_, Some(StopReason::Scheduled | StopReason::Aborted)) | (EventKind::CircuitClosed, _) => {
            Level::Info
        }
        (_, Some(_)) => Level::Error,
        (_, None) => Level::Warn,
    }
}

/// Writes each event to the defmt log: operation, event, attempt, class, detail and delay.
///
/// What is interned stays on the host; a line costs the target tens of bytes. Filter it with
/// `DEFMT_LOG=redress_embassy=warn` when the image is built.
#[cfg(feature = "defmt")]
#[derive(Clone, Copy, Debug, Default)]
pub struct DefmtObserver;

#[cfg(feature = "defmt")]
impl Observer for DefmtObserver {
    fn event(&mut self, event: &Event<'_>) {
        let (operation, kind) = (event.operation, event.kind.as_str());
        let class = event.class.map_or("", redress::ErrorClass::as_str);
        let detail = event.detail.or(event.error).unwrap_or("");
        let (attempt, delay) = (event.attempt, event.delay.as_micros());
        match level(event) {
            Level::Debug => defmt::debug!("{=str}: {=str} #{=u32}", operation, kind, attempt),
            Level::Info => {
                defmt::info!("{=str}: {=str} #{=u32} {=str}", operation, kind, attempt, class);
            }
            Level::Warn => defmt::warn!(
                "{=str}: {=str} #{=u32} {=str} ({=str}) in {=u64:us}",
                operation,
                kind,
                attempt,
                class,
                detail,
                delay
            ),
            Level::Error => defmt::error!(
                "{=str}: {=str} #{=u32} {=str} ({=str})",
                operation,
                kind,
                attempt,
                class,
                detail
            ),
        }
    }
}

/// Writes each event to the log of the crate `log`, under the target `redress`: operation,
/// event, attempt, class, detail and delay.
#[cfg(feature = "log")]
#[derive(Clone, Copy, Debug, Default)]
pub struct LogObserver;

#[cfg(feature = "log")]
impl Observer for LogObserver {
    fn event(&mut self, event: &Event<'_>) {
        let (operation, kind, attempt) = (event.operation, event.kind, event.attempt);
        let class = event.class.map_or("", redress::ErrorClass::as_str);
        let detail = event.detail.or(event.error).unwrap_or("");
        match level(event) {
            Level::Debug => {
                log::debug!(target: "redress", "{operation}: {kind} #{attempt}");
            }
            Level::Info => {
                log::info!(target: "redress", "{operation}: {kind} #{attempt} {class}");
            }
            Level::Warn => {
                let delay = event.delay;
                log::warn!(
                    target: "redress",
                    "{operation}: {kind} #{attempt} {class} ({detail}) in {delay}"
                );
            }
            Level::Error => {
                log::error!(target: "redress", "{operation}: {kind} #{attempt} {class} ({detail})");
            }
        }
    }
}
