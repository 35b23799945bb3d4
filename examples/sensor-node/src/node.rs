//! The job: read a temperature, post it, come what may.

use core::fmt::Write as _;

use embassy_net::Stack;
use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_time::{Duration, Timer};
use embedded_hal::i2c::I2c;
use heapless::String;
use lm75::Lm75;
use lm75::ic::Lm75 as Chip;
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng as _;
use redress::{Classification, ErrorClass, classify};
use reqwless::client::HttpClient;
use reqwless::request::{Method, RequestBuilder as _};

use crate::embassy_time_stub::EmbassyTime;
use crate::log::Log;
use crate::policy::{BUDGET, NETWORK, NETWORK_BREAKER, SENSOR, SENSOR_BREAKER};

/// What the service answered: its status, and Retry-After if it sent one.
struct Answer {
    status: u16,
    retry_after: Option<String<32>>,
}

type Tcp<'a> = TcpClient<'a, 2, 512, 512>;

/// Reads and posts for ever.
pub async fn run<B: I2c>(bus: B, stack: Stack<'static>, service: &str) -> ! {
    let mut sensor = Lm75::new(bus, 0x49_u8);
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
    let state = TcpClientState::new();
    let client: Tcp<'_> = TcpClient::new(stack, &state);
    let dns = DnsSocket::new(stack);
    let mut http = HttpClient::new(&client, &dns);
    let mut url: String<64> = String::new();
    let _ = write!(url, "http://{service}/readings");
    let mut number = 0;
    loop {
        if let Some(celsius) = read(&mut sensor, &mut rng).await {
            number += 1;
            post(&mut http, &url, &mut rng, number, celsius).await;
        }
        Timer::after(Duration::from_millis(500)).await;
    }
}

async fn read<B: I2c>(sensor: &mut Lm75<B, Chip>, rng: &mut Xoshiro128PlusPlus) -> Option<f32> {
    let reading = SENSOR
        .on(EmbassyTime, rng)
        .breaker(&SENSOR_BREAKER)
        .budget(&BUDGET)
        .classify(|_: &lm75::Error<B::Error>| ErrorClass::Transient)
        .observer(Log)
        .operation("read sensor")
        .call_async(async |_| sensor.read_temperature())
        .await;
    reading.ok()
}

async fn post(
    http: &mut HttpClient<'_, Tcp<'_>, DnsSocket<'_>>,
    url: &str,
    rng: &mut Xoshiro128PlusPlus,
    number: u32,
    celsius: f32,
) {
    let mut body: String<64> = String::new();
    let _ = write!(body, "{{\"reading\":{number},\"celsius\":{celsius:.2}}}");
    let posted = NETWORK
        .on(EmbassyTime, rng)
        .breaker(&NETWORK_BREAKER)
        .budget(&BUDGET)
        .classify(|_: &reqwless::Error| ErrorClass::Transient)
        .classify_value(rejected)
        .observer(Log)
        .operation("post reading")
        .call_async(async |_| send(http, url, &body).await)
        .await;
    if let Ok(answer) = posted {
        defmt::info!("reading {=u32} of {=f32} C posted: {=u16}", number, celsius, answer.status);
    }
}

async fn send(
    http: &mut HttpClient<'_, Tcp<'_>, DnsSocket<'_>>,
    url: &str,
    body: &str,
) -> Result<Answer, reqwless::Error> {
    let mut buffer = [0; 512];
    let mut request = http.request(Method::POST, url).await?.body(body.as_bytes());
    let response = request.send(&mut buffer).await?;
    let hint = response.headers().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    let hint = hint.and_then(|(_, value)| str::from_utf8(value).ok()?.try_into().ok());
    Ok(Answer { status: response.status.0, retry_after: hint })
}

fn rejected(answer: &Answer) -> Option<Classification> {
    // Without a wall clock a date in Retry-After cannot be used: as if it were 1970.
    classify::http_response(answer.status, answer.retry_after.as_deref(), 0)
}
