//! A server of HTTP/1.1 on a real socket that answers as it is scripted to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A client. If another package of the same build asks for reqwest's TLS without a provider, reqwest
/// refuses to make any client until there is one.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A response with this status, and Retry-After unless that is empty.
    Response(u16, &'static str),
    /// The connection is closed without a response.
    Reset,
    /// No response; the connection stays open.
    Hang,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Response(status, "")
    }

    pub(crate) fn after(status: u16, retry_after: &'static str) -> Self {
        Self::Response(status, retry_after)
    }
}

pub(crate) struct Server {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    answers: Mutex<VecDeque<Answer>>,
    bodies: Mutex<Vec<String>>,
    heads: Mutex<Vec<String>>,
    arrived: Notify,
    closed: Notify,
}

impl Server {
    /// Answers one request after the other as the script says, then with 500.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        state.answers.lock().unwrap().extend(answers);
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let _ = shared.serve(stream).await;
                    shared.closed.notify_one();
                });
            }
        });
        Self { port, state }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host())
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.state.bodies.lock().unwrap().len()
    }

    /// The bodies of all requests.
    pub(crate) fn bodies(&self) -> String {
        self.state.bodies.lock().unwrap().join("|")
    }

    /// The values of a header in all requests that have it.
    pub(crate) fn header(&self, name: &str) -> Vec<String> {
        let heads = self.state.heads.lock().unwrap();
        heads.iter().filter_map(|head| value(head, name)).collect()
    }

    /// Waits until a request has come.
    pub(crate) async fn arrived(&self) {
        self.state.arrived.notified().await;
    }

    /// Waits until a connection is closed by the client.
    pub(crate) async fn closed(&self) {
        self.state.closed.notified().await;
    }
}

impl State {
    /// Serves a connection until it ends.
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut read = Vec::new();
        loop {
            let Some((head, body)) = request(&mut stream, &mut read).await? else {
                return Ok(());
            };
            self.heads.lock().unwrap().push(head);
            let nth = {
                let mut bodies = self.bodies.lock().unwrap();
                bodies.push(body);
                self.arrived.notify_one();
                bodies.len()
            };
            let answer = self.answers.lock().unwrap().pop_front();
            match answer.unwrap_or(Answer::Response(500, "")) {
                Answer::Response(status, retry_after) => {
                    let header = match retry_after {
                        "" => String::new(),
                        value => format!("retry-after: {value}\r\n"),
                    };
                    let body = format!("answer {nth}");
                    let length = body.len();
                    let text = format!(
                        "HTTP/1.1 {status} x\r\n{header}content-length: {length}\r\n\r\n{body}"
                    );
                    stream.write_all(text.as_bytes()).await?;
                }
                Answer::Reset => return Ok(()),
                Answer::Hang => {
                    // Until the client closes it.
                    while stream.read_buf(&mut read).await? > 0 {}
                    return Ok(());
                }
            }
        }
    }
}

/// The value of a header of a head in lower case.
fn value(head: &str, name: &str) -> Option<String> {
    let of = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned());
    head.lines().find_map(of)
}

/// The head of the next request in lower case, and its body; `None` at the end of the connection.
async fn request(
    stream: &mut TcpStream,
    read: &mut Vec<u8>,
) -> std::io::Result<Option<(String, String)>> {
    loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            let rest = &read[end + 4..];
            let length = value(&head, "content-length").and_then(|length| length.parse().ok());
            let body = match length {
                Some(length) if rest.len() >= length => Some((rest[..length].to_vec(), length)),
                Some(_) => None,
                None if value(&head, "transfer-encoding").is_some() => chunked(rest),
                None => Some((Vec::new(), 0)),
            };
            if let Some((body, length)) = body {
                read.drain(..end + 4 + length);
                return Ok(Some((head, String::from_utf8_lossy(&body).into_owned())));
            }
        }
        if stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

/// A whole body in chunks, and how many bytes that took.
fn chunked(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = bytes[at..].windows(2).position(|end| end == b"\r\n")?;
        let length = std::str::from_utf8(&bytes[at..at + line]).ok()?;
        let length = usize::from_str_radix(length, 16).ok()?;
        at += line + 2;
        let chunk = bytes.get(at..at + length)?;
        bytes.get(at + length..at + length + 2)?;
        body.extend_from_slice(chunk);
        at += length + 2;
        if length == 0 {
            return Some((body, at));
        }
    }
}
