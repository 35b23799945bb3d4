//! Posting a reading under its policy: before a long wait the call is written to the
//! EEPROM, and after a reset it goes on from there.

use core::fmt::Write as _;

use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::TcpClient;
use embedded_hal::i2c::I2c;
use embedded_storage::Storage;
use heapless::String;
use rand_xoshiro::Xoshiro128PlusPlus;
use redress::snapshot::Progress;
use redress::{Classification, classify};
use redress_embassy::EmbassyTime;
use redress_embassy::classify::web;
use reqwless::client::HttpClient;
use reqwless::request::{Method, RequestBuilder as _};

use crate::durable::{Durable, InFlight, Pause, Reading};
use crate::log::Log;
use crate::policy::{BUDGET, LONG, NETWORK, NETWORK_BREAKER};
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
///
/// A chip that sleeps deeply would set its alarm where this one stays awake.
pub async fn post<B: I2c, S: Storage>(
    to: &mut Web<'_>,
    rng: &mut Xoshiro128PlusPlus,
    durable: &mut Durable<S>,
    wall: &mut WallClock<B>,
    reading: &Reading,
    mut paused: Option<Pause>,
) {
    let mut after_reset = paused.is_some();
    let mut retry = NETWORK
        .on(EmbassyTime, rng)
        .classify(|class: &Classification| *class)
        .breaker(&NETWORK_BREAKER)
        .budget(&BUDGET)
        .observer(Log)
        .operation("post reading");
    loop {
        let attempt = async |_| to.post(reading, wall.now()).await;
        let progress = match paused.take() {
            None => retry.call_or_suspend_async(LONG, attempt).await,
            Some(Pause { call, at, off }) => match retry.resume(&call, at, off) {
                Ok(call) => {
                    if core::mem::take(&mut after_reset) {
                        defmt::info!(
                            "post reading goes on after the reset: attempt {=u32} in {=u64} ms",
                            call.steps.call().attempts() + 1,
                            call.due.since(at).as_millis()
                        );
                    }
                    call.call_or_suspend_async(LONG, attempt).await
                }
                Err(why) => {
                    defmt::warn!("the call in flight is lost: {}", why);
                    continue;
                }
            },
        };
        let call = match progress {
            Progress::Suspended(call) => call,
            Progress::Over(outcome) => {
                // What was not sent is not kept: the next reading is newer.
                if let Ok(status) = outcome.result {
                    let Reading { number, celsius, .. } = *reading;
                    defmt::info!(
                        "reading {=u32} of {=f32} C posted: {=u16}",
                        number,
                        celsius,
                        status
                    );
                }
                return;
            }
        };
        let pause = Pause { call: call.bytes, at: call.at, off: None };
        if durable.save(call.at, wall.now(), Some(&InFlight { reading: *reading, pause })) {
            let next = call.wake_after.as_millis();
            defmt::info!("post reading saved, next attempt in {=u64} ms", next);
        }
        paused = Some(pause);
    }
}
