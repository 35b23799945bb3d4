//! The log: every decision in one line.

use redress::{Event, EventKind, Observer};

/// Writes each event of a call to the log: which operation and attempt, the class of the
/// failure, why, and what follows.
#[derive(Clone, Copy)]
pub struct Log;

impl Observer for Log {
    fn event(&mut self, event: &Event<'_>) {
        let (operation, attempt) = (event.operation, event.attempt);
        let class = event.class.map_or("", |class| class.as_str());
        // Every classifier of this node gives a detail; an attempt out of time has none.
        let detail = event.detail.unwrap_or("no answer in time");
        match (event.kind, event.stop_reason) {
            (EventKind::Success, _) if attempt > 1 => {
                defmt::info!("{=str} #{=u32} success after a retry", operation, attempt);
            }
            // Said by the node, with what it was good for.
            (EventKind::Success, _) => {}
            (EventKind::Retry, _) => defmt::warn!(
                "{=str} #{=u32} {=str} ({=str}) retry in {=u64} ms",
                operation,
                attempt,
                class,
                detail,
                event.delay.as_millis()
            ),
            (_, Some(reason)) => defmt::error!(
                "{=str} #{=u32} {=str} ({=str}) stop: {=str}",
                operation,
                attempt,
                class,
                detail,
                reason.as_str()
            ),
            (kind, None) => defmt::warn!("{=str} {=str}", operation, kind.as_str()),
        }
    }
}
