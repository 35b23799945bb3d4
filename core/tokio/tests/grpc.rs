//! Clients of tonic through an upstream, against a real server.
#![cfg(all(feature = "tower", feature = "tonic"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use redress::event::CircuitState;
use redress::{Backoff, BreakerConfig, Duration, Policy};
use redress_tokio::Upstream;
use redress_tokio::layer::{ReplayBody, UpstreamService};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::Layer;
use tower::util::MapRequest;

/// A server that fails so many requests; its channel, and how many requests have come.
async fn server(failures: u32, code: Code) -> (Channel, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicU32::new(0));
    let counter = requests.clone();
    let interceptor = move |request: tonic::Request<()>| {
        let nth = counter.fetch_add(1, Ordering::Relaxed);
        if nth < failures { Err(Status::new(code, "scripted")) } else { Ok(request) }
    };
    let (_, health) = tonic_health::server::health_reporter();
    let service = InterceptedService::new(health, interceptor);
    let incoming = TcpIncoming::from(listener);
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    (endpoint.connect().await.unwrap(), requests)
}

type Mapped = MapRequest<Channel, fn(http::Request<ReplayBody<Body>>) -> http::Request<Body>>;
type Client = HealthClient<UpstreamService<Mapped, (), redress_tokio::classify::Auto>>;

fn client(upstream: Upstream, channel: Channel) -> Client {
    let map: fn(http::Request<ReplayBody<Body>>) -> _ = |request| request.map(Body::new);
    let channel = MapRequest::new(channel, map);
    HealthClient::new(upstream.layer().key("health").layer(channel))
}

fn upstream() -> Upstream {
    let backoff = Backoff::constant(Duration::from_millis(1));
    let policy = Policy::builder().max_attempts(3).backoff(backoff);
    let breaker = BreakerConfig::failures(1, Duration::from_secs(60));
    Upstream::new(policy.build().unwrap()).breaker(breaker).unwrap()
}

#[tokio::test]
async fn a_unary_call_is_repeated_by_the_class_of_its_status() {
    let (channel, requests) = server(2, Code::Unavailable).await;
    let checked = client(upstream(), channel).check(HealthCheckRequest::default()).await;
    assert_eq!(checked.unwrap().into_inner().status, 1);
    assert_eq!(requests.load(Ordering::Relaxed), 3);

    let (channel, requests) = server(9, Code::InvalidArgument).await;
    let refused = client(upstream(), channel).check(HealthCheckRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_last_status_comes_back_and_the_breaker_counts_it() {
    let (channel, requests) = server(9, Code::Unavailable).await;
    let upstream = upstream();
    let mut client = client(upstream.clone(), channel);
    let failed = client.check(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!((failed.code(), requests.load(Ordering::Relaxed)), (Code::Unavailable, 3));
    assert_eq!(upstream.breaker_of("health").unwrap().state(), CircuitState::Open);
    let rejected = client.check(HealthCheckRequest::default()).await.unwrap_err();
    assert!(rejected.message().contains("circuit is open"), "{rejected}");
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_stream_of_responses_passes_through() {
    let (channel, _) = server(1, Code::Unavailable).await;
    let mut client = client(upstream(), channel);
    let watched = client.watch(HealthCheckRequest::default()).await.unwrap();
    let first = watched.into_inner().message().await.unwrap().unwrap();
    assert_eq!(first.status, 1);
}
