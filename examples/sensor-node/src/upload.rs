//! Posting a reading under its policy, step by step: before a long wait the call is
//! written to the EEPROM, and after a reset it goes on from there.

use core::fmt::Write as _;

use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::TcpClient;
use embassy_time::{Timer, with_timeout};
use embedded_hal::i2c::I2c;
use embedded_storage::Storage;
use heapless::String;
use rand_xoshiro::Xoshiro128PlusPlus;
use redress::{Classification, Clock as _, Decision, ErrorClass, classify};
use redress_embassy::classify::web;
use reqwless::client::HttpClient;
use reqwless::request::{Method, RequestBuilder as _};

use crate::clock::HeldClock;
use crate::durable::{Durable, InFlight, Pause, Reading};
use crate::log::Log;
use crate::policy::{BUDGET, CALL_BYTES, LONG, NETWORK, NETWORK_BREAKER};
use crate::wall::WallClock;

pub type Tcp<'a> = TcpClient<'a, 2, 512, 512>;

/// The way to the service.
pub struct Web<'a> {
    http: HttpClient<'a, Tcp<'a>, DnsSocket<'a>>,
    url: String<64>,
}

impl<'a> Web<'a> {
    pub fn new(tcp: &'a Tcp<'a>, dns: &'a DnsSocket<'a>, service: &str) -> Self {
        let mut url = String::new();
        // An address that is too long gives an URL that is none: PERMANENT.
        let _ = write!(url, "http://{service}/readings");
        Self { http: HttpClient::new(tcp, dns), url }
    }

    /// One attempt: the class of its failure, if it fails.
    async fn post(&mut self, reading: &Reading, wall: Option<i64>) -> Result<u16, Classification> {
        let body = body(reading);
        let mut buffer = [0; 512];
        let sent = async {
            let mut request =
                self.http.request(Method::POST, &self.url).await?.body(body.as_bytes());
            let response = request.send(&mut buffer).await?;
            let hint =
                response.headers().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
            let hint = hint.and_then(|(_, value)| str::from_utf8(value).ok());
            let status = response.status.0;
            // A date in Retry-After needs the wall clock; at its end of time no date lies ahead.
            let wall = wall.unwrap_or(i64::MAX);
            Ok::<_, reqwless::Error>(match classify::http_response(status, hint, wall) {
                None => Ok(status),
                Some(classification) => Err(classification.detail("refused")),
            })
        };
        sent.await.unwrap_or_else(|error| Err(web(&error)))
    }
}

/// As JSON.
fn body(reading: &Reading) -> String<96> {
    let Reading { boot, number, celsius } = reading;
    let mut body = String::new();
    // It fits: two whole numbers of at most ten digits and a temperature.
    let _ = write!(body, r#"{{"boot":{boot},"reading":{number},"celsius":{celsius:.2}}}"#);
    body
}

/// Posts a reading, or goes on with the call that was `paused`.
pub async fn post<B: I2c, S: Storage>(
    to: &mut Web<'_>,
    rng: &mut Xoshiro128PlusPlus,
    durable: &mut Durable<S>,
    wall: &mut WallClock<B>,
    reading: &Reading,
    mut paused: Option<Pause>,
) {
    let clock = HeldClock::new();
    let mut after_reset = paused.is_some();
    let mut retry = NETWORK
        .on(&clock, rng)
        .breaker(&NETWORK_BREAKER)
        .budget(&BUDGET)
        .observer(Log)
        .operation("post reading");
    'call: loop {
        let mut steps = match paused.take() {
            None => match retry.begin() {
                Ok(steps) => steps,
                // Not sent, and not kept: the next reading is newer.
                Err(_) => return,
            },
            Some(Pause { call, at, off }) => match clock.hold(at, || retry.resume(&call, off)) {
                Ok((mut steps, rest, _)) => {
                    if core::mem::take(&mut after_reset) {
                        defmt::info!(
                            "post reading goes on after the reset: attempt {=u32} in {=u64} ms",
                            steps.call().attempts() + 1,
                            rest.as_millis()
                        );
                    }
                    // Writing has taken its time, too.
                    sleep(at.saturating_add(rest).since(clock.now())).await;
                    if steps.woke().is_err() {
                        return;
                    }
                    steps
                }
                Err(why) => {
                    defmt::warn!("the call in flight is lost: {}", why);
                    continue;
                }
            },
        };
        loop {
            let Ok(attempt) = steps.start() else { return };
            let timeout = embassy_time::Duration::from_micros(attempt.timeout.as_micros());
            let decision = match with_timeout(timeout, to.post(reading, wall.now())).await {
                Ok(Ok(status)) => {
                    steps.succeed();
                    let Reading { number, celsius, .. } = *reading;
                    defmt::info!(
                        "reading {=u32} of {=f32} C posted: {=u16}",
                        number,
                        celsius,
                        status
                    );
                    return;
                }
                Ok(Err(classification)) => steps.fail(classification),
                Err(embassy_time::TimeoutError) => steps.fail(ErrorClass::Transient),
            };
            let Decision::Retry { after } = decision else { return };
            if after >= LONG {
                let mut pause = Pause { call: [0; CALL_BYTES], at: clock.now(), off: None };
                // The buffer has the size that it takes.
                let _ = clock.hold(pause.at, || steps.suspend(&mut pause.call));
                let in_flight = InFlight { reading: *reading, pause };
                if durable.save(pause.at, wall.now(), Some(&in_flight)) {
                    defmt::info!("post reading saved at attempt {=u32}", attempt.number);
                }
                paused = Some(pause);
                continue 'call;
            }
            sleep(after).await;
            if steps.woke().is_err() {
                return;
            }
        }
    }
}

async fn sleep(span: redress::Duration) {
    Timer::after_micros(span.as_micros()).await;
}
