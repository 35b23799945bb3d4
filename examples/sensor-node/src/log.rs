//! The log: every decision in one line.

use redress::{Event, EventKind, Observer};

/// Writes each event of a call to the log.
#[derive(Clone, Copy)]
pub struct Log;

impl Observer for Log {
    fn event(&mut self, event: &Event<'_>) {
        let (operation, attempt) = (event.operation, event.attempt);
        let class = event.class.map_or("", |class| class.as_str());
        match event.kind {
            EventKind::Success if attempt > 1 => {
                defmt::info!("{=str} #{=u32} success after a retry", operation, attempt);
            }
            EventKind::Success => {}
            EventKind::Retry => defmt::warn!(
                "{=str} #{=u32} {=str} retry in {=u64} ms",
                operation,
                attempt,
                class,
                event.delay.as_millis()
            ),
            _ => match event.stop_reason {
                Some(reason) => defmt::error!(
                    "{=str} #{=u32} {=str} stop: {=str}",
                    operation,
                    attempt,
                    class,
                    reason.as_str()
                ),
                None => defmt::warn!("{=str} {=str} {=str}", operation, class, event.kind.as_str()),
            },
        }
    }
}
