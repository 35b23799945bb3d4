//! Clients of HTTP through an upstream, against a real server.
#![cfg(all(feature = "tower", feature = "reqwest"))]

mod server;

use std::io;
use std::time;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redress::event::CircuitState;
use redress::{Backoff, BreakerConfig, Duration, Error, ErrorClass, Policy, StopReason};
use redress_tokio::Upstream;
use redress_tokio::deadline::within;
use redress_tokio::http::Stopped;
use redress_tokio::reqwest::{SendError, SendWith};
use tower::{Layer, ServiceExt};

use server::{Answer, Server, client};

fn upstream(attempts: u32) -> Upstream {
    let backoff = Backoff::constant(Duration::from_millis(1));
    let policy = Policy::builder().max_attempts(attempts).backoff(backoff);
    Upstream::new(policy.build().unwrap())
}

#[tokio::test]
async fn reqwest_retries_what_may_be_sent_twice_and_returns_the_last_response() {
    let server = Server::start([Answer::status(503), Answer::Reset, Answer::status(200)]).await;
    let client = client();
    let response = client.get(server.url("/x")).send_with(&upstream(4)).await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests()), (200, 3));

    let server = Server::start([Answer::status(503), Answer::status(502)]).await;
    let put = client.put(server.url("/x")).body("same").send_with(&upstream(2)).await.unwrap();
    assert_eq!((put.status().as_u16(), server.bodies()), (502, "same|same".to_owned()));

    let server = Server::start([Answer::status(404), Answer::status(200)]).await;
    let missing = client.get(server.url("/x")).send_with(&upstream(4)).await.unwrap();
    assert_eq!((missing.status().as_u16(), server.requests()), (404, 1));
}

#[tokio::test]
async fn a_post_is_sent_twice_only_with_a_key_of_its_own() {
    let client = client();
    let server = Server::start([Answer::status(503), Answer::status(200)]).await;
    let response = client.post(server.url("/x")).body("x").send_with(&upstream(4)).await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests()), (503, 1));

    let server = Server::start([Answer::status(503), Answer::status(200)]).await;
    let keyed = client.post(server.url("/x")).header("idempotency-key", "7").body("x");
    let response = keyed.send_with(&upstream(4)).await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests()), (200, 2));
}

#[tokio::test]
async fn a_body_that_cannot_be_cloned_is_refused_before_anything_is_sent() {
    let server = Server::start([Answer::status(200)]).await;
    let stream = || {
        let chunks = futures_util::stream::iter([Ok::<_, io::Error>("a"), Ok("b")]);
        reqwest::Body::wrap_stream(chunks)
    };
    let client = client();
    let refused = client.put(server.url("/x")).body(stream()).send_with(&upstream(2)).await;
    assert!(matches!(refused, Err(SendError::Body)));
    assert_eq!(server.requests(), 0);
    // Sent once, it need not be cloned.
    let once = client.put(server.url("/x")).body(stream()).send_with(&upstream(1)).await.unwrap();
    assert_eq!((once.status().as_u16(), server.bodies().as_str()), (200, "ab"));
}

#[tokio::test]
async fn retry_after_is_followed() {
    const FALLBACK: Backoff = Backoff::constant(Duration::ZERO);
    let backoff = Backoff::retry_after_or(&FALLBACK, Duration::ZERO);
    let policy = Policy::builder().max_attempts(2).backoff(backoff).build().unwrap();
    let answers = [Answer::after(429, "1"), Answer::status(200)];
    let server = Server::start(answers).await;
    let client = client();
    let began = time::Instant::now();
    let response = client.get(server.url("/x")).send_with(&Upstream::new(policy)).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(began.elapsed() >= time::Duration::from_secs(1));
}

#[tokio::test]
async fn the_last_response_says_why_the_policy_stopped() {
    let client = client();
    let server = Server::start([Answer::status(503), Answer::status(502)]).await;
    let last = client.get(server.url("/x")).send_with(&upstream(2)).await.unwrap();
    let stopped = last.extensions().get::<Stopped>().unwrap();
    assert_eq!((stopped.reason, stopped.attempts), (StopReason::MaxAttemptsGlobal, 2));
    assert_eq!(stopped.class, Some(ErrorClass::ServerError));

    let server = Server::start([Answer::status(404), Answer::status(200)]).await;
    let missing = client.get(server.url("/x")).send_with(&upstream(4)).await.unwrap();
    let stopped = missing.extensions().get::<Stopped>().unwrap();
    assert_eq!((stopped.reason, stopped.attempts), (StopReason::NonRetryableClass, 1));
    let found = client.get(server.url("/x")).send_with(&upstream(4)).await.unwrap();
    assert_eq!(found.extensions().get::<Stopped>(), None);

    let server = Server::start([Answer::status(429)]).await;
    let service = upstream(1).layer().layer(Client::builder(TokioExecutor::new()).build_http());
    let request = Request::get(server.url("/x")).body(Full::<bytes::Bytes>::default()).unwrap();
    let limited = service.oneshot(request).await.unwrap();
    let stopped = limited.extensions().get::<Stopped>().unwrap();
    assert_eq!((stopped.attempts, stopped.class), (1, Some(ErrorClass::RateLimit)));
}

