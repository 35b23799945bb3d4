//! The first line of the demo: [`introduction`], what it does and how long it takes.

use std::time::Duration;

use crate::arguments::Arguments;

/// What the demo does with these arguments, and how long it takes; `length` is that of the load.
pub fn introduction(arguments: &Arguments, length: Duration) -> String {
    let callers = match arguments.callers() {
        1 => "1 caller calls".to_owned(),
        callers => format!("{callers} callers call"),
    };
    let secs = length.as_secs_f64().ceil();
    match (&arguments.url, arguments.guarded_only) {
        (Some(_), true) => format!(
            "`cargo demo`: {callers} a service of yours under one redress policy, for {secs} s \
             or a little more; a table closes it"
        ),
        (Some(_), false) => format!(
            "`cargo demo`: {callers} a service of yours, for {secs} s or a little more under \
             one redress policy, then as often in a naive retry loop; a table of both closes it"
        ),
        (None, true) => format!(
            "`cargo demo`: {callers} a flaky HTTP service under one redress policy, for {secs} s \
             or a little more; a table closes it"
        ),
        (None, false) => format!(
            "`cargo demo`: {callers} a flaky HTTP service under one redress policy, and as many \
             a twin of it in a naive retry loop, for {secs} s or a little more; a table of both closes it"
        ),
    }
}

/// The same of the demo on a microcontroller, whose broker is killed so often.
pub fn introduction_of_the_node(kills: Option<u32>) -> String {
    match kills {
        None => "`cargo demo -- --mcu`: builds the firmware of a sensor node, boots it on an emulated \
                 microcontroller and lets everything around it fail, for about a minute after the build; \
                 what it did about each fault closes it"
            .to_owned(),
        Some(kills) => format!(
            "`cargo demo -- --mcu --kills {kills}`: builds the firmware of a sensor node, boots it on an \
             emulated microcontroller and kills its MQTT broker {kills} times, for about {} min after \
             the build; what it did about each fault closes it",
            minutes(kills),
        ),
    }
}

/// Six seconds for each kill, then a broker that accepts and drops for twenty seconds, or above ten
/// kills for ten minutes.
fn minutes(kills: u32) -> u32 {
    (6 * kills + if kills > 10 { 600 } else { 20 }).div_ceil(60)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_first_line_has_the_callers_and_the_seconds_of_its_arguments() {
        for (arguments, length, wanted) in [
            (
                &["demo"][..],
                13.2,
                "16 callers call a flaky HTTP service under one redress policy, and as many a twin of it in a naive retry loop, for 14 s",
            ),
            (
                &["demo", "--guarded-only", "--callers", "3"],
                13.0,
                "3 callers call a flaky HTTP service under one redress policy, for 13 s",
            ),
            (
                &["demo", "--url", "http://host/"],
                2.0,
                "4 callers call a service of yours, for 2 s or a little more under one redress policy, then as often in a naive",
            ),
            (
                &["demo", "--url", "http://host/", "--guarded-only"],
                2.0,
                "4 callers call a service of yours under one redress policy, for 2 s",
            ),
        ] {
            let parsed = Arguments::try_parse_from(arguments).unwrap();
            let line = introduction(&parsed, Duration::from_secs_f64(length));
            assert!(line.contains(wanted) && line.lines().count() == 1, "{line}");
        }
        for (kills, minutes) in [(10, 2), (100, 20)] {
            let line = introduction_of_the_node(Some(kills));
            assert!(line.contains(&format!("{kills} times, for about {minutes} min")), "{line}");
        }
    }
}
