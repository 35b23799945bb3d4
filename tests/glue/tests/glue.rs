//! What every version of the service must do, or is marked as lacking.

#[allow(dead_code, reason = "the tests of redress-tokio use more of it")]
#[path = "../../../core/tokio/tests/server/mod.rs"]
mod server;

use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use redress_glue::{Ability, ours, with_backon, with_tower};

use server::{Answer, Server, client};

type Make = fn(PrometheusHandle) -> Result<Router, Box<dyn Error>>;
const VERSIONS: [(&str, Make, &[Ability]); 3] = [
    ("redress-tokio", ours::app, ours::LACKS),
    ("backon", with_backon::app, with_backon::LACKS),
    ("tower", with_tower::app, with_tower::LACKS),
];

/// A version that runs, and a client for it.
struct Service {
    url: String,
    client: reqwest::Client,
}

impl Service {
    async fn start(app: Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, client: client() }
    }

    /// Asks for an order of this upstream; status and Retry-After.
    async fn order(&self, upstream: &Server) -> (u16, Option<String>) {
        let port = upstream.host().rsplit(':').next().unwrap().to_owned();
        let url = format!("{}/order/{port}", self.url);
        let response = self.client.get(url).send().await.unwrap();
        let hint = response.headers().get("retry-after");
        (response.status().as_u16(), hint.map(|hint| hint.to_str().unwrap().to_owned()))
    }
}

async fn recovers(service: &Service) -> bool {
    let upstream = Server::start([Answer::status(503), Answer::Reset, Answer::status(200)]).await;
    service.order(&upstream).await.0 == 200 && upstream.requests() == 3
}

async fn keeps_a_final_failure(service: &Service) -> bool {
    let upstream = Server::start([Answer::status(404), Answer::status(200)]).await;
    service.order(&upstream).await.0 == 404 && upstream.requests() == 1
}

async fn follows_retry_after(service: &Service) -> bool {
    let upstream = Server::start([Answer::after(429, "1"), Answer::status(200)]).await;
    let began = Instant::now();
    service.order(&upstream).await.0 == 200 && began.elapsed() >= Duration::from_secs(1)
}

async fn cuts_what_hangs(service: &Service) -> bool {
    let upstream = Server::start(vec![Answer::Hang; 8]).await;
    let began = Instant::now();
    let status = service.order(&upstream).await.0;
    (status == 504 || status == 502) && began.elapsed() < Duration::from_secs(4)
}

/// Forty calls to a host that is down make forty requests, and the retries of a budget: ten to
/// begin with, and some that calls and seconds earn. Without one they make 120 more.
async fn limits_retries(service: &Service) -> bool {
    let upstream = Server::start([]).await;
    for _ in 0..40 {
        service.order(&upstream).await;
    }
    upstream.requests() <= 40 + 30
}

async fn stops_asking(service: &Service) -> bool {
    let (down, up) = (Server::start([]).await, Server::start([Answer::status(200)]).await);
    for _ in 0..40 {
        service.order(&down).await;
    }
    let before = down.requests();
    let (status, hint) = service.order(&down).await;
    let is_rejected = status == 503 && hint.is_some() && down.requests() == before;
    is_rejected && service.order(&up).await.0 == 200
}

/// A writer that several share.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_version_does_all_that_it_is_not_marked_as_lacking() {
    // The first one makes the provider that those of the services need.
    drop(client());
    let buffer = Buffer::default();
    let written = buffer.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || buffer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let prometheus = PrometheusBuilder::new().install_recorder().unwrap();
    for (name, make, lacks) in VERSIONS {
        written.0.lock().unwrap().clear();
        let service = Service::start(make(prometheus.clone()).unwrap()).await;
        let does = |ability: Ability, does: bool| {
            assert_eq!(does, !lacks.contains(&ability), "{name}: {ability:?}");
        };
        assert!(recovers(&service).await, "{name} recovers");
        assert!(keeps_a_final_failure(&service).await, "{name} keeps a final failure");
        does(Ability::RetryAfter, follows_retry_after(&service).await);
        does(Ability::Deadline, cuts_what_hangs(&service).await);
        does(Ability::Budget, limits_retries(&service).await);
        does(Ability::Breaker, stops_asking(&service).await);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        does(Ability::Tracing, text.contains("retry"));
        let metrics = service.client.get(format!("{}/metrics", service.url)).send().await.unwrap();
        does(Ability::Metrics, metrics.text().await.unwrap().contains("redress_retries"));
    }
}

#[test]
fn ours_has_fifteen_lines_of_glue_at_most() {
    let counted = std::process::Command::new(env!("CARGO_BIN_EXE_redress-glue")).output().unwrap();
    let printed = String::from_utf8(counted.stdout).unwrap();
    let counts = printed.lines().last().unwrap();
    let ours = counts.strip_prefix("lines of glue: redress-tokio ").unwrap().split(',').next();
    assert!(ours.unwrap().parse::<u32>().unwrap() <= 15, "{printed}");
}
