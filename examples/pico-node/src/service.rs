//! One attempt to post a reading: [`Service`].

use core::fmt::Write as _;

use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::TcpClient;
use heapless::String;
use redress::{Classification, classify};
use redress_embassy::classify::web;
use reqwless::client::HttpClient;
use reqwless::request::{Method, RequestBuilder as _};

/// Where readings go: `SERVICE_URL` when the image is built, else an address that is reserved
/// for documentation and never answers.
pub const URL: &str = match option_env!("SERVICE_URL") {
    Some(url) => url,
    None => "http://192.0.2.1:8080/readings",
};

pub type Tcp = TcpClient<'static, 1, 1024, 1024>;

/// What the sensor measured. Start and number name it once and for all, so that the service
/// can tell a second copy (an answer was lost) from a second reading.
pub struct Reading {
    /// Of the start that it is from, drawn by chance.
    pub start: u32,
    /// Which reading of that start.
    pub number: u32,
    pub celsius: f32,
}

/// The way to the service.
pub struct Service<'a>(HttpClient<'a, Tcp, DnsSocket<'static>>);

impl<'a> Service<'a> {
    pub fn new(tcp: &'a Tcp, dns: &'a DnsSocket<'static>) -> Self {
        Self(HttpClient::new(tcp, dns))
    }

    /// Posts a reading as JSON: the status, or the class of what went wrong.
    pub async fn post(&mut self, reading: &Reading) -> Result<u16, Classification> {
        let Reading { start, number, celsius } = reading;
        let mut body = String::<96>::new();
        // It fits: two whole numbers of at most ten digits and a temperature.
        let _ = write!(body, r#"{{"boot":{start},"reading":{number},"celsius":{celsius:.2}}}"#);
        self.send(body.as_bytes()).await.unwrap_or_else(|error| Err(web(&error)))
    }

    async fn send(&mut self, body: &[u8]) -> Result<Result<u16, Classification>, reqwless::Error> {
        let mut buffer = [0; 1024];
        let mut request = self.0.request(Method::POST, URL).await?.body(body);
        let response = request.send(&mut buffer).await?;
        let mut headers = response.headers();
        let hint = headers.find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        let hint = hint.and_then(|(_, value)| str::from_utf8(value).ok());
        let status = response.status.0;
        // The node does not know the date: at the end of time no date lies ahead, and only
        // seconds count.
        Ok(classify::http_response(status, hint, i64::MAX)
            .map_or(Ok(status), |why| Err(why.detail("refused"))))
    }
}
