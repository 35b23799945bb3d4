//! tonic, by the client of the health service.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_tokio::classify;
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::{NO_HOST, SHORT};
use crate::Failure;
use crate::rows::{
    AUTH, CONCURRENCY, PERMANENT, PERMISSION, RATE_LIMIT, Rows, SERVER_ERROR, TRANSIENT, UNKNOWN,
    Want,
};
use crate::servers::grpc::Grpc;
use crate::servers::sockets::{Answer, Refusing, Socket, go_away, http, reset_stream};

const NAME: &str = "tonic";

const CODES: [(&str, Want); 16] = [
    ("1 CANCELLED", PERMANENT),
    ("2 UNKNOWN", UNKNOWN),
    ("3 INVALID_ARGUMENT", PERMANENT),
    ("4 DEADLINE_EXCEEDED", TRANSIENT),
    ("5 NOT_FOUND", PERMANENT),
    ("6 ALREADY_EXISTS", PERMANENT),
    ("7 PERMISSION_DENIED", PERMISSION),
    ("8 RESOURCE_EXHAUSTED", RATE_LIMIT),
    ("9 FAILED_PRECONDITION", PERMANENT),
    ("10 ABORTED", CONCURRENCY),
    ("11 OUT_OF_RANGE", PERMANENT),
    ("12 UNIMPLEMENTED", PERMANENT),
    ("13 INTERNAL", SERVER_ERROR),
    ("14 UNAVAILABLE", TRANSIENT),
    ("15 DATA_LOSS", SERVER_ERROR),
    ("16 UNAUTHENTICATED", AUTH),
];

const HINTS: [(&str, &str, Want); 8] = [
    ("14 with RetryInfo", "code 14 retry-info 3000", TRANSIENT.after_millis(3_000)),
    ("8 with RetryInfo", "code 8 retry-info 1500", RATE_LIMIT.after_millis(1_500)),
    ("2 with RetryInfo", "code 2 retry-info 20", UNKNOWN.after_millis(20)),
    ("3 with RetryInfo", "code 3 retry-info 3000", PERMANENT),
    ("14 with pushback", "code 14 pushback 250", TRANSIENT.after_millis(250)),
    ("14 with pushback of 0", "code 14 pushback 0", TRANSIENT.after_millis(0)),
    ("14 with pushback -1", "code 14 pushback -1", PERMANENT),
    ("14 with a pushback that is no number", "code 14 pushback soon", PERMANENT),
];

pub(crate) async fn rows(rows: &mut Rows) -> Result<(), Failure> {
    of_server(rows).await?;
    of_channel(rows).await?;
    of_http2(rows).await?;
    of_other_servers(rows).await
}

fn endpoint(address: impl std::fmt::Display) -> Result<Endpoint, Failure> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?)
}

async fn check(channel: Channel, service: &str) -> Result<(), Status> {
    let request = HealthCheckRequest { service: service.into() };
    HealthClient::new(channel).check(request).await.map(drop)
}

/// Reads a stream to its end.
async fn watch(channel: Channel, service: &str) -> Result<(), Status> {
    let request = HealthCheckRequest { service: service.into() };
    let mut stream = HealthClient::new(channel).watch(request).await?.into_inner();
    while stream.message().await?.is_some() {}
    Ok(())
}

async fn of_server(rows: &mut Rows) -> Result<(), Failure> {
    let server = Grpc::start().await?;
    let channel = endpoint(server.address)?.connect().await?;
    for (name, want) in CODES {
        let code = name.split(' ').next().unwrap_or_default();
        let checked = check(channel.clone(), &format!("code {code}")).await;
        rows.error(NAME, name, want, checked, classify::tonic);
    }
    for (fault, service, want) in HINTS {
        rows.error(NAME, fault, want, check(channel.clone(), service).await, classify::tonic);
    }
    let watched = watch(channel.clone(), "code 14 retry-info 3000").await;
    let want = TRANSIENT.after_millis(3_000);
    rows.error(NAME, "14 with RetryInfo, within a stream", want, watched, classify::tonic);
    let mut request = Request::new(HealthCheckRequest { service: "hang".into() });
    request.set_timeout(SHORT);
    let late = HealthClient::new(channel.clone()).check(request).await;
    rows.error(NAME, "hang, with the request's time-out", TRANSIENT, late, classify::tonic);
    let limited = endpoint(server.address)?.timeout(SHORT).connect().await?;
    let late = check(limited, "hang").await;
    rows.error(NAME, "hang, with the time-out of the channel", TRANSIENT, late, classify::tonic);
    let large = HealthCheckRequest { service: "x".repeat(64) };
    let sent = HealthClient::new(channel.clone()).max_encoding_message_size(16).check(large).await;
    rows.error(NAME, "message larger than the client sends", PERMANENT, sent, classify::tonic);
    ended(rows, server, channel).await
}

