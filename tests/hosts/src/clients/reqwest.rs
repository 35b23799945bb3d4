//! reqwest.

use bytes::Bytes;
use redress_tokio::classify;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Error, Response};

use super::{NO_HOST, SHORT, STATUSES, status_fault};
use crate::Failure;
use crate::rows::{PERMANENT, RATE_LIMIT, Rows, TRANSIENT, UNKNOWN, Want};
use crate::servers::sockets::{Answer, Refusing, Socket, go_away, http, reset_stream};

const NAME: &str = "reqwest";

/// The second of the date that a row sends is after the program's end.
const FAR: &str = "Retry-After=Fri,+31+Dec+2100+23:59:59+GMT";

pub(crate) async fn rows(rows: &mut Rows) -> Result<(), Failure> {
    // An error if there is one already: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    without_response(rows).await?;
    tls(rows).await?;
    in_the_body(rows).await?;
    of_statuses(rows).await
}

fn builder() -> ClientBuilder {
    Client::builder().no_proxy()
}

async fn get(url: String) -> Result<Response, Error> {
    builder().build()?.get(url).send().await
}

async fn without_response(rows: &mut Rows) -> Result<(), Failure> {
    let refusing = Refusing::new()?;
    let refused = get(format!("http://{}/", refusing.address)).await;
    rows.error(NAME, "refused", TRANSIENT, refused, classify::reqwest);
    let unknown = get(format!("http://{NO_HOST}/")).await;
    rows.error(NAME, "DNS: no such name", TRANSIENT, unknown, classify::reqwest);
    let hang = Socket::start(Answer::Hang).await?;
    let late = builder().timeout(SHORT).build()?.get(hang.url("")).send().await;
    rows.error(NAME, "hang, with the client's time-out", TRANSIENT, late, classify::reqwest);
    let late = builder().build()?.get(hang.url("")).timeout(SHORT).send().await;
    rows.error(NAME, "hang, with the request's time-out", TRANSIENT, late, classify::reqwest);
    let late = builder().read_timeout(SHORT).build()?.get(hang.url("")).send().await;
    rows.error(NAME, "hang, with the time-out of a read", TRANSIENT, late, classify::reqwest);
    let smtp = b"220 mail.example.org ESMTP\r\n\r\n".to_vec();
    for (fault, want, answer) in [
        ("reset", TRANSIENT, Answer::Reset),
        ("closed without a response", TRANSIENT, Answer::Close),
        ("head cut short", TRANSIENT, Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-".to_vec())),
        ("no HTTP", PERMANENT, Answer::Bytes(smtp)),
        ("redirects without an end", PERMANENT, http(302, "location: /\r\n", "")),
        ("redirect to another scheme", PERMANENT, http(302, "location: ftp://localhost/\r\n", "")),
    ] {
        let socket = Socket::start(answer).await?;
        rows.error(NAME, fault, want, get(socket.url("")).await, classify::reqwest);
    }
    let socket = Socket::start(http(302, "location: /\r\n", "")).await?;
    let limited = builder().redirect(Policy::limited(1)).build()?.get(socket.url("")).send().await;
    rows.error(NAME, "more redirects than allowed", PERMANENT, limited, classify::reqwest);
    for (fault, url) in [("no URL", "orders"), ("unknown scheme", "gopher://localhost/")] {
        rows.error(NAME, fault, PERMANENT, get(url.into()).await, classify::reqwest);
    }
    let header = builder().build()?.get(hang.url("")).header("x-name", "two\nlines").send().await;
    rows.error(NAME, "header that is none", PERMANENT, header, classify::reqwest);
    let frames: [Result<Bytes, std::io::Error>; 1] = [Err(std::io::ErrorKind::NotFound.into())];
    let body = reqwest::Body::wrap_stream(tonic::codegen::tokio_stream::iter(frames));
    let sent = builder().build()?.post(hang.url("")).body(body).send().await;
    rows.error(NAME, "file of the body that is missing", PERMANENT, sent, classify::reqwest);
    for (fault, want, answer) in [
        ("HTTP/2: REFUSED_STREAM", TRANSIENT, reset_stream(7)),
        ("HTTP/2: RST_STREAM with INTERNAL_ERROR", UNKNOWN, reset_stream(2)),
        ("HTTP/2: GOAWAY with NO_ERROR", TRANSIENT, go_away(0)),
        ("HTTP/2: closed without a response", TRANSIENT, Answer::Close),
    ] {
        let socket = Socket::start(answer).await?;
        let client = builder().http2_prior_knowledge().retry(reqwest::retry::never()).build()?;
        let sent = client.get(socket.url("")).send().await;
        rows.error(NAME, fault, want, sent, classify::reqwest);
    }
    Ok(())
}

async fn tls(rows: &mut Rows) -> Result<(), Failure> {
    for (fault, want, answer) in [
        ("certificate that no authority has signed", PERMANENT, Answer::Tls),
        ("TLS to a plain port", PERMANENT, http(400, "", "no TLS here")),
        ("TLS, closed in the handshake", TRANSIENT, Answer::Close),
        ("TLS, reset in the handshake", TRANSIENT, Answer::Reset),
    ] {
        let socket = Socket::start(answer).await?;
        let sent = get(format!("https://localhost:{}/", socket.port())).await;
        rows.error(NAME, fault, want, sent, classify::reqwest);
    }
    let hang = Socket::start(Answer::Hang).await?;
    let client = builder().connect_timeout(SHORT).build()?;
    let sent = client.get(format!("https://localhost:{}/", hang.port())).send().await;
    rows.error(NAME, "TLS, hang in the handshake", TRANSIENT, sent, classify::reqwest);
    Ok(())
}

async fn in_the_body(rows: &mut Rows) -> Result<(), Failure> {
    const CUT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1, 2";
    let chunked = "transfer-encoding: chunked\r\nx-content-length: no\r\n";
    for (fault, answer) in [
        ("body cut short", Answer::Bytes(CUT.to_vec())),
        ("body reset", Answer::BytesAndReset(CUT.to_vec())),
        ("chunks cut short", http(200, chunked, "5\r\nhe")),
        ("hang in the body", Answer::BytesAndHang(CUT.to_vec())),
    ] {
        let socket = Socket::start(answer).await?;
        let client = builder().timeout(SHORT * 4).build()?;
        let text = async |url| client.get(url).send().await?.bytes().await;
        rows.error(NAME, fault, TRANSIENT, text(socket.url("")).await, classify::reqwest);
        let json = async |url| client.get(url).send().await?.json::<Vec<u8>>().await;
        let fault = format!("{fault}, of JSON");
        rows.error(NAME, &fault, TRANSIENT, json(socket.url("")).await, classify::reqwest);
    }
    let socket = Socket::start(http(200, "", "<html>")).await?;
    let json = get(socket.url("")).await?.json::<Vec<u8>>().await;
    rows.error(NAME, "no JSON", PERMANENT, json, classify::reqwest);
    Ok(())
}

async fn of_statuses(rows: &mut Rows) -> Result<(), Failure> {
    let socket = Socket::start(Answer::Status).await?;
    let date: [(u16, &str, Want); 1] = [(429, FAR, RATE_LIMIT.about_secs(seconds_to_far()?))];
    for &(status, query, want) in STATUSES.iter().chain(&date) {
        let response = get(socket.url(&format!("{status}?{query}"))).await?;
        let class = classify::reqwest_response(&response);
        let fault = if query == FAR {
            "429 with the date of its Retry-After".into()
        } else {
            status_fault(status, query)
        };
        rows.response(NAME, &fault, want, &response, class);
        if query.is_empty() {
            let error = response.error_for_status();
            let fault = format!("{status} by error_for_status");
            rows.error(NAME, &fault, want, error, classify::reqwest);
        }
    }
    Ok(())
}

/// From now to the date of [`FAR`].
fn seconds_to_far() -> Result<u64, Failure> {
    const AT: u64 = 4_133_980_799;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(AT - now.as_secs())
}
