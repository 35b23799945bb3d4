//! Requests to a service in an outage of a minute, with and without a budget.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use plotters::prelude::{Color, LineSeries, Rectangle};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use redress::budget::{Pool, RatioConfig};
use redress::driver::Decision;
use redress::{Backoff, Duration, ErrorClass, Policy, RatioBudget, Retry, policy};

use crate::chart::{BLUE, GREY, ORANGE, axes, font, named, svg};

const UPSTREAM: Policy = policy! {
    Policy::builder()
        .max_attempts(4)
        .backoff(Backoff::full_jitter(Duration::from_millis(500), Duration::from_secs(8)))
};
const TENTH: RatioConfig = RatioConfig::new(100);

const SECONDS: usize = 180;
const OUTAGE: std::ops::Range<u64> = 60_000_000..120_000_000;
/// A call begins each 50 ms.
const EVERY: u64 = 50_000;

pub(crate) fn picture() -> String {
    let budget = RefCell::new(RatioBudget::<_>::new(&TENTH).expect("the settings are right"));
    let runs = [
        ("four attempts", requests(()), ORANGE),
        ("four attempts, budget of 10 %", requests(&budget), BLUE),
        ("new calls", vec![(1_000_000 / EVERY) as f64; SECONDS], GREY),
    ];
    svg((880, 320), |area| {
        let mut chart = axes(
            area,
            "",
            ("time, s", SECONDS as f64),
            ("requests per second to the service", 90.0),
        );
        let outage = Rectangle::new([(60.0, 0.0), (120.0, 90.0)], GREY.mix(0.12).filled());
        chart.draw_series([outage]).expect("a rectangle can be drawn");
        for (name, requests, color) in runs {
            let points =
                requests.iter().enumerate().map(|(second, &requests)| (second as f64, requests));
            let line = LineSeries::new(points, color.stroke_width(2));
            named(chart.draw_series(line).expect("a line can be drawn"), name, color);
        }
        chart
            .configure_series_labels()
            .position(plotters::chart::SeriesLabelPosition::UpperLeft)
            .label_font(font(13))
            .draw()
            .expect("a legend can be drawn");
    })
}

/// The requests in each second of a run.
fn requests<B: Pool + Copy>(budget: B) -> Vec<f64> {
    let clock = Cell::new(0_u64);
    let calls = SECONDS as u64 * 1_000_000 / EVERY;
    let mut retries: Vec<_> = (0..calls)
        .map(|seed| {
            Retry::new(&UPSTREAM, &clock, Xoshiro256PlusPlus::seed_from_u64(seed)).budget(budget)
        })
        .collect();
    let mut waiting: Vec<_> = retries.iter_mut().map(Some).collect();
    let mut running: Vec<_> = waiting.iter().map(|_| None).collect();
    let mut due: BinaryHeap<_> =
        (0..calls as usize).map(|call| Reverse((call as u64 * EVERY, call))).collect();
    let mut requests = vec![0.0; SECONDS];
    while let Some(Reverse((now, call))) = due.pop() {
        clock.set(now);
        let steps = match waiting[call].take() {
            Some(retry) => running[call].insert(retry.begin().expect("there is no breaker")),
            None => running[call].as_mut().expect("it waited"),
        };
        if steps.call().attempts() > 0 && steps.on_wake().is_err() {
            continue;
        }
        let Ok(_) = steps.start() else { continue };
        if let Some(second) = requests.get_mut((now / 1_000_000) as usize) {
            *second += 1.0;
        }
        if !OUTAGE.contains(&now) {
            steps.succeed();
        } else if let Decision::Retry { after } = steps.fail(ErrorClass::ServerError) {
            due.push(Reverse((now + after.as_micros(), call)));
        }
    }
    requests
}