/// The server ends while calls and a stream are under way.
async fn ended(rows: &mut Rows, server: Grpc, channel: Channel) -> Result<(), Failure> {
    let (call, stream) = (channel.clone(), channel.clone());
    let hangs = tokio::spawn(async move { check(call, "hang").await });
    let watches = tokio::spawn(async move { watch(stream, "watch").await });
    // Requests on one connection are sent in the order in which they are made.
    tokio::task::yield_now().await;
    let _ = check(channel.clone(), "code 14").await;
    drop(server);
    rows.error(NAME, "server ends in a call", TRANSIENT, hangs.await?, classify::tonic);
    rows.error(NAME, "server ends in a stream", TRANSIENT, watches.await?, classify::tonic);
    let later = check(channel, "code 14").await;
    rows.error(NAME, "call after the server's end", TRANSIENT, later, classify::tonic);
    Ok(())
}

async fn of_channel(rows: &mut Rows) -> Result<(), Failure> {
    const TRANSPORT: &str = "tonic, transport";
    let of_chain = |error: &tonic::transport::Error| classify::error(error);
    let refusing = Refusing::new()?;
    let channel = endpoint(refusing.address)?.connect_lazy();
    rows.error(NAME, "refused", TRANSIENT, check(channel, "").await, classify::tonic);
    let connected = endpoint(refusing.address)?.connect().await;
    rows.error(TRANSPORT, "refused", TRANSIENT, connected, of_chain);
    let channel = endpoint(NO_HOST)?.connect_lazy();
    rows.error(NAME, "DNS: no such name", TRANSIENT, check(channel, "").await, classify::tonic);
    let connected = endpoint(NO_HOST)?.connect().await;
    rows.error(TRANSPORT, "DNS: no such name", TRANSIENT, connected, of_chain);
    let hang = Socket::start(Answer::Hang).await?;
    let channel = endpoint(hang.address)?.timeout(SHORT).connect_lazy();
    let fault = "hang in the handshake, with the time-out of the channel";
    rows.error(NAME, fault, TRANSIENT, check(channel, "").await, classify::tonic);
    let silent = Socket::start(Answer::Frames(Vec::new())).await?;
    let channel = endpoint(silent.address)?;
    let channel = channel.http2_keep_alive_interval(SHORT).keep_alive_timeout(SHORT);
    let fault = "no answer to PING";
    rows.error(NAME, fault, TRANSIENT, check(channel.connect_lazy(), "").await, classify::tonic);
    Ok(())
}

async fn of_http2(rows: &mut Rows) -> Result<(), Failure> {
    for (fault, want, answer) in [
        ("REFUSED_STREAM", TRANSIENT, reset_stream(7)),
        ("RST_STREAM with INTERNAL_ERROR", SERVER_ERROR, reset_stream(2)),
        ("RST_STREAM with ENHANCE_YOUR_CALM", RATE_LIMIT, reset_stream(11)),
        ("GOAWAY with NO_ERROR", TRANSIENT, go_away(0)),
        ("GOAWAY with ENHANCE_YOUR_CALM", RATE_LIMIT, go_away(11)),
        ("reset", TRANSIENT, Answer::Reset),
        ("closed without a response", TRANSIENT, Answer::Close),
    ] {
        let socket = Socket::start(answer).await?;
        let channel = endpoint(socket.address)?.connect_lazy();
        rows.error(NAME, fault, want, check(channel, "").await, classify::tonic);
    }
    Ok(())
}

/// Servers that are not of gRPC.
async fn of_other_servers(rows: &mut Rows) -> Result<(), Failure> {
    let other = Socket::start(http(400, "", "no HTTP/2 here")).await?;
    let channel = endpoint(other.address)?.connect_lazy();
    let fault = "server of HTTP/1.1";
    // INTERNAL, says tonic.
    rows.error(NAME, fault, SERVER_ERROR, check(channel, "").await, classify::tonic);
    for (status, want) in [
        (400_u16, SERVER_ERROR),
        (401, AUTH),
        (403, PERMISSION),
        (404, PERMANENT),
        (429, TRANSIENT),
        (502, TRANSIENT),
        (503, TRANSIENT),
        (504, TRANSIENT),
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let Ok((stream, _)) = listener.accept().await else { return };
            let answer = service_fn(move |_| async move {
                http::Response::builder().status(status).body(Empty::<Bytes>::new())
            });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
        });
        let channel = endpoint(address)?.connect_lazy();
        let fault = format!("proxy that answers {status}");
        rows.error(NAME, &fault, want, check(channel, "").await, classify::tonic);
        task.abort();
    }
    Ok(())
}
