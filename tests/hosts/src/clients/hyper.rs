//! hyper, by the client of hyper-util and by a connection of its own.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use redress_tokio::classify;
use tokio::net::TcpStream;

use super::{NO_HOST, SHORT, STATUSES, status_fault};
use crate::Failure;
use crate::rows::{PERMANENT, Rows, TRANSIENT, UNKNOWN};
use crate::servers::sockets::{Answer, Refusing, Socket, go_away, http, reset_stream};

const UTIL: &str = "hyper-util";
const HYPER: &str = "hyper";
const H2: &str = "hyper, HTTP/2";

type Pool = Client<HttpConnector, Full<Bytes>>;
type Fails = hyper_util::client::legacy::Error;

pub(crate) async fn rows(rows: &mut Rows) -> Result<(), Failure> {
    of_pool(rows).await?;
    of_connection(rows).await?;
    of_http2(rows).await?;
    of_statuses(rows).await
}

fn pool() -> Pool {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).build_http()
}

/// Sends a request and reads the body.
async fn get(uri: String) -> Result<Response<Incoming>, Fails> {
    let request = Request::get(uri).body(Full::default());
    pool().request(request.expect("the URI is valid")).await
}

/// The client of hyper-util has an error of its own around that of hyper or of the connection.
async fn of_pool(rows: &mut Rows) -> Result<(), Failure> {
    let by_chain = |error: &Fails| classify::error(error);
    let refusing = Refusing::new()?;
    let refused = get(format!("http://{}/", refusing.address)).await;
    rows.error(UTIL, "refused", TRANSIENT, refused, by_chain);
    let unknown = get(format!("http://{NO_HOST}/")).await;
    rows.error(UTIL, "DNS: no such name", TRANSIENT, unknown, by_chain);
    for (fault, want, answer) in [
        ("reset", TRANSIENT, Answer::Reset),
        ("closed without a response", TRANSIENT, Answer::Close),
        ("no HTTP", PERMANENT, Answer::Bytes(b"220 mail.example.org ESMTP\r\n\r\n".to_vec())),
        ("head cut short", TRANSIENT, Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-".to_vec())),
    ] {
        let socket = Socket::start(answer).await?;
        rows.error(UTIL, fault, want, get(socket.url("")).await, by_chain);
    }
    Ok(())
}

/// A connection of hyper whose task runs beside it.
async fn connect<B>(socket: &Socket) -> Result<hyper::client::conn::http1::SendRequest<B>, Failure>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    B::Data: Send,
{
    let stream = TcpStream::connect(socket.address).await?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn request<B>(body: B) -> Request<B> {
    let request = Request::post("/").header("host", "localhost").body(body);
    request.expect("the request is valid")
}

async fn of_connection(rows: &mut Rows) -> Result<(), Failure> {
    for (fault, want, answer) in [
        ("reset", TRANSIENT, Answer::Reset),
        ("closed without a response", TRANSIENT, Answer::Close),
        ("no HTTP", PERMANENT, Answer::Bytes(b"220 mail.example.org ESMTP\r\n\r\n".to_vec())),
    ] {
        let socket = Socket::start(answer).await?;
        let mut sender = connect::<Full<Bytes>>(&socket).await?;
        let sent = sender.send_request(request(Full::default())).await;
        rows.error(HYPER, fault, want, sent, classify::hyper);
        let again = sender.send_request(request(Full::default())).await;
        let fault = format!("{fault}: the next request");
        rows.error(HYPER, &fault, TRANSIENT, again, classify::hyper);
    }
    let short = "content-length: 100\r\n";
    for (fault, answer) in [
        ("body cut short", http(200, short, "only this")),
        (
            "body reset",
            Answer::BytesAndReset(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nno".to_vec()),
        ),
        (
            "chunks cut short",
            http(200, "transfer-encoding: chunked\r\nx-content-length: no\r\n", "5\r\nhe"),
        ),
    ] {
        let socket = Socket::start(answer).await?;
        let mut sender = connect::<Full<Bytes>>(&socket).await?;
        let result = match sender.send_request(request(Full::default())).await {
            Ok(response) => response.into_body().collect().await.map(drop),
            Err(error) => Err(error),
        };
        rows.error(HYPER, fault, TRANSIENT, result, classify::hyper);
    }
    let socket = Socket::start(Answer::Hang).await?;
    let frames = tonic::codegen::tokio_stream::once(Err::<hyper::body::Frame<Bytes>, _>(
        std::io::Error::other("the program's own body has failed"),
    ));
    let mut sender = connect(&socket).await?;
    let sent = sender.send_request(request(StreamBody::new(frames))).await;
    rows.error(HYPER, "error of the program's own body", PERMANENT, sent, classify::hyper);
    let mut sender = connect::<Full<Bytes>>(&socket).await?;
    let sent = tokio::time::timeout(SHORT, sender.send_request(request(Full::default()))).await;
    rows.error("tokio", "hang, with tokio's time-out", TRANSIENT, sent, |error| {
        classify::error(error)
    });
    Ok(())
}

/// Sends a request over HTTP/2, with pings that are to be answered soon.
async fn get_h2(socket: &Socket) -> Result<(), hyper::Error> {
    let stream = TcpStream::connect(socket.address).await.expect("the socket listens");
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(SHORT).keep_alive_timeout(SHORT);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get("http://localhost/").body(Full::<Bytes>::default());
    let response = sender.send_request(request.expect("the request is valid")).await?;
    response.into_body().collect().await.map(drop)
}

async fn of_http2(rows: &mut Rows) -> Result<(), Failure> {
    for (fault, want, answer) in [
        ("REFUSED_STREAM", TRANSIENT, reset_stream(7)),
        ("RST_STREAM with INTERNAL_ERROR", UNKNOWN, reset_stream(2)),
        ("RST_STREAM with CANCEL", UNKNOWN, reset_stream(8)),
        ("GOAWAY with NO_ERROR", TRANSIENT, go_away(0)),
        ("GOAWAY with INTERNAL_ERROR", UNKNOWN, go_away(2)),
        ("no answer to PING", TRANSIENT, Answer::Frames(Vec::new())),
        ("reset", TRANSIENT, Answer::Reset),
        ("closed without a response", TRANSIENT, Answer::Close),
    ] {
        let socket = Socket::start(answer).await?;
        rows.error(H2, fault, want, get_h2(&socket).await, classify::hyper);
    }
    Ok(())
}

async fn of_statuses(rows: &mut Rows) -> Result<(), Failure> {
    let socket = Socket::start(Answer::Status).await?;
    for &(status, query, want) in STATUSES.iter().filter(|(_, query, _)| !query.is_empty()) {
        let response = get(socket.url(&format!("{status}?{query}"))).await?;
        let class = classify::response(&response);
        rows.response(UTIL, &status_fault(status, query), want, &response, class);
    }
    Ok(())
}
