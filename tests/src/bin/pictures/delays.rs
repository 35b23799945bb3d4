//! The delays of four strategies: the range of each delay over 1,001 calls, and its median, as a preview of the policy has them.

use plotters::prelude::{Color, LineSeries, Polygon};
use redress::{Backoff, Duration, ErrorClass, Policy};
use redress_tokio::preview::preview;

use crate::chart::{BLUE, axes, svg};

const RETRIES: u32 = 8;
const BASE: Duration = Duration::from_millis(250);
const MAX: Duration = Duration::from_secs(8);

pub(crate) fn picture() -> String {
    let strategies = [
        ("exponential", Backoff::exponential(BASE, MAX)),
        ("equal jitter", Backoff::equal_jitter(BASE, MAX)),
        ("full jitter", Backoff::full_jitter(BASE, MAX)),
        ("decorrelated jitter", Backoff::decorrelated_jitter(BASE, MAX)),
    ];
    svg((880, 270), |area| {
        for (part, (name, backoff)) in area.split_evenly((1, 4)).iter().zip(strategies) {
            let delays = delays(backoff);
            let mut chart =
                axes(part, name, ("retry", f64::from(RETRIES) + 0.4), ("delay, s", 8.2));
            let points = |which: usize| -> Vec<(f64, f64)> {
                (1..).zip(&delays).map(|(nth, delay)| (f64::from(nth), delay[which])).collect()
            };
            let (shortest, median, longest) = (points(0), points(1), points(2));
            let band: Vec<_> = longest.into_iter().chain(shortest.into_iter().rev()).collect();
            chart.draw_series([Polygon::new(band, BLUE.mix(0.3))]).expect("a band can be drawn");
            let median = LineSeries::new(median, BLUE.stroke_width(2)).point_size(2);
            chart.draw_series(median).expect("a line can be drawn");
        }
    })
}

/// Shortest, median and longest delay before each retry, in seconds.
fn delays(backoff: Backoff) -> Vec<[f64; 3]> {
    let policy = Policy::builder().max_attempts(RETRIES + 1).no_deadline().backoff(backoff);
    let preview = preview(&policy.build().expect("the settings are right"));
    let class = preview.classes.iter().find(|class| class.class == ErrorClass::Transient);
    let secs = |delay: Duration| delay.as_micros() as f64 / 1e6;
    let delays = &class.expect("every class is there").delays;
    delays.iter().map(|delay| [delay.min, delay.median, delay.max].map(secs)).collect()
}