#[tokio::test]
async fn each_attempt_says_how_long_it_is_waited_for() {
    let backoff = Backoff::constant(Duration::from_millis(20));
    let policy = Policy::builder().max_attempts(2).backoff(backoff);
    let upstream = Upstream::new(policy.deadline(Duration::from_secs(60)).build().unwrap());
    let forwarding = upstream.clone().forward_deadline();
    let client = client();
    let answers = [Answer::status(503), Answer::status(200)];

    let server = Server::start(answers.clone()).await;
    let request = client.get(server.url("/x")).header("x-request-deadline", "99999");
    let send = request.send_with(&forwarding);
    assert_eq!(within(Duration::from_secs(5), send).await.unwrap().status(), 200);
    let sent = server.header("x-request-deadline");
    let [first, second] = [0, 1].map(|nth: usize| sent[nth].parse::<u64>().unwrap());
    assert!(first <= 5_000 && second + 19 <= first, "{sent:?}");

    // gRPC has a header of its own.
    let server = Server::start(answers.clone()).await;
    let service = forwarding.layer().layer(Client::builder(TokioExecutor::new()).build_http());
    let request = Request::post(server.url("/x")).header(CONTENT_TYPE, "application/grpc");
    let request = request.body(Full::<bytes::Bytes>::default()).unwrap();
    service.oneshot(request).await.unwrap();
    let sent = server.header("grpc-timeout");
    assert!(sent.len() == 2 && sent.iter().all(|left| left.ends_with('m')), "{sent:?}");

    // Not asked for, the request is sent as it is.
    let server = Server::start(answers).await;
    let request = client.get(server.url("/x")).header("x-request-deadline", "99999");
    request.send_with(&upstream).await.unwrap();
    assert_eq!(server.header("x-request-deadline"), ["99999", "99999"]);
}

#[tokio::test]
async fn a_request_that_failed_becomes_a_response() {
    let status = |error: &SendError| error.failure::<String>().status().as_u16();
    let client = client();
    let refused = client.get("http://127.0.0.1:1/").send_with(&upstream(2)).await.unwrap_err();
    assert_eq!(status(&refused), 502);
    let nowhere = client.get("no address").send_with(&upstream(2)).await.unwrap_err();
    assert_eq!(status(&nowhere), 500);
    assert_eq!(status(&SendError::Body), 500);
    let breaker = BreakerConfig::failures(1, Duration::from_secs(60));
    let upstream = upstream(1).breaker(breaker).unwrap();
    let send = async || client.get("http://127.0.0.1:1/").send_with(&upstream).await;
    send().await.unwrap_err();
    let rejected = send().await.unwrap_err().failure::<String>();
    assert_eq!(rejected.status().as_u16(), 503);
    assert!(rejected.headers().contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn each_host_has_its_breaker() {
    let breaker = BreakerConfig::failures(1, Duration::from_secs(60));
    let upstream = upstream(1).breaker(breaker).unwrap();
    let (down, up) =
        (Server::start([Answer::status(500)]).await, Server::start([Answer::status(200)]).await);
    let client = client();
    assert_eq!(client.get(down.url("/x")).send_with(&upstream).await.unwrap().status(), 500);
    let rejected = client.get(down.url("/x")).send_with(&upstream).await.unwrap_err();
    assert!(rejected.circuit_open().is_some(), "{rejected}");
    assert_eq!(client.get(up.url("/x")).send_with(&upstream).await.unwrap().status(), 200);
    assert_eq!(upstream.breaker_of(&down.host()).unwrap().state(), CircuitState::Open);
}

#[tokio::test]
async fn an_attempt_that_hangs_is_cut_and_a_call_that_is_dropped_is_cancelled() {
    let backoff = Backoff::constant(Duration::from_millis(1));
    let policy = Policy::builder().max_attempts(2).attempt_timeout(Duration::from_millis(300));
    let upstream = Upstream::new(policy.backoff(backoff).build().unwrap());
    let server = Server::start([Answer::Hang, Answer::status(200)]).await;
    let client = client();
    let response = client.get(server.url("/x")).send_with(&upstream).await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests()), (200, 2));

    let server = Server::start([Answer::Hang]).await;
    let call = client.get(server.url("/x")).send_with(&upstream);
    tokio::select! {
        _ = call => panic!("the server does not answer"),
        () = server.arrived() => {}
    }
    // The connection is closed when the call is dropped.
    server.closed().await;
}

