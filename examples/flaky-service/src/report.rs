//! The closing table: the same load in both ways, side by side.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use crate::board::{Ending, Tally};
use crate::service::FlakyService;

/// What one way of calling came to.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// What the callers counted.
    pub tally: Tally,
    /// How long the load took.
    pub took: Duration,
    /// What the service counted, if it is ours: all requests, and those during the
    /// outage.
    pub reached: Option<(u32, u32)>,
}

impl Side {
    /// A load on a service of the user's own, or on one of ours.
    pub fn new(tally: Tally, took: Duration, service: Option<&FlakyService>) -> Self {
        let reached = service.map(|ours| (ours.reached(), ours.reached_in_outage()));
        Self { tally, took, reached }
    }
}

/// Both ways of calling; prints as a table and a sentence.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many calls there were to make.
    pub total: u32,
    /// Under the policy.
    pub guarded: Side,
    /// In the naive loop, if that was wanted.
    pub naive: Option<Side>,
    /// What the latest failed call came to.
    pub last_failure: Option<String>,
}

impl Report {
    fn row(&self, table: &mut Table, name: &str, value: impl Fn(&Side) -> Option<String>) {
        let sides = [Some(&self.guarded), self.naive.as_ref()];
        let values: Vec<_> = sides.into_iter().flatten().map(value).collect();
        if values.iter().all(Option::is_none) {
            return;
        }
        let cells = values.into_iter().map(|value| {
            Cell::new(value.as_deref().unwrap_or("-")).set_alignment(CellAlignment::Right)
        });
        table.add_row(std::iter::once(Cell::new(name)).chain(cells));
    }

    fn count(&self, table: &mut Table, name: &str, value: impl Fn(&Side) -> u32) {
        self.row(table, name, |side| Some(value(side).to_string()));
    }

    fn rare(&self, table: &mut Table, name: &str, value: impl Fn(&Side) -> u32) {
        self.row(table, name, |side| Some(value(side)).filter(|&n| n > 0).map(|n| n.to_string()));
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        let naive = self.naive.map(|_| "naive loop");
        table.set_header(["", "redress"].into_iter().chain(naive));
        let ended = |ending| move |side: &Side| side.tally.ended(ending);
        self.count(&mut table, "calls", |_| self.total);
        if self.guarded.reached.is_some() {
            let name = "requests that reached the service";
            self.row(&mut table, name, |side| Some(side.reached?.0.to_string()));
            let name = "  of these during the outage";
            self.row(&mut table, name, |side| Some(side.reached?.1.to_string()));
        } else {
            self.count(&mut table, "requests sent", |side| side.tally.requests);
        }
        self.count(&mut table, "successes", |side| side.tally.successes());
        self.rare(&mut table, "  of these after a retry", ended(Ending::Retried));
        self.row(&mut table, "requests for each success", |side| {
            let requests = side.reached.map_or(side.tally.requests, |(all, _)| all);
            let successes = side.tally.successes();
            (successes > 0).then(|| format!("{:.2}", f64::from(requests) / f64::from(successes)))
        });
        self.rare(&mut table, "refused for good (401, 404)", ended(Ending::Refused));
        self.count(&mut table, "failed", ended(Ending::Failed));
        self.rare(&mut table, "rejected by the breaker, not sent", ended(Ending::Rejected));
        self.rare(&mut table, "not finished in time", |side| self.total - side.tally.calls());
        self.row(&mut table, "slowest call", |side| Some(seconds(side.tally.slowest)));
        self.row(&mut table, "time", |side| Some(seconds(side.took)));
        table
    }

    /// What to remember of the table.
    fn sentence(&self) -> Option<String> {
        if self.guarded.tally.successes() == 0 {
            let failure = self.last_failure.as_deref().unwrap_or("the time was over");
            return Some(format!("Nothing came through; the last failure: {failure}."));
        }
        let (_, guarded) = self.guarded.reached?;
        let (_, naive) = self.naive?.reached?;
        let fewer = naive.checked_sub(guarded).filter(|_| guarded > 0)?;
        let percent = 100 * fewer / naive;
        Some(format!(
            "While the service was out, it got {guarded} requests instead of {naive}: {percent} % fewer."
        ))
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.table())?;
        match self.sentence() {
            Some(sentence) => writeln!(f, "{sentence}"),
            None => Ok(()),
        }
    }
}

fn seconds(span: Duration) -> String {
    format!("{:.2} s", span.as_secs_f32())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(successes: u32, reached: Option<(u32, u32)>) -> Side {
        let mut tally = Tally::default();
        (0..successes).for_each(|_| tally.end(Ending::AtOnce, Duration::from_millis(20)));
        Side { tally, took: Duration::from_secs(3), reached }
    }

    #[test]
    fn the_sentence_says_how_many_requests_an_outage_was_spared() {
        let guarded = side(2, Some((20, 5)));
        let naive = Some(side(1, Some((90, 50))));
        let text = Report { total: 4, guarded, naive, last_failure: None }.to_string();
        assert!(text.contains("5 requests instead of 50: 90 % fewer"), "{text}");
    }

    #[test]
    fn without_a_service_of_ours_the_requests_sent_are_counted() {
        let guarded = side(2, None);
        let text = Report { total: 4, guarded, naive: None, last_failure: None }.to_string();
        assert!(text.contains("requests sent") && !text.contains("outage"), "{text}");
        assert!(!text.contains("naive") && text.contains("not finished in time"), "{text}");
    }

    #[test]
    fn the_last_failure_is_told_if_nothing_came_through() {
        let last_failure = Some("Connection refused (os error 111)".to_owned());
        for (successes, told) in [(0, true), (1, false)] {
            let guarded = side(successes, None);
            let report =
                Report { total: 4, guarded, naive: None, last_failure: last_failure.clone() };
            assert_eq!(report.to_string().contains("Connection refused"), told, "{successes}");
        }
    }
}
