//! The command line: [`Arguments`], with one clear line for each mistake.

use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use reqwest::Url;

/// Calls a really flaky HTTP service under one redress policy, and beside it in a
/// naive retry loop
///
/// Starts a service on loopback that fails by a script: 429 with Retry-After, bursts
/// of 503, TCP resets, hangs, 401, 404, an outage of three seconds, recovery. Many
/// callers call it at once, under one policy with a circuit breaker and a shared retry
/// budget; as many call a twin of it in a naive loop. Ends with a table of both.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "demo",
    bin_name = "cargo demo --",
    disable_version_flag = true,
    after_help = "Exit code: 0 if the guarded calls came through, 1 if none succeeded or the breaker \
                  is still open, 2 for a wrong argument. With --mcu: 0 if the node's log shows each \
                  fault with class, decision and recovery, 1 if it does not, 2 if the emulator is \
                  missing."
)]
pub struct Arguments {
    /// Call this service of yours instead: first guarded, then naively
    #[arg(long, value_parser = url)]
    pub url: Option<Url>,

    /// The most attempts in a call, 1 to 20
    #[arg(long, value_name = "N", default_value = "4", allow_negative_numbers = true,
          value_parser = whole(ATTEMPTS))]
    pub attempts: u32,

    /// The time for a guarded call in seconds, delays included, 0.1 to 60; with --url
    /// each attempt gets a quarter of it
    #[arg(long, value_name = "S", default_value = "8", allow_negative_numbers = true,
          value_parser = seconds)]
    pub deadline: Duration,

    /// How many callers call at once, 1 to 64 [default: 16, with --url 4]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(CALLERS))]
    pub callers: Option<u32>,

    /// How many calls each caller makes, 1 to 1000 [default: 50, with --url 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(CALLS))]
    pub calls: Option<u32>,

    /// Which of the requests the faults hit, any whole number [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "url", allow_negative_numbers = true,
          value_parser = seed)]
    pub seed: Option<u64>,

    /// Boot a sensor node on an emulated microcontroller instead, and let everything
    /// around it fail: bus, service, network, power
    #[arg(long, conflicts_with_all = ["url", "attempts", "deadline", "callers", "calls", "seed", "guarded_only"])]
    pub mcu: bool,

    /// With --mcu: have the node keep a session with an MQTT broker instead, which is killed so often,
    /// 1 to 1000; above 10 a broker that accepts and drops goes on for ten minutes
    #[arg(long, value_name = "N", requires = "mcu", value_parser = whole(KILLS))]
    pub kills: Option<u32>,

    /// Serve the playground instead, a page that shows what a policy does on virtual time; it is built
    /// first if it has to be, by Node.js 20 or later
    #[arg(long, conflicts_with_all = ["mcu", "url", "attempts", "deadline", "callers", "calls", "seed", "guarded_only"])]
    pub playground: bool,

    /// With --playground: on this port of the loopback [default: any that is free]
    #[arg(long, value_name = "N", requires = "playground", allow_negative_numbers = true,
          value_parser = whole(PORTS))]
    pub port: Option<u32>,

    /// Leave the naive loop out, for a service that others use, too
    #[arg(long)]
    pub guarded_only: bool,
}

const KILLS: RangeInclusive<u32> = 1..=1000;
const PORTS: RangeInclusive<u32> = 0..=65_535;
const ATTEMPTS: RangeInclusive<u32> = 1..=20;
const CALLERS: RangeInclusive<u32> = 1..=64;
const CALLS: RangeInclusive<u32> = 1..=1000;
const DEADLINE_SECS: RangeInclusive<f64> = 0.1..=60.0;

impl Arguments {
    /// Reads the command line of this process.
    ///
    /// # Errors
    ///
    /// The exit code to end with: help was asked for and is printed, or something is
    /// wrong and one line on stderr says what.
    pub fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            if !error.use_stderr() {
                // An error is ignored: stdout may be closed.
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            // The first line says all; the others repeat the usage.
            let text = error.render().to_string();
            eprintln!("{}", text.lines().next().unwrap_or_default());
            ExitCode::from(2)
        })
    }

    /// How many callers there are.
    pub fn callers(&self) -> u32 {
        self.callers.unwrap_or(if self.url.is_some() { 4 } else { 16 })
    }

    /// How many calls each of them makes.
    pub fn calls(&self) -> u32 {
        self.calls.unwrap_or(if self.url.is_some() { 10 } else { 50 })
    }
}

fn whole(range: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            format!("it must be a whole number from {} to {}", range.start(), range.end())
        })
    }
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}", u64::MAX))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|number| DEADLINE_SECS.contains(number));
    number.map(Duration::from_secs_f64).ok_or_else(|| {
        let (start, end) = (DEADLINE_SECS.start(), DEADLINE_SECS.end());
        format!("it must be a number of seconds from {start} to {end}")
    })
}

fn url(text: &str) -> Result<Url, String> {
    let example = "http://localhost:8080/orders";
    let url = Url::parse(text).map_err(|error| format!("it must be as {example} ({error})"))?;
    if url.scheme() != "http" {
        return Err(format!("its scheme must be http, without TLS, as in {example}"));
    }
    if url.port() == Some(0) {
        return Err("its port must be 1 to 65535".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &[&str]) -> String {
        let all = ["demo"].iter().chain(arguments);
        let error = Arguments::try_parse_from(all).unwrap_err();
        error.render().to_string().lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_wrong_number_is_named_with_its_flag_and_range() {
        for (flag, value, range) in [
            ("--attempts", "0", "from 1 to 20"),
            ("--attempts", "21", "from 1 to 20"),
            ("--attempts", "-1", "from 1 to 20"),
            ("--attempts", "two", "from 1 to 20"),
            ("--attempts", "99999999999", "from 1 to 20"),
            ("--deadline", "0", "from 0.1 to 60"),
            ("--deadline", "NaN", "from 0.1 to 60"),
            ("--deadline", "inf", "from 0.1 to 60"),
            ("--deadline", "-3.5", "from 0.1 to 60"),
            ("--deadline", "soon", "from 0.1 to 60"),
            ("--callers", "65", "from 1 to 64"),
            ("--calls", "1.5", "from 1 to 1000"),
            ("--port", "65536", "from 0 to 65535"),
            ("--seed", "-1", "from 0 to 18446744073709551615"),
        ] {
            let line = refused(&[flag, value]);
            let told = line.contains(flag) && line.contains(&format!("'{value}'"));
            assert!(told && line.ends_with(range), "{line}");
        }
    }

    #[test]
    fn an_unusable_url_is_named_with_what_is_wrong() {
        for (value, wrong) in [
            ("", "relative URL"),
            ("localhost", "relative URL"),
            ("localhost:8080", "scheme must be http"),
            ("https://host/x", "scheme must be http, without TLS"),
            ("ftp://host/x", "scheme must be http"),
            ("http://", "empty host"),
            ("http://host:70000/", "invalid port number"),
            ("http://host:0/", "port must be 1 to 65535"),
            ("http://[::1", "invalid IPv6 address"),
        ] {
            let line = refused(&["--url", value]);
            assert!(line.contains("--url") && line.contains(wrong), "{line}");
        }
    }

    #[test]
    fn a_service_of_ones_own_gets_a_lighter_load() {
        let own = Arguments::try_parse_from(["demo", "--url", "http://localhost/x"]).unwrap();
        let scripted = Arguments::try_parse_from(["demo"]).unwrap();
        assert_eq!((own.callers(), own.calls()), (4, 10));
        assert_eq!((scripted.callers(), scripted.calls()), (16, 50));
    }
}