#[tokio::test]
async fn a_layer_of_tower_repeats_a_kept_body_and_sends_a_stream_once() {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let server = Server::start([Answer::status(503), Answer::status(200)]).await;
    let service = upstream(3).layer().layer(client);
    let request = Request::put(server.url("/x")).body(Full::<bytes::Bytes>::from("kept")).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!((response.status(), server.bodies().as_str()), (StatusCode::OK, "kept|kept"));

    let client = Client::builder(TokioExecutor::new()).build_http();
    let server = Server::start([Answer::status(503), Answer::status(200)]).await;
    let service = upstream(3).layer().layer(client);
    let (mut sender, body) = http_body_util::channel::Channel::<bytes::Bytes>::new(1);
    tokio::spawn(async move { sender.send_data("later".into()).await });
    let request = Request::put(server.url("/x")).body(body).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!((response.status().as_u16(), server.bodies().as_str()), (503, "later"));
}

#[tokio::test]
async fn a_layer_returns_the_error_of_the_client_or_the_rejection() {
    let breaker = BreakerConfig::failures(1, Duration::from_secs(60));
    let layer = upstream(2).breaker(breaker).unwrap().layer().key("orders");
    let client = Client::builder(TokioExecutor::new()).build_http::<_>();
    let service = layer.layer(client);
    let request =
        || Request::get("http://127.0.0.1:1/").body(Full::<bytes::Bytes>::default()).unwrap();
    let refused = service.clone().oneshot(request()).await.unwrap_err();
    assert_eq!(refused.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
    let rejected = service.oneshot(request()).await.unwrap_err();
    assert!(matches!(rejected, Error::CircuitOpen(_)));
    let response: http::Response<String> = redress_tokio::http::failure(&rejected);
    assert_eq!(
        (response.status().as_u16(), &response.headers()[RETRY_AFTER]),
        (503, &"30".parse().unwrap())
    );
}

#[tokio::test]
async fn a_server_keeps_to_the_deadline_of_the_request() {
    use redress_tokio::layer::DeadlineLayer;

    let inner = upstream(5);
    let handler = move |_: Request<String>| {
        let inner = inner.clone();
        async move {
            let left = redress_tokio::deadline::remaining();
            if left.is_some_and(|left| left < Duration::from_secs(1)) {
                let call = inner.call(|_| std::future::pending::<io::Result<()>>());
                let failed = call.await.unwrap_err();
                return Ok::<_, io::Error>(redress_tokio::http::failure::<_, _, String>(&failed));
            }
            Ok(http::Response::new(format!("{left:?}")))
        }
    };
    let service = DeadlineLayer::new().layer(tower::service_fn(handler));
    let request = |deadline: &str| {
        Request::get("/").header("x-request-deadline", deadline).body(String::new()).unwrap()
    };
    let none = Request::get("/").body(String::new()).unwrap();
    assert_eq!(service.clone().oneshot(none).await.unwrap().into_body(), "None");
    let nonsense = service.clone().oneshot(request("soon")).await.unwrap();
    assert_eq!(nonsense.status(), StatusCode::BAD_REQUEST);
    let sentence = "x-request-deadline: \"soon\" is not a whole number of milliseconds";
    assert_eq!(nonsense.into_body(), sentence);
    let late = service.clone().oneshot(request("30")).await.unwrap();
    assert_eq!(late.status(), StatusCode::GATEWAY_TIMEOUT);
    let grpc = Request::get("/").header("grpc-timeout", "5S").body(String::new()).unwrap();
    assert_ne!(service.oneshot(grpc).await.unwrap().into_body(), "None");
}

#[test]
fn a_timeout_of_grpc_has_up_to_eight_digits_and_a_unit() {
    let read = |value: &str| {
        let mut headers = http::HeaderMap::new();
        headers.insert("grpc-timeout", value.parse().unwrap());
        headers.insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
        redress_tokio::http::deadline(&headers).ok().flatten().map(Duration::as_micros)
    };
    for (value, micros) in [
        ("1H", Some(3_600_000_000)),
        ("2M", Some(120_000_000)),
        ("3S", Some(3_000_000)),
        ("4m", Some(4_000)),
        ("5u", Some(5)),
        ("1n", Some(1)),
        ("99999999S", Some(99_999_999_000_000)),
        ("999999999S", None),
        ("S", None),
        ("+1S", None),
        ("1s", None),
        ("1", None),
    ] {
        assert_eq!(read(value), micros, "{value}");
    }
}

#[tokio::test]
async fn a_response_can_still_be_read() {
    let server = Server::start([Answer::status(503), Answer::status(200)]).await;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let service = upstream(3).layer().layer(client);
    let request = Request::get(server.url("/x")).body(Full::<bytes::Bytes>::default()).unwrap();
    let body = service.oneshot(request).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "answer 2");
}
