//! The table at the end: the same load, twice.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

/// What became of one load.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Calls that were made.
    pub calls: u64,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Requests that reached the service; those that were sent, where it is not ours.
    pub reached: u64,
    /// Those that reached it in its outage; unknown where it is not ours.
    pub in_outage: Option<u64>,
    /// How long it took.
    pub time: Duration,
}

/// The two loads side by side.
pub fn table(guarded: Summary, naive: Summary) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["", "redress", "naive loop"]);
    let mut row = |name: &str, of: &dyn Fn(Summary) -> String| {
        table.add_row([name.to_owned(), of(guarded), of(naive)]);
    };
    row("calls", &|s| s.calls.to_string());
    row("succeeded", &|s| s.succeeded.to_string());
    row("requests that reached the service", &|s| s.reached.to_string());
    row("of these during the outage", &|s| {
        s.in_outage.map_or_else(|| "not known".to_owned(), |count| count.to_string())
    });
    row("time", &|s| format!("{:.1} s", s.time.as_secs_f64()));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
